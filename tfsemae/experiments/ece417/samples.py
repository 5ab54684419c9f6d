"""Images that networks generate, and what a classifier makes of them."""

import pathlib
from collections.abc import Mapping

import numpy as np
from scipy import special

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ece417 import runs
from tfsemae.models import Classifier
from tfsemae.reports import figures
from tfsemae.reports.ledger import Picture

COUNT = 2_000  # samples that are judged
CONFIDENT = 0.9  # probability of a class from which on the classifier is sure
_SIDE = 8  # of a picture of samples
_BATCH = 500


class Judge:
    """A classifier of the data set that judges samples by their logits."""

    def __init__(self, work: Workspace):
        """Args: work: where the classifier was trained."""
        self._joint = Classifier.load(work.folder(runs.classifier(work.scale))).joint()

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The probability of each class, float64 `[N, K]`."""
        logits = self._predict(images)["logits"].astype(np.float64)
        return special.softmax(logits, axis=1)

    def features(self, images: np.ndarray) -> np.ndarray:
        """The features of each image, `[N, D]`."""
        return self._predict(images)["features"]

    def confident(self, images: np.ndarray) -> np.ndarray:
        """Whether it gives a class more than 0.9, float64 `[N]`: 1 or 0."""
        return (self.probabilities(images).max(axis=1) > CONFIDENT).astype(np.float64)

    def _predict(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        shown = np.clip(images, 0, 1)
        return self._joint.predict(shown, batch_size=_BATCH, verbose=0)


def draw(samples: np.ndarray, path: pathlib.Path, caption: str) -> Picture:
    """Draws the first 64 samples, 8 x 8."""
    rows = np.split(np.clip(samples[: _SIDE**2], 0, 1), _SIDE)
    figures.image_grid([("", each) for each in rows], path)
    return Picture(file=path.name, caption=caption)
