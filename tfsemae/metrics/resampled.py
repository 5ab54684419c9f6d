"""Measures of class structure as statistics of resampled latents."""

import numpy as np
import numpy.typing as npt

from tfsemae import checks
from tfsemae.metrics import distances, representation
from tfsemae.statistics.bootstrap import Statistic

#: A difference of two sums below this share of them is rounding error.
_ROUNDING = 1e-14


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
    from_classes = _of_each_class(distances.pairwise(latents), member)

    def statistic(counts: np.ndarray) -> np.ndarray:
        sums = np.stack([counts[:, c] @ rows for c, rows in from_classes], axis=2)
        values = representation.silhouettes(sums, counts @ member, labels, counts)
        return np.sum(counts * values, axis=1) / counts.sum(axis=1)

    return statistic


def scatter_ratio_statistic(latents: npt.ArrayLike, labels: npt.ArrayLike) -> Statistic:
    """`metrics.scatter_ratio` of resampled latents, less what chance makes of it.

    That is (C - 1) / (n - C) for C classes, with n = (sum of counts)**2 / (sum of
    counts**2) as the effective number of latents. With it the intervals hold; without
    it each resampling adds the bias once more, and they lie too high.

    Args:
        latents: `[N, ...]`, finite.
        labels: int `[N]`, at least 2 classes.

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or the labels are
            all equal.
    """
    latents, labels, member = _by_class(latents, labels)
    (latents,) = distances.scaled(latents)
    centres, _, residuals = representation.around_classes(latents, labels)
    squares = np.sum(residuals**2, axis=1)
    by_class = _of_each_class(residuals, member)

    def statistic(counts: np.ndarray) -> np.ndarray:
        sizes = counts @ member
        sums = np.stack([counts[:, c] @ rows for c, rows in by_class], axis=1)
        shifts = sums / np.maximum(sizes, 1)[..., np.newaxis]  # [R, C, D]
        within = counts @ squares - np.einsum("rcd,rcd->r", sums, shifts)
        within[within < _ROUNDING * (counts @ squares)] = 0
        means = centres + shifts
        mean = np.einsum("rc,rcd->rd", sizes, means) / sizes.sum(axis=1, keepdims=True)
        spread = np.sum((means - mean[:, np.newaxis]) ** 2, axis=2)
        between = np.einsum("rc,rc->r", sizes, spread)
        effective = counts.sum(axis=1) ** 2 / np.sum(counts**2, axis=1)
        classes = len(centres)
        chance = (classes - 1) / (effective - classes)
        return representation.ratio_of_scatters(between, within) - chance

    return statistic


def _by_class(
    latents: npt.ArrayLike, labels: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents `[N, D]`, labels from 0 on, and membership `[N, C]` as numbers."""
    latents, labels = checks.labelled(latents, labels)
    classes = checks.class_count(labels, "labels")
    labels = np.unique(labels, return_inverse=True)[1]
    return latents, labels, np.eye(classes)[labels]


def _of_each_class(
    rows: np.ndarray, member: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places and rows of each class: what others would multiply is 0."""
    return [(places, rows[places]) for places in map(np.flatnonzero, member.T)]
