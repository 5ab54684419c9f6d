"""Confidence intervals of an effect."""

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
    if not 0 < confidence < 1:
        raise ValueError(
            "`confidence` must be above 0 and below 1, such as 0.95. "
            f"Received: confidence={confidence}."
        )
    # The standard library adds as fractions, hence without rounding: the
    # deviation of equal numbers is zero, which NumPy does not promise.
    values = differences.tolist()
    mean = statistics.mean(values)
    quantile = stats.t.ppf((1 + confidence) / 2, df=len(values) - 1)
    half_width = float(quantile) * statistics.stdev(values) / len(values) ** 0.5
    return Interval(mean, mean - half_width, mean + half_width)
