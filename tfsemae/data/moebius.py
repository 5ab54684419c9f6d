"""Points of a Moebius strip in space, as images of one pixel and three channels."""

import numpy as np
import numpy.typing as npt

from tfsemae.data.images import Images

WIDTH = 0.8
_EXTENT = 1.5  # of the space that pixels cover, to each side
_POINTS = {"train": 4_000, "test": 1_000}
_SEEDS = {"train": 0, "test": 1}


def load(split: str) -> Images:
    """Draws points of a strip that is twisted by half a turn and closed.

    With an angle t, uniform from 0 to 2 pi, and a place w across the strip, uniform
    from -0.4 to 0.4, both of `parameters`, a point is

        ((1 + w cos(t / 2)) cos t, (1 + w cos(t / 2)) sin t, w sin(t / 2))

    A coordinate from -1.5 to 1.5 is a pixel from 0 to 1.

    Args:
        split: `train` (4,000 points) or `test` (1,000 points).

    Returns:
        float32 `[N, 1, 1, 3]` without labels.

    Source: ECE 417, lecture 22, has no such data; they show what a deep autoencoder
    can do that PCA cannot.
    """
    angle, place = parameters(split)
    radius = 1 + place * np.cos(angle / 2)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    found = np.stack([x, y, place * np.sin(angle / 2)], axis=-1)
    pixels = (found + _EXTENT) / (2 * _EXTENT)
    return Images(pixels.astype(np.float32)[:, np.newaxis, np.newaxis], None, ())


def parameters(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The angle of each point and its place across the strip, float64 `[N]` each."""
    random = np.random.default_rng(_SEEDS[split])
    angle = random.uniform(0, 2 * np.pi, _POINTS[split])
    return angle, random.uniform(-WIDTH / 2, WIDTH / 2, _POINTS[split])


def points(pixels: npt.ArrayLike) -> np.ndarray:
    """Coordinates of images, float64 `[N, 3]`.

    Args:
        pixels: `[N, 1, 1, 3]` in [0, 1].
    """
    flat = np.asarray(pixels, np.float64).reshape(-1, 3)
    return 2 * _EXTENT * flat - _EXTENT
