"""Files of LPIPS weights: their names, digests and arrays.

A trunk has the convolutions of an ImageNet classifier of torchvision, a head one
vector of weights per feature map. The files are `.npz`, as `numpy.savez` writes them
from float32 arrays in the order of `NETS` here. Kernels are in the layout of PyTorch:
outputs, inputs, height, width.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import numpy as np

from tfsemae import files, npz

Arrays: TypeAlias = dict[str, np.ndarray]
Shapes: TypeAlias = dict[str, tuple[int, ...]]


class Net(NamedTuple):
    """What belongs to one net."""

    trunk: str  # name of its file
    head: str  # name of its file
    kernels: Shapes  # name of a convolution -> shape of its kernel, in the order of use
    channels: tuple[int, ...]  # of the feature maps


class Weights(NamedTuple):
    """The arrays of one net, and the files that they come from."""

    trunk: Arrays  # "<convolution>.weight" and "<convolution>.bias"
    head: Arrays  # "lin0", "lin1", ...
    sha256: dict[str, str]  # name of a file -> its SHA-256, 64 hexadecimal digits


def _fires() -> Shapes:
    """Name -> shape of the kernels in the fire modules of SqueezeNet 1.1."""
    shapes: Shapes = {}
    inputs = 64
    for layer, squeezed in zip(
        (3, 4, 6, 7, 9, 10, 11, 12), (16, 16, 32, 32, 48, 48, 64, 64), strict=True
    ):
        name, expanded = f"features.{layer}", 4 * squeezed
        shapes[f"{name}.squeeze"] = (squeezed, inputs, 1, 1)
        shapes[f"{name}.expand1x1"] = (expanded, squeezed, 1, 1)
        shapes[f"{name}.expand3x3"] = (expanded, squeezed, 3, 3)
        inputs = 2 * expanded
    return shapes


NETS = {
    "alex": Net(
        trunk="alexnet_trunk.npz",
        head="lpips_v0.1_alex.npz",
        kernels={
            "features.0": (64, 3, 11, 11),
            "features.3": (192, 64, 5, 5),
            "features.6": (384, 192, 3, 3),
            "features.8": (256, 384, 3, 3),
            "features.10": (256, 256, 3, 3),
        },
        channels=(64, 192, 384, 256, 256),
    ),
    "squeeze": Net(
        trunk="squeezenet1_1_trunk.npz",
        head="lpips_v0.1_squeeze.npz",
        kernels={"features.0": (64, 3, 3, 3)} | _fires(),
        channels=(64, 128, 256, 384, 384, 512, 512),
    ),
    "vgg": Net(
        trunk="vgg16_trunk.npz",
        head="lpips_v0.1_vgg.npz",
        kernels={
            "features.0": (64, 3, 3, 3),
            "features.2": (64, 64, 3, 3),
            "features.5": (128, 64, 3, 3),
            "features.7": (128, 128, 3, 3),
            "features.10": (256, 128, 3, 3),
            "features.12": (256, 256, 3, 3),
            "features.14": (256, 256, 3, 3),
            "features.17": (512, 256, 3, 3),
            "features.19": (512, 512, 3, 3),
            "features.21": (512, 512, 3, 3),
            "features.24": (512, 512, 3, 3),
            "features.26": (512, 512, 3, 3),
            "features.28": (512, 512, 3, 3),
        },
        channels=(64, 128, 256, 512, 512),
    ),
}

#: Name of a file -> its SHA-256. That of the trunk of VGG is not known, since these
#: weights were not available to compute it. Its names, types, shapes and the checksums
#: within the archive are checked instead.
SHA256 = {
    "alexnet_trunk.npz": (
        "e762b28a0489ca1b9a809bcf1fc6d82b9310cd77ff6c495d057dc8811994eab4"
    ),
    "squeezenet1_1_trunk.npz": (
        "d93ddd97c67fea9a17380d10cac44bdf76c3cdf377a3315240c1b5a4d3e63158"
    ),
    "lpips_v0.1_alex.npz": (
        "07a69d01747d7f53fa877fbec0a14802f2456b879ce72d7d96714edb5820f698"
    ),
    "lpips_v0.1_squeeze.npz": (
        "eda4ea3595bfad1c80e507a4f085870b0451ecc704576480b07b8ad6d19e3e4f"
    ),
    "lpips_v0.1_vgg.npz": (
        "ce558901d0adea3b20bb4dadcee515c0fa504e244dc2eef14a24cd2e24f2420d"
    ),
}
_REMEDY = "Put the original there; `metrics.LPIPSDistance` says how it is made."


def load(weights_dir: files.PathLike, net: str) -> Weights:
    """Reads and checks trunk and head of a net.

    Args:
        weights_dir: folder of both files; `~` is expanded.
        net: a key of `NETS`.

    Returns:
        Their arrays, float32.

    Raises:
        ValueError: if a file is missing, damaged or another one; the message names it
            and the remedy.
    """
    named = NETS[net]
    trunk: Shapes = {}
    for name, shape in named.kernels.items():
        trunk[f"{name}.weight"], trunk[f"{name}.bias"] = shape, shape[:1]
    head: Shapes = {f"lin{k}": (width,) for k, width in enumerate(named.channels)}
    trunk_arrays, trunk_digest = _read(weights_dir, named.trunk, trunk)
    head_arrays, head_digest = _read(weights_dir, named.head, head)
    digests = {named.trunk: trunk_digest, named.head: head_digest}
    return Weights(trunk_arrays, head_arrays, digests)


def _read(
    weights_dir: files.PathLike, name: str, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[Arrays, str]:
    """The arrays of a file, and its SHA-256."""
    file = files.path(weights_dir) / name
    try:
        digest = files.sha256(file)
    except OSError as error:
        raise ValueError(
            f"The weights of LPIPS {file} cannot be read ({error.strerror}). {_REMEDY} "
            f"Received: weights_dir={str(weights_dir)!r}."
        ) from error
    expected = SHA256.get(name, digest)
    if digest != expected:
        raise ValueError(
            f"The weights of LPIPS {file} are damaged or were replaced: expected the "
            f"SHA-256 {expected}. {_REMEDY} Received: {digest}."
        )
    with npz.opened(file, argument="weights_dir", remedy=_REMEDY) as archive:
        arrays = dict(archive)
    _check(file, arrays, shapes)
    return arrays, digest


def _check(
    file: files.PathLike, arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]
) -> None:
    if arrays.keys() != shapes.keys():
        different = sorted(arrays.keys() ^ shapes.keys())
        raise ValueError(
            f"The weights of LPIPS {file} must hold the arrays {', '.join(shapes)}. "
            f"{_REMEDY} Received: {', '.join(different)} missing or not among them."
        )
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float32:
            raise ValueError(
                f"The weights of LPIPS {file} must hold `{name}` as float32 {shape}. "
                f"{_REMEDY} Received: {array.dtype} {array.shape}."
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f"The weights of LPIPS {file} must be finite. {_REMEDY} "
                f"Received: NaN or infinity in `{name}`."
            )
