"""Curves of a score over the strength of an attack, and their areas to a base line.

Lu's distortion-distortion curve is the mean score of attacked reconstructions over the
radius epsilon of the attack; its area to a base line measures the robustness of a model
by one number.

Scores are `[E, N]`, a row for each epsilon and a column for each example, so that the
examples can be resampled; where a score belongs to a whole set, such as the Frechet
distance or a PSNR that is pooled over images, they are `[E]`.

PSNR is infinite where nothing is attacked: if epsilon 0 comes first and some of its
scores are positive infinity, curves and areas begin at the next epsilon. Areas of
several models are comparable only if they all begin at the same one.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tfsemae import statistics
from tfsemae.statistics import Interval


class Curve(NamedTuple):
    """Mean and standard deviation of a score over examples, at each epsilon."""

    epsilons: np.ndarray  # float64 [E], in the unit of the attack
    mean: np.ndarray  # float64 [E], in the unit of the score
    deviation: np.ndarray  # float64 [E], of the examples, not of their mean


class Area(NamedTuple):
    """Area between a curve and its base line; larger is more robust."""

    raw: float  # in units of the score times those of epsilon
    normalized: float  # divided by the range of epsilon, the mean height


def distortion_curve(epsilons: npt.ArrayLike, scores: npt.ArrayLike) -> Curve:
    """Mean score over the strength of the attack, the distortion-distortion curve.

    Args:
        epsilons: `[E]`, finite, not negative, strictly increasing.
        scores: `[E, N]`, of each example at each epsilon.

    Returns:
        The means and standard deviations (of the N examples, dividing by N). It begins
        at the second epsilon where the first is 0 and has infinite scores.

    Raises:
        ValueError: if the epsilons are none, negative, not finite or not increasing,
            shapes disagree, or a score is NaN or infinite elsewhere.

    Source: Lu 2023, distortion-distortion curves.

    Example:
        >>> from tfsemae import metrics
        >>> curve = metrics.distortion_curve([0.0, 1.0], [[1.0, 1.0], [0.25, 0.75]])
        >>> curve.mean.tolist(), curve.deviation.tolist()
        ([1.0, 0.5], [0.0, 0.25])
    """
    epsilons, scores = _points(epsilons, scores, examples=True)
    return Curve(epsilons, scores.mean(axis=1), scores.std(axis=1))


def base_line(*scores: npt.ArrayLike, higher_is_better: bool) -> float:
    """The base line that all compared models share.

    It is the worst point of all curves: the maximum over models and epsilons of a score
    of which lower is better, the minimum of one of which higher is better. No curve
    crosses it. Areas to different base lines are not comparable.

    Args:
        *scores: of each model `[E, N]`, or `[E]`. The first epsilon may have scores of
            positive infinity where higher is better.
        higher_is_better: True for SSIM and PSNR, False for LPIPS and FID.

    Returns:
        In the unit of the score.

    Raises:
        ValueError: if there is no model, a shape is another, or a score is NaN or
            infinite elsewhere.

    Source: our choice; Lu 2023 prints no base line.

    Example:
        >>> from tfsemae import metrics
        >>> metrics.base_line([0.0, 0.1, 0.3], [0.0, 0.2, 0.2], higher_is_better=False)
        0.3
    """
    if not scores:
        raise ValueError("`scores` must be of at least one model. Received: none.")
    means = np.concatenate(
        [
            _scores(each, "scores", infinite_start=higher_is_better).mean(axis=1)
            for each in scores
        ]
    )
    return float(means.min() if higher_is_better else means.max())


def area_to_base_line(
    epsilons: npt.ArrayLike,
    scores: npt.ArrayLike,
    base: float,
    *,
    higher_is_better: bool,
) -> Area:
    """Area between a distortion-distortion curve and a base line; higher is better.

    With the mean score s, by the trapezoidal rule on the given epsilons:

        integral{ s(epsilon) - base }   where higher is better, of a base line below
        integral{ base - s(epsilon) }   where lower is better, of a base line above

    The difference of two models does not depend on a base line that they share. What
    lies beyond the base line counts as negative.

    Args:
        epsilons: `[E]`, finite, not negative, strictly increasing.
        scores: `[E, N]`, or `[E]`.
        base: the base line, see `base_line`.
        higher_is_better: True for SSIM and PSNR, False for LPIPS and FID.

    Returns:
        The area and the area divided by the range of epsilon. Both begin at the second
        epsilon where higher is better, the first is 0 and has infinite scores.

    Raises:
        ValueError: if there are fewer than two epsilons to integrate over, they are
            negative, not finite or not increasing, shapes disagree, a score is NaN or
            infinite elsewhere, or the base line is not finite.

    Source: Lu 2023, AADDC; the formula is derived from the text.

    Example:
        >>> from tfsemae import metrics
        >>> metrics.area_to_base_line(
        ...     [0.0, 1.0, 2.0], [1.0, 0.5, 0.25], 0.25, higher_is_better=True
        ... )
        Area(raw=0.625, normalized=0.3125)
    """
    epsilons, areas = _areas(epsilons, scores, base, higher_is_better)
    raw = areas.mean()
    return Area(float(raw), float(raw / (epsilons[-1] - epsilons[0])))


def curve_band(
    epsilons: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    seed: int,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> list[Interval]:
    """Bootstrap intervals over examples of a distortion-distortion curve.

    Each interval holds for its epsilon, not all of them together. Equal seeds and
    numbers of examples draw equal resamples, at all epsilons and for all models.

    Args:
        epsilons: `[E]`, finite, not negative, strictly increasing.
        scores: `[E, N]`, of at least 2 examples.
        seed: of the resamples.
        resamples: their number.
        confidence: coverage of each interval, in (0, 1).

    Returns:
        The mean and its interval at each epsilon of `distortion_curve`.

    Raises:
        ValueError: as `distortion_curve` and `statistics.bootstrap_interval`.

    Example:
        >>> from tfsemae import metrics
        >>> scores = [[1.0, 1.0, 1.0], [0.5, 0.25, 0.75]]
        >>> start, end = metrics.curve_band([0.0, 1.0], scores, seed=0)
        >>> start
        Interval(effect=1.0, low=1.0, high=1.0)
        >>> 0.25 <= end.low < end.effect < end.high <= 0.75
        True
    """
    _, scores = _points(epsilons, scores, examples=True)
    return [_mean_interval(row, seed, resamples, confidence) for row in scores]


def area_interval(
    epsilons: npt.ArrayLike,
    scores: npt.ArrayLike,
    base: float,
    *,
    higher_is_better: bool,
    seed: int,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Interval:
    """Bootstrap interval over examples of an area to a base line.

    The base line is taken as given, not drawn anew with the examples.

    Args:
        epsilons: as `area_to_base_line`.
        scores: `[E, N]`, of at least 2 examples.
        base: as `area_to_base_line`.
        higher_is_better: as `area_to_base_line`.
        seed: of the resamples; equal ones draw equal resamples.
        resamples: their number.
        confidence: coverage of the interval, in (0, 1).

    Returns:
        The raw area and its interval; divide by the range of epsilon to normalise.

    Raises:
        ValueError: as `area_to_base_line` and `statistics.bootstrap_interval`.

    Example:
        >>> from tfsemae import metrics
        >>> scores = [[1.0, 1.0], [0.5, 0.5]]  # equal examples: nothing varies
        >>> metrics.area_interval([0, 1], scores, 0.5, higher_is_better=True, seed=0)
        Interval(effect=0.25, low=0.25, high=0.25)
    """
    _, areas = _areas(epsilons, scores, base, higher_is_better, examples=True)
    return _mean_interval(areas, seed, resamples, confidence)


def area_difference_interval(
    epsilons: npt.ArrayLike,
    scores: npt.ArrayLike,
    other_scores: npt.ArrayLike,
    *,
    higher_is_better: bool,
    seed: int,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Interval:
    """Paired bootstrap interval of the difference of two models' areas.

    Both models are measured on the same examples, which are resampled together. The
    base line that they share cancels, and is not needed.

    Args:
        epsilons: as `area_to_base_line`.
        scores: `[E, N]`, of the first model, of at least 2 examples.
        other_scores: `[E, N]`, of the second one on the same examples.
        higher_is_better: as `area_to_base_line`.
        seed: of the resamples; equal ones draw equal resamples.
        resamples: their number.
        confidence: coverage of the interval, in (0, 1).

    Returns:
        The raw area of the first model minus that of the second, above 0 where the
        first is more robust, and its interval. Both areas begin at the second epsilon
        where either model has infinite scores at epsilon 0.

    Raises:
        ValueError: as `area_to_base_line` and `statistics.bootstrap_interval`, or if
            the two models have different shapes.

    Example:
        >>> from tfsemae import metrics
        >>> vae, dae = [[1.0, 1.0], [0.25, 0.5]], [[1.0, 1.0], [0.75, 1.0]]
        >>> metrics.area_difference_interval(
        ...     [0, 1], dae, vae, higher_is_better=True, seed=0
        ... )
        Interval(effect=0.25, low=0.25, high=0.25)
    """
    epsilons_a, scores = _points(
        epsilons, scores, examples=True, infinite_start=higher_is_better
    )
    epsilons_b, others = _points(
        epsilons,
        other_scores,
        "other_scores",
        examples=True,
        infinite_start=higher_is_better,
    )
    if scores.shape[1] != others.shape[1]:
        raise ValueError(
            "`scores` and `other_scores` must be of the same examples. "
            f"Received: {scores.shape[1]} and {others.shape[1]} examples."
        )
    kept = min(len(epsilons_a), len(epsilons_b))
    grid = _grid(epsilons_a[-kept:])
    differences = scores[-kept:] - others[-kept:]
    if not higher_is_better:
        differences = -differences
    areas = np.trapezoid(differences, grid, axis=0)
    return _mean_interval(areas, seed, resamples, confidence)


def _mean_interval(
    values: np.ndarray, seed: int, resamples: int, confidence: float
) -> Interval:
    return statistics.bootstrap_interval(
        statistics.mean_statistic(values),
        len(values),
        seed=seed,
        resamples=resamples,
        confidence=confidence,
    )


def _areas(
    epsilons: npt.ArrayLike,
    scores: npt.ArrayLike,
    base: float,
    higher_is_better: bool,
    examples: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The epsilons integrated over, and the area of each example `[N]`.

    An area is linear in the scores: that of the mean is the mean of the areas.
    """
    if not np.isfinite(base):
        raise ValueError(f"`base` must be finite. Received: base={base}.")
    epsilons, scores = _points(
        epsilons, scores, examples=examples, infinite_start=higher_is_better
    )
    heights = scores - base if higher_is_better else base - scores
    return epsilons, np.trapezoid(heights, _grid(epsilons), axis=0)


