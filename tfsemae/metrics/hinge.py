"""The shape of a distortion-distortion curve: a line, then a hinge, or a sudden drop.

Curves are those of `metrics.normalized_distortions`; points with x outside of [0, 1]
are left out, as `metrics.auddc` does.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from tfsemae.metrics.normalized_distortion import checked_pairs

_POSITIONS = np.arange(10, 201) / 200  # 0.050 to 1.000
_LEAST_POINTS = 5  # more than a logistic curve has parameters
_WIDTHS = (0.02, 0.05, 0.1)  # from which its fits begin


class Hinge(NamedTuple):
    """The least-squares fit of `y = level + slope * min(x - position, 0)`."""

    position: float
    slope: float
    level: float
    rmse: float
    correlation: float  # Pearson's, of the points up to the hinge; NaN of equal ones


def fit_hinge(x: npt.ArrayLike, y: npt.ArrayLike) -> Hinge:
    """Fits a line that turns flat at a hinge.

    Args:
        x: `[K]`, normalised distortions, in any order.
        y: `[K]`, normalised distances to the target.

    Returns:
        The best of the fits with the hinge at 0.050, 0.055, ..., 1.000.

    Raises:
        ValueError: if shapes disagree, a number is not finite, or fewer than 5 points
            have x in [0, 1].

    Source: our choice; Tabacof 2016 shows the hinge in its plots.

    Example:
        >>> from tfsemae import metrics
        >>> x = [0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0]
        >>> y = [1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2, 0.2]
        >>> fit = metrics.fit_hinge(x, y)
        >>> round(fit.position, 3), round(fit.slope, 3), round(fit.level, 3)
        (0.4, -2.0, 0.2)
    """
    x, y = _kept(x, y)
    ramps = np.minimum(x - _POSITIONS[:, np.newaxis], 0)  # [H, K]
    centred = ramps - ramps.mean(axis=1, keepdims=True)
    away = y - y.mean()
    variances = np.sum(centred**2, axis=1)
    # Where no point is below the hinge there is a level alone.
    slopes = np.divide(
        centred @ away, variances, out=np.zeros(len(ramps)), where=variances > 0
    )
    errors = np.mean((away - slopes[:, np.newaxis] * centred) ** 2, axis=1)
    best = int(np.argmin(errors))
    position = float(_POSITIONS[best])
    return Hinge(
        position=position,
        slope=float(slopes[best]),
        level=float(y.mean() - slopes[best] * ramps[best].mean()),
        rmse=float(np.sqrt(errors[best])),
        correlation=_correlation(x[x <= position], y[x <= position]),
    )


def logistic_rmse(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Root mean square error of the best logistic curve, for a sudden drop.

    The curve is `a + b / (1 + exp((x - m) / w))`. Of a curve without a drop the hinge,
    with a parameter less, has a smaller error.

    Args:
        x: see `fit_hinge`.
        y: see `fit_hinge`.

    Raises:
        ValueError: see `fit_hinge`.

    Source: our choice, for the claim of Tabacof 2016 that there is no sudden drop.
    """
    x, y = _kept(x, y)

    def errors(parameters: np.ndarray) -> np.ndarray:
        a, b, middle, log_width = parameters
        return a + b * special.expit((middle - x) / np.exp(log_width)) - y

    begin = [
        (y.min(), np.ptp(y), middle, np.log(width))
        for middle in np.quantile(x, [0.25, 0.5, 0.75])
        for width in _WIDTHS
    ]
    # A width of 1e-4 is a step; without a bound it would go to 0 for ever.
    bounds = ([-np.inf, -np.inf, -1, np.log(1e-4)], [np.inf, np.inf, 2, np.log(10)])
    found = [optimize.least_squares(errors, start, bounds=bounds) for start in begin]
    return float(np.sqrt(min(2 * each.cost for each in found) / len(x)))


def steepest_slope(x: npt.ArrayLike, y: npt.ArrayLike, *, width: float = 0.1) -> float:
    """The largest |slope| between the means of neighbouring bins of x.

    Args:
        x: see `fit_hinge`.
        y: see `fit_hinge`.
        width: of the bins, above 0; empty ones are left out.

    Returns:
        0 if all points are in one bin.

    Raises:
        ValueError: see `fit_hinge`, or if the width is not above 0.

    Source: our choice, see `logistic_rmse`.
    """
    if not width > 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}.")
    x, y = _kept(x, y)
    bins = np.floor(x / width).astype(int)
    means = np.array(
        [(x[bins == each].mean(), y[bins == each].mean()) for each in np.unique(bins)]
    )
    if len(means) < 2:
        return 0.0
    runs, rises = np.diff(means, axis=0).T
    return float(np.max(np.abs(rises / runs)))


def _kept(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = checked_pairs(x, y, ("x", "y"))
    kept = (x >= 0) & (x <= 1)
    if kept.sum() < _LEAST_POINTS:
        raise ValueError(
            f"`x` must have at least {_LEAST_POINTS} points in [0, 1]. "
            f"Received: {kept.sum()} of {len(x)}."
        )
    return x[kept], y[kept]


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
