"""Intervals over what was sampled: examples within a network, networks of seeds."""

from collections.abc import Iterable

import numpy as np

from tfsemae import statistics
from tfsemae.statistics import Interval, Statistic

_SEED, _RESAMPLES = 0, 1000  # of the bootstrap: equal resamples everywhere


def interval(statistic: Statistic, examples: int) -> Interval:
    """The bootstrap interval over examples; all have the same resamples."""
    return statistics.bootstrap_interval(
        statistic, examples, seed=_SEED, resamples=_RESAMPLES
    )


def hull(intervals: Iterable[Interval]) -> Interval:
    """Of an interval a seed: their mean effect, and from the lowest to the highest end.

    It lies beyond a bound where, and only where, that of each seed does.
    """
    effects, lows, highs = zip(*intervals, strict=True)
    return Interval(float(np.mean(effects)), min(lows), max(highs))


def independent_difference(first: Interval, second: Interval) -> Interval:
    """The difference of two effects that were measured on different images.

    Source: MOVER, Zou and Donner 2008, "Construction of confidence limits about effect
    measures".
    """
    effect = first.effect - second.effect
    below = np.hypot(first.effect - first.low, second.high - second.effect)
    above = np.hypot(first.high - first.effect, second.effect - second.low)
    return Interval(effect, float(effect - below), float(effect + above))
