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


def standard_error(values: np.ndarray) -> Interval:
    """The mean of seeds and examples, and one standard error about it.

    Both are samples, and all seeds have the same examples. With a the variance of the
    mean over seeds, b of that over examples, and c of what neither explains, computes
    `sqrt(a + b - c)`, where c is counted in both a and b; at least sqrt(a) and sqrt(b).

    Args:
        values: `[S, N]`, S and N at least 2.

    Returns:
        Mean, and mean less and plus the standard error.

    Source: analysis of variance with two crossed random factors, without interaction.
    """
    seeds, examples = values.shape
    of_seed, of_example = values.mean(axis=1), values.mean(axis=0)
    mean = float(values.mean())
    rest = values - of_seed[:, np.newaxis] - of_example + mean
    a = of_seed.var(ddof=1) / seeds
    b = of_example.var(ddof=1) / examples
    c = np.square(rest).sum() / ((seeds - 1) * (examples - 1)) / (seeds * examples)
    error = float(np.sqrt(max(a, b, a + b - c)))
    return Interval(mean, mean - error, mean + error)


def independent_difference(first: Interval, second: Interval) -> Interval:
    """The difference of two effects that were measured on different images.

    Source: MOVER, Zou and Donner 2008, "Construction of confidence limits about effect
    measures".
    """
    effect = first.effect - second.effect
    below = np.hypot(first.effect - first.low, second.high - second.effect)
    above = np.hypot(first.high - first.effect, second.effect - second.low)
    return Interval(effect, float(effect - below), float(effect + above))
