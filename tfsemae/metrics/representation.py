"""Class structure of codes: how well a representation separates its labels.

Codes come as NumPy arrays (or anything that converts) of shape `[N, ...]` and are
flattened to `[N, D]` float64; labels are integers `[N]`. All measures look at
Euclidean geometry only.
"""

import math

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits


def knn_accuracy(
    train_codes: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    codes: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    k: int = 10,
) -> float:
    """Accuracy of the vote among the `k` nearest training codes; higher is better.

    Distances are computed in blocks, so memory stays near that of the codes. Of
    labels with equally many votes the smallest wins.

    Args:
        train_codes: `[N, ...]`, finite, the codes that vote.
        train_labels: int `[N]`.
        codes: `[M, ...]`, finite, the codes that are classified.
        labels: int `[M]`; one that no training code bears counts as an error.
        k: number of voters, 1 to N.

    Returns:
        Share of `codes` whose vote equals its label, in [0, 1].

    Raises:
        ValueError: if shapes disagree, a code is not finite, or `k` is not in
            1 to N.

    Source: Ming 2022, Fig. 4, which the 10-nearest-neighbour accuracy puts in
    numbers (our choice).
    """
    codes, labels = labelled(codes, labels)
    votes = knn_predictions(train_codes, train_labels, codes, k=k)
    return float(np.mean(votes == labels))


def knn_predictions(
    train_codes: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    codes: npt.ArrayLike,
    *,
    k: int = 10,
) -> np.ndarray:
    """The vote of the `k` nearest training codes on each code.

    Args:
        train_codes: `[N, ...]`, finite, the codes that vote.
        train_labels: int `[N]`.
        codes: `[M, ...]`, finite, the codes that are classified.
        k: number of voters, 1 to N.

    Returns:
        int `[M]`, the winning labels.

    Raises:
        ValueError: as `knn_accuracy`, which says more of the method.
    """
    train_codes, train_labels = labelled(train_codes, train_labels, "train_")
    codes = _matrix(codes, "codes")
    _check_equal_width(train_codes, codes)
    if not 1 <= k <= len(train_codes):
        raise ValueError(
            "`k` must be between 1 and the number of training codes, "
            f"{len(train_codes)}. Received: k={k}."
        )
    classifier = KNeighborsClassifier(n_neighbors=k, algorithm="brute")
    return classifier.fit(train_codes, train_labels).predict(codes)


