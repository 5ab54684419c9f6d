"""The images that a caller gives, as the package holds them."""

import math

import numpy as np
import numpy.typing as npt

from tfsemae import data
from tfsemae.audit.endpoints import Range
from tfsemae.progress import note


def images(
    given: npt.ArrayLike, labels: npt.ArrayLike | None, value_range: Range | None
) -> data.Images:
    """Images in [0, 1] and labels.

    Args:
        given: `[N, H, W, C]`, uint8, or floating in [0, 1] or in the model's range.
        labels: int `[N]`, or None.
        value_range: of the model, or None: floating images with numbers below 0 are
            then in [-1, 1], with numbers above 1 in [0, 255].

    Raises:
        ValueError: if they are no images, or not in that range.
    """
    array = np.asarray(given)
    if array.ndim != 4 or 0 in array.shape:
        remedy = ""
        if array.ndim == 3 and 0 not in array.shape:
            remedy = (
                " Grey images [N, H, W] need their channel, images[..., None]. Signals "
                "[N, T, C] are images of one row, images[:, None], whose damage is "
                "stated by mse:0.02 or the like."
            )
        raise ValueError(
            "The images must have the shape [N, H, W, C], none of them 0. "
            f"Received: {array.shape}.{remedy}"
        )
    if array.dtype != np.uint8:
        if not np.issubdtype(array.dtype, np.floating):
            raise ValueError(
                "The images must be uint8 (0 to 255) or floating; convert them, as by "
                f"images.astype(np.uint8). Received: dtype={array.dtype}."
            )
        array = _to_unit_range(array.astype(np.float32), value_range)
    if labels is None:
        return data.Images(array, None, ())
    numbers, places = np.unique(np.asarray(labels), return_inverse=True)
    if places.shape != array.shape[:1]:
        raise ValueError(
            "`labels` must hold one label for each image. Received: shape="
            f"{np.shape(labels)} for {len(array)} images."
        )
    return data.Images(array, places.astype(np.int64), tuple(map(str, numbers)))


def _to_unit_range(array: np.ndarray, value_range: Range | None) -> np.ndarray:
    low, high = float(array.min()), float(array.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("`images` must be finite. Received: NaN or infinity.")
    if low >= 0 and high <= 1:
        return array
    if value_range is None:
        value_range = (-1.0, 1.0) if low < 0 else (0.0, 255.0)
        note(
            f"Images from {low:g} to {high:g} are taken to be in "
            f"[{value_range[0]:g}, {value_range[1]:g}]."
        )
    if low < value_range[0] or high > value_range[1]:
        raise ValueError(
            "`images` must lie within the value range "
            f"[{value_range[0]:g}, {value_range[1]:g}] or within [0, 1]. "
            f"Received: {low:g} to {high:g}."
        )
    found = (array - value_range[0]) / (value_range[1] - value_range[0])
    return np.clip(found, 0, 1).astype(np.float32)
