"""Confidence interval and test of an effect."""

import statistics

import numpy as np
import numpy.typing as npt
from scipy import stats

from tfsemae.statistics.interval import Interval


def t_interval(differences: npt.ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Student's t-interval of the mean of paired differences.

    Computes `mean +- t * s / sqrt(n)`, with `s` the sample standard deviation
    (n - 1) and `t` the two-sided quantile at n - 1 degrees of freedom. Equal
    differences give exactly `low == effect == high`.

    Args:
        differences: finite `[n]`, n at least 2: one difference per pair, such as
            semantic minus vanilla at the same seed.
        confidence: coverage of the interval, in (0, 1).

    Returns:
        The mean of the differences and its interval, in their unit.

    Raises:
        ValueError: if there are fewer than 2 differences, one is not finite, or
            `confidence` is not in (0, 1).
    """
    values = _checked(differences)
    if not 0 < confidence < 1:
        raise ValueError(
            "`confidence` must be above 0 and below 1, such as 0.95. "
            f"Received: confidence={confidence}."
        )
    quantile = float(stats.t.ppf((1 + confidence) / 2, df=len(values) - 1))
    mean, error = _mean_and_error(values)
    return Interval(mean, mean - quantile * error, mean + quantile * error)


def t_test(differences: npt.ArrayLike, bound: float) -> float:
    """Two-sided p-value of Student's t-test that the mean difference is a bound.

    It is at most 0.05 where the 95 % `t_interval` does not contain the bound.

    Args:
        differences: as in `t_interval`.
        bound: the mean that is tested, in the unit of the differences.

    Returns:
        In [0, 1]; of equal differences 1 where they are the bound, else 0.

    Raises:
        ValueError: as `t_interval`.
    """
    values = _checked(differences)
    mean, error = _mean_and_error(values)
    if error == 0:
        return float(mean == bound)
    return float(2 * stats.t.sf(abs(mean - bound) / error, df=len(values) - 1))


def _mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    # The standard library adds as fractions, hence without rounding: the
    # deviation of equal numbers is zero, which NumPy does not promise.
    return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5


def _checked(differences: npt.ArrayLike) -> list[float]:
    differences = np.asarray(differences, dtype=np.float64)
    if differences.ndim != 1 or len(differences) < 2:
        raise ValueError(
            "`differences` must have the shape [n] with n at least 2. "
            f"Received: differences.shape={differences.shape}."
        )
    if not np.isfinite(differences).all():
        raise ValueError(
            f"`differences` must be finite. Received: differences={differences}."
        )
    return differences.tolist()
