"""Images given by a formula, so that tests know the answers."""

import numpy as np

from tfsemae.data.images import Images

SIDE = 28
CLASSES = 10
_SPOTS_PER_CLASS = {"train": 64, "test": 16}


def load(split: str) -> Images:
    """Computes Gaussian spots: the place is the class, the width is the image.

    Image `i` is of class `k = i % 10` and has, at row `r` and column `c`,

        255 * exp(-((r - y)**2 + (c - x)**2) / (2 * s**2)), rounded, with
        (y, x) = (13.5 - 9 * cos(2 pi k / 10), 13.5 + 9 * sin(2 pi k / 10)),
        s = 1 + (i // 10 + 0.5) / n pixels,

    that is, a clock face of ten hours. `n` is 64 spots per class in `train`
    and 16 in `test`; no width occurs in both.

    Args:
        split: `train` (640 images) or `test` (160 images).

    Returns:
        uint8 `[N, 28, 28, 1]` with labels 0 to 9.
    """
    spots = _SPOTS_PER_CLASS[split]
    index = np.arange(CLASSES * spots)
    labels = index % CLASSES
    width = 1 + (index // CLASSES + 0.5) / spots
    y, x = centres()[labels].T
    place = np.arange(SIDE)
    squares = (place[None, :, None] - y[:, None, None]) ** 2 + (
        place[None, None, :] - x[:, None, None]
    ) ** 2
    pixels = 255 * np.exp(-squares / (2 * width[:, None, None] ** 2))
    images = np.rint(pixels).astype(np.uint8)[..., None]
    return Images(images, labels, tuple(str(k) for k in range(CLASSES)))


def centres() -> np.ndarray:
    """The centre of each class' spot: float64 `[10, 2]`, row and column."""
    angle = 2 * np.pi * np.arange(CLASSES) / CLASSES
    middle = (SIDE - 1) / 2
    return np.stack([middle - 9 * np.cos(angle), middle + 9 * np.sin(angle)], axis=-1)
