"""Figures over images with their bootstrap intervals."""

import math
from collections.abc import Callable

import numpy as np

from tfsemae import statistics
from tfsemae.audit.report import Distance, Estimate

_RESAMPLES = 500
LOW_SHARE = 0.05


def mean(values: np.ndarray, seed: int = 0) -> Estimate:
    """The mean over the images of which it is finite."""
    values = values[np.isfinite(values)]
    if not len(values):
        return Estimate(value=None)
    return of(statistics.mean_statistic(values), len(values), seed)


def quantile(values: np.ndarray, share: float = 0.5, seed: int = 0) -> Estimate:
    """A quantile of values of which some may be infinite."""
    return of(statistics.quantile_statistic(values, share), len(values), seed)


def lower_median(values: np.ndarray) -> np.ndarray:
    """The value of `quantile` along the first axis; infinite ones are allowed."""
    return np.sort(values, axis=0)[(len(values) - 1) // 2]


def of(
    statistic: Callable[[np.ndarray], np.ndarray], count: int, seed: int = 0
) -> Estimate:
    """A statistic of counts with its interval; see `statistics.bootstrap_interval`."""
    if count < 2:
        return Estimate(value=_finite(statistic(np.ones((1, count)))[0]))

    def bounded(counts: np.ndarray) -> np.ndarray:
        # Percentiles between infinite values would be NaN.
        return np.minimum(statistic(counts), _HUGE)

    found = statistics.bootstrap_interval(
        bounded, count, seed=seed, resamples=_RESAMPLES
    )
    return Estimate(
        value=_finite(found.effect), low=_finite(found.low), high=_finite(found.high)
    )


def distance(
    norms: np.ndarray, share: float, spread: float, power: float, seed: int = 0
) -> Distance:
    """A quantile of perturbations in all units.

    Args:
        norms: `[N]`, L2; infinite where there is none.
        share: of the quantile.
        spread: of what is perturbed.
        power: mean squared norm of what is perturbed.
        seed: of the bootstrap.
    """
    absolute = quantile(norms, share, seed)

    def mapped(change: Callable[[float], float]) -> Estimate:
        given = (absolute.value, absolute.low, absolute.high)
        value, low, high = (
            None if each is None or each <= 0 else change(each) for each in given
        )
        return Estimate(value=value, low=low, high=high)

    return Distance(
        absolute=absolute,
        deviations=mapped(lambda norm: norm / spread),
        decibel=mapped(lambda norm: 20 * math.log10(norm / math.sqrt(power))),
    )


_HUGE = 1e30


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) and abs(value) < _HUGE / 10 else None