def linear_probe_accuracy(
    train_codes: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    codes: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> float:
    """Accuracy of a linear classifier fitted on training codes; higher is better.

    Multinomial logistic regression on features standardised by the training
    codes, a standard normal prior on the weights (L2 penalty, C = 1), solved by
    L-BFGS from zero weights until no component of the gradient of the mean loss
    exceeds 1e-5: 140 to 260 iterations for 60,000 codes of 196 features. There
    the accuracy has settled to 2e-4, which it has not at scikit-learn's 1e-4.

    Args:
        train_codes: `[N, ...]`, finite.
        train_labels: int `[N]`, at least 2 classes.
        codes: `[M, ...]`, finite.
        labels: int `[M]`; one that no training code bears counts as an error.

    Returns:
        Share of `codes` classified as labelled, in [0, 1].

    Raises:
        ValueError: if shapes disagree, a code is not finite, or the training
            labels are all equal.

    Source: Ming 2022, section III, as a measure of linear separability (our
    choice).
    """
    codes, labels = labelled(codes, labels)
    predictions = linear_probe_predictions(train_codes, train_labels, codes)
    return float(np.mean(predictions == labels))


def linear_probe_predictions(
    train_codes: npt.ArrayLike, train_labels: npt.ArrayLike, codes: npt.ArrayLike
) -> np.ndarray:
    """The classes that a linear classifier fitted on training codes gives to codes.

    Args:
        train_codes: `[N, ...]`, finite.
        train_labels: int `[N]`, at least 2 classes.
        codes: `[M, ...]`, finite.

    Returns:
        int `[M]`.

    Raises:
        ValueError: as `linear_probe_accuracy`, which says more of the method.
    """
    train_codes, train_labels = labelled(train_codes, train_labels, "train_")
    codes = _matrix(codes, "codes")
    _check_equal_width(train_codes, codes)
    _class_count(train_labels, "train_labels")
    scaler = StandardScaler().fit(train_codes)
    probe = LogisticRegression(C=1.0, tol=1e-5, max_iter=2000)
    # The matrices are narrow: threads gain little, and on a busy machine they wait
    # for each other ten times as long. Nor does their number change the result.
    with threadpool_limits(limits=1):
        probe.fit(scaler.transform(train_codes), train_labels)
    return probe.predict(scaler.transform(codes))


def silhouette(codes: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean silhouette of the codes, grouped by label; higher is better.

    For a code at mean distance `a` from its own class and `b` from the nearest
    other class the silhouette is `(b - a) / max(a, b)`; that of a code alone in
    its class, or with `a = b = 0`, is 0.

    Args:
        codes: `[N, ...]`, finite. Time grows with N**2, memory does not.
        labels: int `[N]`, at least 2 and at most N - 1 classes.

    Returns:
        In [-1, 1]: 1 for classes that are distant points, 0 for classes that
        coincide.

    Raises:
        ValueError: if shapes disagree, a code is not finite, or the number of
            classes is not in 2 to N - 1.

    Source: Rousseeuw 1987, "Silhouettes: a graphical aid to the interpretation
    and validation of cluster analysis".
    """
    codes, labels = labelled(codes, labels)
    classes = _class_count(labels, "labels")
    if classes == len(codes):
        raise ValueError(
            "`labels` must give some class more than one code. "
            f"Received: {classes} classes of {len(codes)} codes."
        )
    # Blocks of 64 MB stay nearer to the cache than the default of 1 GB.
    with sklearn.config_context(working_memory=64):
        return float(silhouette_score(_centered(codes), labels))


def scatter_ratio(codes: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Between-class over within-class scatter of the codes; higher is better.

    With n_c codes of mean m_c in class c, and m the mean of all codes:

        sum_c{ n_c |m_c - m|**2 } / sum_c{ sum_i{ |x_ci - m_c|**2 } }

    which is the ratio of the traces of the two scatter matrices. It does not
    change under translation, rotation and uniform scaling of the codes. Labels
    that say nothing about the codes give about (classes - 1) / (N - classes).

    Args:
        codes: `[N, ...]`, finite.
        labels: int `[N]`, at least 2 classes.

    Returns:
        In [0, inf]: 0 if all classes have the same mean (also where all codes
        are equal); without bound as classes shrink to distinct points, inf there.

    Raises:
        ValueError: if shapes disagree, a code is not finite, or the labels are
            all equal.

    Source: Fukunaga 1990, "Introduction to statistical pattern recognition",
    class separability by scatter matrices.
    """
    codes, labels = labelled(codes, labels)
    _class_count(labels, "labels")
    codes = _centered(codes)
    classes, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    means = np.stack([codes[labels == c].mean(axis=0) for c in classes])
    between = counts @ np.sum((means - codes.mean(axis=0)) ** 2, axis=1)
    within = np.sum((codes - means[index]) ** 2)
    if between == 0:
        return 0.0
    return float(between / within) if within > 0 else math.inf


def tsne(codes: npt.ArrayLike, *, seed: int, perplexity: float = 30.0) -> np.ndarray:
    """Plane map of the codes by t-SNE, to be looked at, not measured.

    Starts from the first two principal components and runs on one thread, as the
    order of a parallel sum is not fixed: equal codes and seed give equal maps,
    whatever the number of cores. 2,000 codes take some seconds.

    Args:
        codes: `[N, ...]`, finite, not all equal; at least 2 features.
        seed: 0 to 2**32 - 1; has an effect only where the principal components
            are found by a randomised method (many codes of many features).
        perplexity: effective number of neighbours, in (0, N).

    Returns:
        float32 `[N, 2]`, without units; a uniform scaling of the codes does not
        change it beyond rounding.

    Raises:
        ValueError: if a code is not finite, all codes are equal, there are fewer
            than 2 features, or `perplexity` is not in (0, N).

    Source: Ming 2022, Figs. 4 and 6; perplexity 30 is our choice.
    """
    codes = _matrix(codes, "codes")
    if codes.shape[1] < 2:
        raise ValueError(
            "`codes` must have at least 2 features to be mapped to the plane. "
            f"Received: codes of {codes.shape[1]} feature."
        )
    if not 0 < perplexity < len(codes):
        raise ValueError(
            "`perplexity` must be positive and below the number of codes, "
            f"{len(codes)}. Received: perplexity={perplexity}."
        )
    codes = _centered(codes)
    span = np.abs(codes).max()
    if span == 0:
        raise ValueError(
            "`codes` must not be all equal; there is nothing to map. "
            f"Received: {len(codes)} times the same code."
        )
    model = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    with threadpool_limits(limits=1):
        # scikit-learn crashes where codes are so small that they vanish in the
        # float32 of its start; the map does not depend on their scale.
        return model.fit_transform(codes / span)


def labelled(
    codes: npt.ArrayLike, labels: npt.ArrayLike, prefix: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Checks codes and their labels.

    Args:
        codes: `[N, ...]`.
        labels: int `[N]`.
        prefix: of both names in a message.

    Returns:
        float64 `[N, D]` and the labels.

    Raises:
        ValueError: if they do not fit each other, or a code is not finite.
    """
    codes = _matrix(codes, f"{prefix}codes")
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"`{prefix}labels` must be integers. "
            f"Received: {prefix}labels.dtype={labels.dtype}."
        )
    if labels.shape != (len(codes),):
        raise ValueError(
            f"`{prefix}labels` must have the shape ({len(codes)},), a label for "
            f"each code. Received: {prefix}labels.shape={labels.shape}."
        )
    return codes, labels


def _matrix(codes: npt.ArrayLike, name: str) -> np.ndarray:
    codes = np.asarray(codes, dtype=np.float64)
    if codes.ndim == 0 or codes.size == 0:
        raise ValueError(
            f"`{name}` must have the shape [N, ...] and not be empty. "
            f"Received: {name}.shape={codes.shape}."
        )
    codes = codes.reshape(len(codes), -1)
    finite = np.isfinite(codes).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in "
            f"{np.sum(~finite)} of {len(codes)} rows, first in row "
            f"{np.argmin(finite)}."
        )
    return codes


def _check_equal_width(train_codes: np.ndarray, codes: np.ndarray) -> None:
    if train_codes.shape[1] != codes.shape[1]:
        raise ValueError(
            "`train_codes` and `codes` must have equally many features. "
            f"Received: {train_codes.shape[1]} and {codes.shape[1]}."
        )


def _class_count(labels: np.ndarray, name: str) -> int:
    classes = len(np.unique(labels))
    if classes < 2:
        raise ValueError(
            f"`{name}` must hold at least 2 classes. "
            f"Received: {name} that are all {labels[0]}."
        )
    return classes


def _centered(codes: np.ndarray) -> np.ndarray:
    # Not the mean, which is rounded: from the first code, codes of a collapsed
    # encoder are exactly zero, and no measure is made of rounding errors.
    return codes - codes[0]
