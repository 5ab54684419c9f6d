"""Whether features tell classes from their words that were never trained together."""

import itertools

import numpy as np
import numpy.typing as npt
import scipy.linalg

from tfsemae import checks

#: Cosines that differ by less are equal.
_ROUNDING = 1e-9


def two_way_zero_shot_accuracy(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    words: npt.ArrayLike,
    *,
    ridge: float = 0.1,
) -> float:
    """Accuracy of the choice between two classes that a linear map has not seen.

    For each pair of classes, a ridge regression from features to words is fitted to
    all other classes, both centred by their means there. An example of the pair then
    counts as right if its image has a larger cosine with the word of its class than
    with the other, and half if both are equal.

    Args:
        features: `[N, ...]`, finite.
        labels: int `[N]`, C classes, at least 4.
        words: `[C, E]`, finite, of the classes by ascending label.
        ridge: above 0, in units of the mean variance of a feature.

    Returns:
        In [0, 1], the mean over the C (C - 1) / 2 pairs of the mean over the two
        classes. 0.5 is chance, also of features that are all equal, and of words that
        are rows of the identity matrix.

    Raises:
        ValueError: if shapes disagree, a number is not finite, there are too few
            classes, or `ridge` is out of its range.

    Source: our choice beside Kuang et al. 2023; Mitchell et al. 2008, "Predicting
    human brain activity associated with the meanings of nouns", for the two left out.

    Example:
        >>> import numpy as np
        >>> from tfsemae import metrics
        >>> words = np.array([[2, 0], [0, 2], [-2, 0], [0, -2], [1, 1]])
        >>> metrics.two_way_zero_shot_accuracy(words, np.arange(5), words)
        1.0
    """
    features, labels = checks.labelled(features, labels)
    words = checks.matrix(words, "words")
    classes, index = np.unique(labels, return_inverse=True)
    if len(classes) < 4 or len(words) != len(classes):
        raise ValueError(
            "`labels` must hold at least 4 classes, and `words` a row for each. "
            f"Received: {len(classes)} classes and {len(words)} words."
        )
    if not 0 < ridge < np.inf:
        raise ValueError(
            f"`ridge` must be finite and above 0. Received: ridge={ridge}."
        )
    features = checks.from_first(features)
    accuracies = [
        _accuracy(features, index, words, pair, ridge)
        for pair in itertools.combinations(range(len(classes)), 2)
    ]
    return float(np.mean(accuracies))


def _accuracy(
    features: np.ndarray,
    index: np.ndarray,
    words: np.ndarray,
    pair: tuple[int, int],
    ridge: float,
) -> float:
    """Of a map that is fitted without a pair of classes, on that pair."""
    seen = ~np.isin(index, pair)
    targets = words[index[seen]]
    mean, mean_word = features[seen].mean(axis=0), targets.mean(axis=0)
    weights = _ridge_regression(features[seen] - mean, targets - mean_word, ridge)
    choices = words[list(pair)] - mean_word
    norms = np.linalg.norm(choices, axis=1, keepdims=True)
    choices = np.divide(choices, norms, out=np.zeros_like(choices), where=norms > 0)
    right = []
    for place, label in enumerate(pair):
        images = (features[index == label] - mean) @ weights
        scores = images @ (choices[place] - choices[1 - place])
        least = _ROUNDING * np.linalg.norm(images, axis=1)
        right.append(np.mean((scores > least) + 0.5 * (np.abs(scores) <= least)))
    return float(np.mean(right))


def _ridge_regression(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Weights `[D, E]` of centred data."""
    gram = x.T @ x
    strength = ridge * np.trace(gram) / len(gram)
    if strength == 0:  # all features are equal
        return np.zeros((x.shape[1], y.shape[1]))
    gram[np.diag_indices_from(gram)] += strength
    return scipy.linalg.solve(gram, x.T @ y, assume_a="pos")