def _grid(epsilons: np.ndarray) -> np.ndarray:
    """Epsilons `[E, 1]` to integrate over."""
    if len(epsilons) < 2:
        raise ValueError(
            "`epsilons` must be at least two where scores are finite, to have an area. "
            f"Received: {epsilons.tolist()}."
        )
    return epsilons[:, np.newaxis]


def _points(
    epsilons: npt.ArrayLike,
    scores: npt.ArrayLike,
    name: str = "scores",
    *,
    examples: bool = False,
    infinite_start: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Checks a curve.

    Args:
        epsilons: `[E]`.
        scores: `[E, N]`, or `[E]` unless `examples`.
        name: of the scores, for a message.
        examples: whether there must be a score for each example.
        infinite_start: whether scores may be positive infinity at epsilon 0.

    Returns:
        Epsilons `[e]` and scores `[e, N]`, float64, from the first epsilon on where all
        scores are finite.
    """
    epsilons = _epsilons(epsilons)
    infinite_start = infinite_start and epsilons[0] == 0
    scores = _scores(scores, name, examples=examples, infinite_start=infinite_start)
    if len(scores) != len(epsilons):
        raise ValueError(
            f"`{name}` must have a row for each of the {len(epsilons)} epsilons. "
            f"Received: {len(scores)} rows."
        )
    first = 0 if np.isfinite(scores[0]).all() else 1
    return epsilons[first:], scores[first:]


def _epsilons(epsilons: npt.ArrayLike) -> np.ndarray:
    epsilons = np.asarray(epsilons, dtype=np.float64)
    if epsilons.ndim != 1 or not len(epsilons):
        raise ValueError(
            "`epsilons` must have the shape [E] and not be empty. "
            f"Received: epsilons.shape={epsilons.shape}."
        )
    if not np.isfinite(epsilons).all() or epsilons[0] < 0:
        raise ValueError(
            "`epsilons` must be finite and not negative. "
            f"Received: {epsilons.tolist()}."
        )
    if np.any(np.diff(epsilons) <= 0):
        raise ValueError(
            "`epsilons` must increase, without repetition. "
            f"Received: {epsilons.tolist()}."
        )
    return epsilons


def _scores(
    scores: npt.ArrayLike,
    name: str,
    *,
    examples: bool = False,
    infinite_start: bool,
) -> np.ndarray:
    """Checks scores `[E, N]` or `[E]`, and returns float64 `[E, N]` or `[E, 1]`."""
    scores = np.asarray(scores, dtype=np.float64)
    shapes = "[E, N]" if examples else "[E, N] or [E]"
    if scores.ndim not in ((2,) if examples else (1, 2)) or not scores.size:
        raise ValueError(
            f"`{name}` must have the shape {shapes} and not be empty. "
            f"Received: {name}.shape={scores.shape}."
        )
    scores = scores.reshape(len(scores), -1)
    infinite = np.isinf(scores)
    if infinite_start and len(scores) > 1:
        infinite[0] = scores[0] == -np.inf
    for fault, found in ("NaN", np.isnan(scores)), ("infinite", infinite):
        if found.any():
            raise ValueError(
                f"`{name}` must not be {fault}. Received: {found.sum()} of "
                f"{found.size} scores that are, first in row "
                f"{np.argmax(found.any(axis=1))}."
            )
    return scores
