"""Bootstrap intervals over examples, and the statistics that they are made of.

A statistic is a function of counts `[R, N]`, how often each of N examples is in
each of R resamples, to R values. One that compares two things on the same
examples is the difference of two statistics.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.metrics import pairwise_distances

from tfsemae.metrics.intervals import Interval
from tfsemae.metrics.representation import labelled

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

    def of_indices(indices, axis):
        del axis  # the last one
        rows = indices.reshape(-1, examples)
        counts = np.stack([np.bincount(row, minlength=examples) for row in rows])
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

    def statistic(counts):
        counts = counts[:, defined]
        return counts @ values / counts.sum(axis=1)

    return statistic


def silhouette_statistic(codes: npt.ArrayLike, labels: npt.ArrayLike) -> Statistic:
    """The mean silhouette, `metrics.silhouette`, of resampled codes.

    Copies of one code do not count as each other's neighbours.

    Args:
        codes: `[N, ...]`, finite; memory grows with N**2.
        labels: int `[N]`, at least 2 classes.

    Raises:
        ValueError: if shapes disagree, a code is not finite, or the labels are
            all equal.
    """
    codes, labels, member = _by_class(codes, labels)
    distances = _of_each_class(pairwise_distances(codes), member)
    own = np.arange(len(labels)), labels

    def statistic(counts):
        sizes = counts @ member  # [R, C]
        sums = np.stack([counts[:, c] @ from_class for c, from_class in distances], 2)
        others = sizes[:, labels] - counts  # of the same class, without copies
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = sums[:, *own] / others
            means = sums / sizes[:, np.newaxis]
        means[:, *own] = np.inf
        means[np.isnan(means)] = np.inf  # a class that was not drawn
        outer = means.min(axis=2)
        largest = np.maximum(inner, outer)
        defined = (others > 0) & (largest > 0) & np.isfinite(outer)
        values = np.zeros_like(counts)
        np.divide(outer - inner, largest, out=values, where=defined)
        return np.sum(counts * values, axis=1) / counts.sum(axis=1)

    return statistic


def scatter_ratio_statistic(codes: npt.ArrayLike, labels: npt.ArrayLike) -> Statistic:
    """`metrics.scatter_ratio` of resampled codes, less what chance makes of it.

    That is (C - 1) / (n - C) for C classes, with n = (sum of counts)**2 / (sum of
    counts**2) as the effective number of codes. With it the intervals hold; without
    it each resampling adds the bias once more, and they lie too high.

    Args:
        codes: `[N, ...]`, finite, not all equal within each class.
        labels: int `[N]`, at least 2 classes.

    Raises:
        ValueError: if shapes disagree, a code is not finite, or the labels are
            all equal.
    """
    codes, _, member = _by_class(codes, labels)
    squares = np.sum(codes**2, axis=1)
    by_class = _of_each_class(codes, member)

    def statistic(counts):
        total = counts @ codes  # [R, D]
        sizes = np.maximum(counts @ member, 1)  # a class that was not drawn adds 0
        sums = np.stack([counts[:, c] @ of_class for c, of_class in by_class])
        explained = np.sum(np.sum(sums**2, axis=2).T / sizes, axis=1)
        between = explained - np.sum(total**2, axis=1) / counts.sum(axis=1)
        effective = counts.sum(axis=1) ** 2 / np.sum(counts**2, axis=1)
        classes = member.shape[1]
        chance = (classes - 1) / (effective - classes)
        return between / (counts @ squares - explained) - chance

    return statistic


def _by_class(codes, labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes `[N, D]`, labels from 0 on, and membership `[N, C]` as numbers."""
    codes, labels = labelled(codes, labels)
    codes = codes - codes[0]  # exactly zero where all are equal
    classes, labels = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            "`labels` must hold at least 2 classes. "
            f"Received: labels that are all {classes[0]}."
        )
    return codes, labels, np.eye(len(classes))[labels]


def _of_each_class(rows, member) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places and rows of each class: what others would multiply is 0."""
    return [(places, rows[places]) for places in map(np.flatnonzero, member.T)]
