"""Class structure of latents: how well a representation separates its labels.

Latents come as NumPy arrays (or anything that converts) of shape `[N, ...]` and are
flattened to `[N, D]` float64; labels are integers `[N]`. All measures look at
Euclidean geometry only.
"""

import math

import numpy as np
import numpy.typing as npt

from tfsemae import checks
from tfsemae.metrics import distances

#: Scatter within classes below this share of the total is rounding error.
_ROUNDING = (4 * np.finfo(np.float64).eps) ** 2


def knn_accuracy(
    train_latents: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    latents: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    k: int = 10,
) -> float:
    """Accuracy of the vote among the `k` nearest training latents; higher is better.

    Distances are computed in blocks, so memory stays near that of the latents. Of
    labels with equally many votes the smallest wins.

    Args:
        train_latents: `[N, ...]`, finite, the latents that vote.
        train_labels: int `[N]`.
        latents: `[M, ...]`, finite, the latents that are classified.
        labels: int `[M]`; one that no training latent bears counts as an error.
        k: number of voters, 1 to N.

    Returns:
        Share of `latents` whose vote equals its label, in [0, 1].

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or `k` is not in
            1 to N.

    Source: Ming 2022, Fig. 4, which the 10-nearest-neighbour accuracy puts in
    numbers (our choice).
    """
    latents, labels = checks.labelled(latents, labels)
    votes = knn_predictions(train_latents, train_labels, latents, k=k)
    return float(np.mean(votes == labels))


def knn_predictions(
    train_latents: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    latents: npt.ArrayLike,
    *,
    k: int = 10,
) -> np.ndarray:
    """The vote of the `k` nearest training latents on each latent.

    Args:
        train_latents: `[N, ...]`, finite, the latents that vote.
        train_labels: int `[N]`.
        latents: `[M, ...]`, finite, the latents that are classified.
        k: number of voters, 1 to N.

    Returns:
        int `[M]`, the winning labels.

    Raises:
        ValueError: as `knn_accuracy`, which says more of the method.
    """
    train_latents, train_labels = checks.labelled(train_latents, train_labels, "train_")
    latents = checks.matrix(latents, "latents")
    checks.equal_width(train_latents, latents)
    if not 1 <= k <= len(train_latents):
        raise ValueError(
            "`k` must be between 1 and the number of training latents, "
            f"{len(train_latents)}. Received: k={k}."
        )
    classes, index = np.unique(train_labels, return_inverse=True)
    voters = index[distances.nearest(train_latents, latents, k)]
    places = voters + len(classes) * np.arange(len(latents))[:, np.newaxis]
    votes = np.bincount(places.ravel(), minlength=len(latents) * len(classes))
    return classes[votes.reshape(len(latents), -1).argmax(axis=1)]


def silhouette(latents: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean silhouette of the latents, grouped by label; higher is better.

    For a latent at mean distance `a` from its own class and `b` from the nearest
    other class the silhouette is `(b - a) / max(a, b)`; that of a latent alone in
    its class, or with `a = b = 0`, is 0.

    Args:
        latents: `[N, ...]`, finite. Time grows with N**2, memory does not.
        labels: int `[N]`, at least 2 and at most N - 1 classes.

    Returns:
        In [-1, 1]: 1 for classes that are distant points, 0 for classes that
        coincide.

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or the number of
            classes is not in 2 to N - 1.

    Source: Rousseeuw 1987, "Silhouettes: a graphical aid to the interpretation
    and validation of cluster analysis".
    """
    latents, labels = checks.labelled(latents, labels)
    classes = checks.class_count(labels, "labels")
    if classes == len(latents):
        raise ValueError(
            "`labels` must give some class more than one latent. "
            f"Received: {classes} classes of {len(latents)} latents."
        )
    _, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    member = np.eye(classes)[index]
    total = 0.0
    for rows, block in distances.blocks(latents):
        total += _silhouettes(block @ member, sizes, index[rows]).sum()
    return float(total / len(latents))


def _silhouettes(sums: np.ndarray, sizes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Silhouettes of latents.

    Args:
        sums: `[n, C]`, of the distances from a latent to all of a class.
        sizes: `[C]`, latents in each class.
        labels: int `[n]`, 0 to C - 1.

    Returns:
        float64 `[n]`; 0 of a latent that is alone in its class.
    """
    own = np.arange(len(labels)), labels
    others = sizes[labels] - 1  # of the same class
    means = sums / sizes
    means[own] = np.inf
    outer = means.min(axis=1)
    inner = sums[own] / np.maximum(others, 1)
    largest = np.maximum(inner, outer)
    defined = (others > 0) & (largest > 0)
    return np.divide(outer - inner, largest, out=np.zeros(len(labels)), where=defined)


def scatter_ratio(latents: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Between-class over within-class scatter of the latents; higher is better.

    With n_c latents of mean m_c in class c, and m the mean of all latents:

        sum_c{ n_c |m_c - m|**2 } / sum_c{ sum_i{ |x_ci - m_c|**2 } }

    which is the ratio of the traces of the two scatter matrices. It does not
    change under translation, rotation and uniform scaling of the latents. Labels
    that say nothing about the latents give about (classes - 1) / (N - classes).

    Args:
        latents: `[N, ...]`, finite.
        labels: int `[N]`, at least 2 classes.

    Returns:
        In [0, inf]: 0 if all classes have the same mean (also where all latents
        are equal); without bound as classes shrink to distinct points, inf there.

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or the labels are
            all equal.

    Source: Fukunaga 1990, "Introduction to statistical pattern recognition",
    class separability by scatter matrices.
    """
    latents, labels = checks.labelled(latents, labels)
    checks.class_count(labels, "labels")
    (latents,) = distances.scaled(latents)
    centres, index, residuals = _around_classes(latents, labels)
    member = np.eye(len(centres))[index]
    counts = member.sum(axis=0)
    shifts = (member.T @ residuals) / counts[:, np.newaxis]
    within = np.sum((residuals - shifts[index]) ** 2)
    means = centres + shifts
    between = counts @ np.sum((means - counts @ means / len(latents)) ** 2, axis=1)
    if within <= _ROUNDING * (between + within):
        return math.inf if between > 0 else 0.0
    return float(between / within)


def _around_classes(
    latents: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Splits latents into a centre for each class and what is left.

    Centres are medians that occur, so that equal latents leave exactly 0, and what
    is left keeps its digits where classes are far apart.

    Args:
        latents: float64 `[N, D]`.
        labels: int `[N]`.

    Returns:
        Centres `[C, D]`, of which the median of all latents is the origin; the class
        of each latent, int `[N]`; latents minus the centre of their class `[N, D]`.
    """
    classes, index = np.unique(labels, return_inverse=True)
    centres = np.stack(
        [distances.middle(latents[index == c]) for c in range(len(classes))]
    )
    return centres - distances.middle(latents), index, latents - centres[index]
