"""What the lecture's artefacts share: errors of images, and effects of claims."""

import csv
import pathlib
from collections.abc import Callable

import numpy as np

from tfsemae import data, statistics
from tfsemae.experiments import intervals
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ece417 import scales
from tfsemae.models import Autoencoder
from tfsemae.statistics import Interval

_BATCH = 1_000
OVER_IMAGES = "of one network; 95 % bootstrap interval over images"

Reconstruct = Callable[[np.ndarray], np.ndarray]


def load(work: Workspace, split: str) -> data.Images:
    """The images of a scale."""
    name = scales.SCALES[work.scale].dataset
    return data.load(name, split, data_dir=work.data_dir)


def reconstruction(autoencoder: Autoencoder) -> Reconstruct:
    """The reconstruction of images as a function of arrays."""
    both = autoencoder.joint()

    def reconstruct(images: np.ndarray) -> np.ndarray:
        return both.predict(images, batch_size=_BATCH, verbose=0)["reconstruction"]

    return reconstruct


def squared_errors(images: np.ndarray, reconstruct: Reconstruct) -> np.ndarray:
    """`|x - x^|**2` of each image, float64 `[N]`."""
    parts = [
        np.sum((part - reconstruct(part)) ** 2.0, axis=(1, 2, 3), dtype=np.float64)
        for part in np.split(images, range(_BATCH, len(images), _BATCH))
    ]
    return np.concatenate(parts)


def over_images(values: np.ndarray) -> Interval:
    """The mean and its bootstrap interval."""
    return intervals.interval(statistics.mean_statistic(values), len(values))


def relative(values: np.ndarray, others: np.ndarray) -> Interval:
    """How much larger the mean is than that of others, %, of the same images."""

    def statistic(counts: np.ndarray) -> np.ndarray:
        return 100 * (counts @ values / (counts @ others) - 1)

    return intervals.interval(statistic, len(values))


def exactly(value: float) -> Interval:
    """A number that was not sampled."""
    return Interval(float(value), float(value), float(value))


def log(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """The columns of the log of a training, float64 `[intervals]` each."""
    with open(folder / "log.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
