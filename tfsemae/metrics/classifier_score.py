"""How surely and how evenly a classifier names images, as the Inception Score has it.

With the Inception network of 2015 it is that score; with any other classifier it is
another number, to be compared under the same classifier only.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

_ROUNDING = 1e-3  # that the sum of a row of probabilities may have


class Score(NamedTuple):
    """A score over splits of the examples.

    Attributes:
        mean: over the splits, in [1, K].
        deviation: standard deviation over the splits (dividing by their number).
    """

    mean: float
    deviation: float


class ClassifierScore:
    """Sums class probabilities that come in batches; `result` is their score.

    Computes of each split `exp( mean_i KL(p(y|x_i) || p(y)) )`, where p(y) is the mean
    of p(y|x_i) over the split. It is 1 if all rows are equal, and K if each row names
    one of the K classes for sure and all classes come equally often. Higher is better.

    Example i, counted from 0, belongs to the split i modulo their number: so the number
    of examples need not be known, and sorted examples are spread over all splits.

    Source: Salimans et al. 2016, "Improved techniques for training GANs", section 4.

    Example:
        >>> from tfsemae import metrics
        >>> score = metrics.ClassifierScore(splits=1)
        >>> score.update([[1.0, 0.0], [0.0, 1.0]])
        >>> score.update([[0.5, 0.5]])
        >>> round(score.result().mean ** 3, 6)  # exp{(ln 2 + ln 2 + 0) / 3}
        4.0
    """

    def __init__(self, splits: int = 10):
        """Starts with no examples.

        Args:
            splits: their number.

        Raises:
            ValueError: if it is below 1.
        """
        if splits < 1:
            raise ValueError(f"`splits` must be at least 1. Received: splits={splits}.")
        self._splits = splits
        self._seen = 0
        self._counts = np.zeros(splits, dtype=np.int64)
        self._sums = np.zeros((splits, 0))  # of probabilities
        self._negentropy = np.zeros(splits)  # sums of p log p

    def update(self, probabilities: npt.ArrayLike) -> None:
        """Adds a batch.

        Args:
            probabilities: `[B, K]`, p(y|x), rows that sum to 1; K is that of the first
                batch.

        Raises:
            ValueError: if the shape is another, or a row is no distribution; then
                nothing is added.
        """
        rows = np.asarray(probabilities, dtype=np.float64)
        classes = self._sums.shape[1]
        if rows.ndim != 2 or rows.shape[1] < 2 or classes not in (0, rows.shape[1]):
            raise ValueError(
                "`probabilities` must have the shape [B, K], K at least 2 and that of "
                f"the first batch. Received: probabilities.shape={rows.shape}."
            )
        # Of NaN, no comparison holds.
        sums_to_one = np.abs(rows.sum(axis=1) - 1) <= _ROUNDING
        good = (rows >= 0).all(axis=1) & sums_to_one
        if not good.all():
            raise ValueError(
                "`probabilities` must be at least 0 and sum to 1 in each row. "
                f"Received: {np.sum(~good)} other rows of {len(rows)}."
            )
        if not classes:
            self._sums = np.zeros((self._splits, rows.shape[1]))
        split = (self._seen + np.arange(len(rows))) % self._splits
        self._seen += len(rows)
        np.add.at(self._counts, split, 1)
        np.add.at(self._sums, split, rows)
        np.add.at(self._negentropy, split, special.xlogy(rows, rows).sum(axis=1))

    @property
    def count(self) -> int:
        """The number of examples that were added."""
        return self._seen

    def result(self) -> Score:
        """The score of all examples so far.

        Raises:
            ValueError: if a split has no example.
        """
        if self._seen < self._splits:
            raise ValueError(
                f"{self._splits} splits need at least as many examples. "
                f"Received: {self._seen}."
            )
        counts = self._counts[:, np.newaxis]
        # mean_i KL = mean_i sum_k p log p - sum_k p(y) log p(y)
        marginal = special.xlogy(self._sums, self._sums / counts).sum(axis=1)
        divergence = (self._negentropy - marginal) / self._counts
        scores = np.exp(np.maximum(divergence, 0))  # below 0 by rounding alone
        return Score(float(scores.mean()), float(scores.std()))


def classifier_score(batches: Iterable[npt.ArrayLike], splits: int = 10) -> Score:
    """The score of class probabilities; see `ClassifierScore`.

    Args:
        batches: arrays `[B, K]`, such as `[probabilities]`.
        splits: their number.

    Raises:
        ValueError: see `ClassifierScore`.

    Example:
        >>> import numpy as np
        >>> from tfsemae import metrics
        >>> metrics.classifier_score([np.eye(4)], splits=1)
        Score(mean=4.0, deviation=0.0)
    """
    score = ClassifierScore(splits)
    for probabilities in batches:
        score.update(probabilities)
    return score.result()
