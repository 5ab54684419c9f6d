"""The digits that come with scikit-learn, at the size of MNIST."""

import numpy as np
from sklearn import datasets

from tfsemae.data.images import Images

_SIDE = 28
_TRAIN = 1437


def load(split: str) -> Images:
    """Loads the 1,797 8x8 digits of scikit-learn, bilinear to 28x28.

    The resize is that of `tf.image.resize` (pixel centres at half integers,
    edges repeated). It is done in integers, so that the pixels are the same
    everywhere: an 8x8 value of 0 to 16 is scaled by 255/16 and rounded, halves
    up.

    Args:
        split: `train`, the first 1,437 images, or `test`, the last 360.

    Returns:
        uint8 `[N, 28, 28, 1]` with labels 0 to 9.
    """
    raw = datasets.load_digits()
    values = raw.images.astype(np.int64)  # integers, 0 to 16
    weights, unit = _bilinear(values.shape[1])
    # 16 times unit**2 is white.
    resized = np.einsum("ij,njk,lk->nil", weights, values, weights)
    white = 16 * unit**2
    pixels = (2 * 255 * resized + white) // (2 * white)
    images = pixels.astype(np.uint8)[..., None]
    labels = raw.target.astype(np.int64)
    part = slice(None, _TRAIN) if split == "train" else slice(_TRAIN, None)
    names = tuple(str(name) for name in raw.target_names)
    return Images(images[part], labels[part], names)


def _bilinear(side: int) -> tuple[np.ndarray, int]:
    """Interpolation weights from `side` to `_SIDE` pixels, times the unit.

    Returns:
        int64 `[_SIDE, side]` and the integer that each row sums to.
    """
    unit = 2 * _SIDE
    # Centre of each new pixel among the old ones, in units of 1 / unit.
    centre = (2 * np.arange(_SIDE) + 1) * side - _SIDE
    distance = np.abs(centre[:, None] - unit * np.arange(side)[None, :])
    weights = np.maximum(unit - distance, 0)
    # Beyond the outer centres the edge pixel is repeated.
    weights[centre < 0] = unit * (np.arange(side) == 0)
    weights[centre > unit * (side - 1)] = unit * (np.arange(side) == side - 1)
    return weights, unit
