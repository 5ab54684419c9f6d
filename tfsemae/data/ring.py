"""Points of the plane on a ring, as images of one pixel and two channels."""

import numpy as np
import numpy.typing as npt

from tfsemae.data.images import Images

CLASSES = 8
RADIUS, DEVIATION = 2.0, 0.05
_EXTENT = 2.5  # of the plane that pixels cover, to each side
_POINTS = {"train": 8_192, "test": 2_048}
_SEEDS = {"train": 0, "test": 1}


def load(split: str) -> Images:
    """Draws points of 8 normal distributions whose means lie on a circle.

    Point `i` is of class `k = i % 8`, with the mean `2 * (cos(2 pi k / 8), sin(2 pi k /
    8))` and the standard deviation 0.05 of each coordinate. A coordinate from -2.5 to
    2.5 is a pixel from 0 to 255, rounded, which adds 1 % to the variance.

    Args:
        split: `train` (8,192 points) or `test` (2,048 points).

    Returns:
        uint8 `[N, 1, 1, 2]` with labels 0 to 7.

    Source: ECE 417, lecture 22, has no such data; they show which modes a GAN finds.
    """
    count = _POINTS[split]
    labels = np.arange(count) % CLASSES
    noise = np.random.default_rng(_SEEDS[split]).normal(size=(count, 2))
    points = modes()[labels] + DEVIATION * noise
    pixels = np.rint(255 * (points + _EXTENT) / (2 * _EXTENT)).astype(np.uint8)
    names = tuple(str(k) for k in range(CLASSES))
    return Images(pixels[:, np.newaxis, np.newaxis], labels, names)


def modes() -> np.ndarray:
    """The means of the 8 distributions, float64 `[8, 2]`."""
    angle = 2 * np.pi * np.arange(CLASSES) / CLASSES
    return RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def points(pixels: npt.ArrayLike) -> np.ndarray:
    """Coordinates of images, float64 `[N, 2]`.

    Args:
        pixels: `[N, 1, 1, 2]` in [0, 1].
    """
    flat = np.asarray(pixels, np.float64).reshape(-1, 2)
    return 2 * _EXTENT * flat - _EXTENT
