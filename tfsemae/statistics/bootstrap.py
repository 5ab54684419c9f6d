"""Bootstrap intervals over examples, and the statistics that they are made of.

A statistic is a function of counts `[R, N]`, how often each of N examples is in
each of R resamples, to R values. One that compares two things on the same
examples is the difference of two statistics.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

from tfsemae.statistics.interval import Interval

#: Counts float64 `[R, N]` -> `[R]`.
Statistic = Callable[[np.ndarray], np.ndarray]


def bootstrap_interval(
    statistic: Statistic,
    examples: int,
    *,
    seed: int,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval over examples.

    Equal seeds and numbers of examples draw equal resamples, so that intervals
    of several statistics belong together.

    Args:
        statistic: counts float64 `[R, N]` -> `[R]`.
        examples: N, at least 2.
        seed: of the resamples.
        resamples: their number.
        confidence: coverage of the interval, in (0, 1).

    Returns:
        The statistic of the examples themselves, and its interval, widened to
        hold it. What is not the examples, such as the trained networks, is taken
        as given.

    Raises:
        ValueError: if there are fewer than 2 examples, or `confidence` is not in
            (0, 1).

    Source: Efron and Tibshirani 1993, "An introduction to the bootstrap".
    """
    if examples < 2:
        raise ValueError(
            f"`examples` must be at least 2. Received: examples={examples}."
        )
    if not 0 < confidence < 1:
        raise ValueError(
            "`confidence` must be above 0 and below 1, such as 0.95. "
            f"Received: confidence={confidence}."
        )

    def of_indices(indices: np.ndarray, axis: int) -> np.ndarray:
        del axis  # the last one
        rows = indices.reshape(-1, examples)
        # One histogram of all rows, each with bins of its own.
        bins = rows + examples * np.arange(len(rows))[:, np.newaxis]
        counts = np.bincount(bins.ravel(), minlength=rows.size)
        counts = counts.reshape(rows.shape)
        return statistic(counts.astype(np.float64)).reshape(indices.shape[:-1])

    result = stats.bootstrap(
        (np.arange(examples),),
        of_indices,
        n_resamples=resamples,
        batch=100,
        vectorized=True,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    (effect,) = statistic(np.ones((1, examples))).tolist()
    low, high = map(float, result.confidence_interval)
    return Interval(effect, min(low, effect), max(high, effect))


def mean_statistic(values: npt.ArrayLike) -> Statistic:
    """The mean of one value per example, such as PSNR or a correct answer.

    Args:
        values: numbers or truth values `[N]`; one that is not finite is left out.
    """
    values = np.asarray(values, dtype=np.float64)
    defined = np.isfinite(values)
    values = values[defined]

    def statistic(counts: np.ndarray) -> np.ndarray:
        counts = counts[:, defined]
        return counts @ values / counts.sum(axis=1)

    return statistic


def quantile_statistic(values: npt.ArrayLike, share: float) -> Statistic:
    """A quantile of one value per example, such as the median.

    It is the least value that at least `share` of the examples do not exceed: always
    one of the values, so that infinite ones are allowed.

    Args:
        values: numbers `[N]`, none of them NaN.
        share: in (0, 1]; 0.5 for the (lower) median.

    Raises:
        ValueError: if a value is NaN, or `share` is not in (0, 1].
    """
    values = np.asarray(values, dtype=np.float64)
    if np.isnan(values).any():
        raise ValueError(
            "`values` must not be NaN. "
            f"Received: {np.isnan(values).sum()} of {values.size} that are."
        )
    if not 0 < share <= 1:
        raise ValueError(
            f"`share` must be above 0 and at most 1. Received: share={share}."
        )
    order = np.argsort(values, kind="stable")
    ordered = values[order]

    def statistic(counts: np.ndarray) -> np.ndarray:
        below = np.cumsum(counts[:, order], axis=1)
        wanted = share * below[:, -1:]
        # Counts are whole; a product such as 0.05 * 20 is not.
        return ordered[np.argmax(below >= wanted - 1e-9, axis=1)]

    return statistic
