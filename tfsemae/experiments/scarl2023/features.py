"""Features that attacks kept: correlations with words, similarities of classes.

Conditions are those of an attack, `clean` and `pgd20`. Words are a vector per class.
"""

import pathlib

import numpy as np

from tfsemae import metrics, run_folder
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.metrics.similarity import MantelTest

_RIDGE = 0.1
_PERMUTATIONS = 20
_SEED = 0


def compare(similarity: np.ndarray, words: np.ndarray) -> MantelTest:
    """Whether classes with the similarities `[C, C]` lie as their words `[C, E]` do."""
    of_words = metrics.class_similarity(words, np.arange(len(words)))
    return metrics.mantel_test(similarity, of_words, seed=_SEED)


class Features:
    """The features of a network: of test images, and of training images beside them."""

    def __init__(self, test: pathlib.Path, train: pathlib.Path, words: np.ndarray):
        """Opens what two attacks on the network wrote.

        Args:
            test: folder of the attack on test images.
            train: folder of that on training images.
            words: `[C, E]`.
        """
        self._test, self._train, self.words = test, train, words

    def robust_accuracy(self, condition: str) -> float:
        """Of the test images that are looked at, in [0, 1]."""
        return run_folder.read_metrics(self._test)[condition]["accuracy"]

    def heldout(self, condition: str) -> np.ndarray:
        """Correlations `[R]` along directions of training images, as attacked.

        They have no floor of overfitting, and are negative where a direction fails.
        """
        return self._along(condition, condition)

    def transfer(self, condition: str) -> np.ndarray:
        """Correlations `[R]` along directions of clean training images."""
        return self._along("clean", condition)

    def fitted(self, condition: str, words: np.ndarray | None = None) -> np.ndarray:
        """Correlations `[R]` of directions that are fitted to the same images.

        Args:
            condition: of the images.
            words: others than those of the network.
        """
        return metrics.canonical_correlations(*self._pair(self._test, condition, words))

    def ridge(self, condition: str) -> np.ndarray:
        """Correlations `[R]` of all features, shrunk by a ridge."""
        pair = self._pair(self._test, condition)
        return metrics.canonical_correlations(*pair, components=None, ridge=_RIDGE)

    def floor(self, condition: str) -> np.ndarray:
        """Fitted correlations `[R]` of permuted labels, a mean of 20."""
        found = metrics.permuted_correlations(
            *self._pair(self._test, condition), permutations=_PERMUTATIONS, seed=_SEED
        )
        return found.mean(axis=0)

    def similarity(self, condition: str, *, centred: bool = True) -> np.ndarray:
        """Cosines of the mean directions of classes, `[C, C]`."""
        features, labels = self._read(self._test, condition)
        return metrics.class_similarity(features, labels, centred=centred)

    def mantel(self, condition: str, *, centred: bool = True) -> MantelTest:
        """Whether the classes lie as their words do."""
        return compare(self.similarity(condition, centred=centred), self.words)

    def _along(self, fitted: str, condition: str) -> np.ndarray:
        directions = metrics.canonical_directions(*self._pair(self._train, fitted))
        return metrics.correlations_along(
            directions, *self._pair(self._test, condition)
        )

    def _pair(
        self, folder: pathlib.Path, condition: str, words: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features and the words of their labels, also of wrong answers."""
        features, labels = self._read(folder, condition)
        return features, (self.words if words is None else words)[labels]

    @staticmethod
    def _read(folder: pathlib.Path, condition: str) -> tuple[np.ndarray, np.ndarray]:
        with np.load(folder / MEASUREMENTS_FILE) as arrays:
            return arrays[f"{condition}/features"], arrays["labels"]
