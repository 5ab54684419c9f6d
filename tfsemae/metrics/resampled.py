"""Measures of class structure as statistics of resampled latents."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import pairwise_distances

from tfsemae import checks
from tfsemae.statistics.bootstrap import Statistic


def silhouette_statistic(latents: npt.ArrayLike, labels: npt.ArrayLike) -> Statistic:
    """The mean silhouette, `metrics.silhouette`, of resampled latents.

    Copies of one latent do not count as each other's neighbours.

    Args:
        latents: `[N, ...]`, finite; memory grows with N**2.
        labels: int `[N]`, at least 2 classes.

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or the labels are
            all equal.
    """
    latents, labels, member = _by_class(latents, labels)
    distances = _of_each_class(pairwise_distances(latents), member)
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


def scatter_ratio_statistic(latents: npt.ArrayLike, labels: npt.ArrayLike) -> Statistic:
    """`metrics.scatter_ratio` of resampled latents, less what chance makes of it.

    That is (C - 1) / (n - C) for C classes, with n = (sum of counts)**2 / (sum of
    counts**2) as the effective number of latents. With it the intervals hold; without
    it each resampling adds the bias once more, and they lie too high.

    Args:
        latents: `[N, ...]`, finite, not all equal within each class.
        labels: int `[N]`, at least 2 classes.

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or the labels are
            all equal.
    """
    latents, _, member = _by_class(latents, labels)
    squares = np.sum(latents**2, axis=1)
    by_class = _of_each_class(latents, member)

    def statistic(counts):
        total = counts @ latents  # [R, D]
        sizes = np.maximum(counts @ member, 1)  # a class that was not drawn adds 0
        sums = np.stack([counts[:, c] @ of_class for c, of_class in by_class])
        explained = np.sum(np.sum(sums**2, axis=2).T / sizes, axis=1)
        between = explained - np.sum(total**2, axis=1) / counts.sum(axis=1)
        effective = counts.sum(axis=1) ** 2 / np.sum(counts**2, axis=1)
        classes = member.shape[1]
        chance = (classes - 1) / (effective - classes)
        return between / (counts @ squares - explained) - chance

    return statistic


def _by_class(latents, labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents `[N, D]`, labels from 0 on, and membership `[N, C]` as numbers."""
    latents, labels = checks.labelled(latents, labels)
    latents = latents - latents[0]  # exactly zero where all are equal
    classes, labels = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            "`labels` must hold at least 2 classes. "
            f"Received: labels that are all {classes[0]}."
        )
    return latents, labels, np.eye(len(classes))[labels]


def _of_each_class(rows, member) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places and rows of each class: what others would multiply is 0."""
    return [(places, rows[places]) for places in map(np.flatnonzero, member.T)]
