"""LPIPS in evaluations, where a folder of its weights is given."""

import hashlib
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from tfsemae import metrics
from tfsemae.metrics import perceptual_weights
from tfsemae.metrics.perceptual_networks import LEAST_SIDE

_SIDE = 64  # to which smaller images are resized for AlexNet
NETS = ("squeeze", "alex")
_BATCH = 100

Distances = dict[str, metrics.LPIPSDistance]


def distances(
    weights_dir: str | None,
    image_shape: tuple[int, int, int],
    nets: Collection[str] = NETS,
) -> Distances:
    """The perceptual distances of images of a size.

    Args:
        weights_dir: see `metrics.LPIPSDistance`; None for no distances.
        image_shape: (H, W, C).
        nets: some of `NETS`.

    Returns:
        Of these `lpips_squeeze`, at the native size, and `lpips_alex`, of images
        resized to 64 x 64 if a side is shorter.

    Raises:
        ValueError: if weights are missing, damaged or other ones, or the images are
            too small.

    Source: Lu 2023, section 4; networks and sizes are not printed.
    """
    if weights_dir is None:
        return {}
    check_size(weights_dir, image_shape)
    side = min(image_shape[:2])
    resize = _SIDE if side < _SIDE else None
    resizes = {"squeeze": None, "alex": resize}
    return {
        f"lpips_{net}": metrics.LPIPSDistance(weights_dir, net, resize=resizes[net])
        for net in nets
    }


def check_size(weights_dir: str, image_shape: tuple[int, int, int]) -> None:
    """Raises ValueError if images (H, W, C) are too small for `distances`."""
    least = LEAST_SIDE["squeeze"]
    if min(image_shape[:2]) < least:
        raise ValueError(
            f"--weights_dir={weights_dir} is for LPIPS, which needs images of at least "
            f"{least} x {least} pixels. Leave it out. Received: images of the shape "
            f"{image_shape}."
        )


def digest(weights_dir: str | None) -> str:
    """SHA-256 of all the weights together, or `none`.

    Raises:
        ValueError: see `distances`.
    """
    if weights_dir is None:
        return "none"
    found: dict[str, str] = {}
    for net in NETS:
        found |= perceptual_weights.load(weights_dir, net).sha256
    lines = sorted(f"{name} {each}" for name, each in found.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def diversity(lpips: Distances, images: npt.ArrayLike) -> float:
    """Mean LPIPS (squeeze) of each image and the next one, of the last and the first.

    Args:
        lpips: of `distances`, not empty.
        images: floating `[N, H, W, C]`, at least 2.
    """
    images = np.asarray(images, np.float32)
    following = np.roll(images, -1, axis=0)
    found = [
        lpips["lpips_squeeze"](images[k : k + _BATCH], following[k : k + _BATCH])
        for k in range(0, len(images), _BATCH)
    ]
    return float(np.mean(np.concatenate(found)))
