"""Residual networks with preactivation, as adversarial training uses them.

Batch normalisation has the momentum and the epsilon of PyTorch, whose layers the
sources have, and convolutions of stride 2 are padded as there. The pixels in [0, 1] are
not normalised. The features are the mean over the pixels of the last grid.
"""

from collections.abc import Callable, Sequence

import keras
from keras import layers

from tfsemae.models.classifier import Classifier
from tfsemae.models.initializers import Kernels

_EPSILON, _MOMENTUM = 1e-5, 0.9
_FEATURES = "features"

_ImageShape = tuple[int, int, int]


def build_preact_resnet18(
    image_shape: _ImageShape, class_names: Sequence[str], *, seed: int
) -> Classifier:
    """Builds PreAct-ResNet-18: 64, 128, 256 and 512 channels, two blocks each.

    11,172,170 weights that are trained, for 3 channels and 10 classes.

    Args:
        image_shape: (H, W, C).
        class_names: one name per class.
        seed: of the initial weights.

    Returns:
        The `Classifier`.

    Raises:
        ValueError: if there are no class names.

    Source: He et al. 2016, "Identity mappings in deep residual networks"; Kuang et al.
    2023, released code, with batch normalisation behind the last block.
    """
    return _build(
        "preact_resnet18", image_shape, class_names, seed, (64, 128, 256, 512)
    )


def build_preact_resnet8(
    image_shape: _ImageShape, class_names: Sequence[str], *, seed: int
) -> Classifier:
    """Builds PreAct-ResNet-8, for few cores: 16, 32 and 64 channels, a block each.

    77,850 weights that are trained, for 3 channels and 10 classes. The first
    convolution has stride 2. See `build_preact_resnet18` for the arguments.

    Source: ours, in the place of `build_preact_resnet18`.
    """
    widths = (16, 32, 64)
    return _build(
        "preact_resnet8", image_shape, class_names, seed, widths, blocks=1, stride=2
    )


def build_wide_resnet34_10(
    image_shape: _ImageShape, class_names: Sequence[str], *, seed: int
) -> Classifier:
    """Builds WRN-34-10: 160, 320 and 640 channels, five blocks each.

    46,160,474 weights that are trained, for 3 channels and 10 classes. See
    `build_preact_resnet18` for the arguments.

    Source: Zagoruyko and Komodakis 2016, "Wide residual networks"; without dropout.
    """
    widths = (160, 320, 640)
    return _build(
        "wide_resnet34_10", image_shape, class_names, seed, widths, blocks=5, stem=16
    )


def _build(
    name: str,
    image_shape: _ImageShape,
    class_names: Sequence[str],
    seed: int,
    widths: Sequence[int],
    *,
    blocks: int = 2,
    stem: int | None = None,
    stride: int = 1,
) -> Classifier:
    """A network by its channels.

    Args:
        name: on the command line.
        image_shape: (H, W, C).
        class_names: one name per class.
        seed: of the initial weights.
        widths: channels of a group of blocks; each but the first begins with stride 2.
        blocks: of a group.
        stem: channels of the first convolution; by default those of the first group.
        stride: of the first convolution.
    """
    if not class_names:
        raise ValueError(
            f"{name} needs the names of the classes; name a data set with labels. "
            "Received: class_names=()."
        )
    kernels = Kernels("he_normal", seed)
    image = keras.Input(image_shape, name="image")
    x = _conv(stem or widths[0], 3, stride, "stem", kernels)(image)
    for group, width in enumerate(widths, start=1):
        for block in range(1, blocks + 1):
            begins = group > 1 and block == 1
            x = _block(x, width, 2 if begins else 1, f"block{group}_{block}", kernels)
    x = _activated(x, "last")
    x = layers.GlobalAveragePooling2D(name=_FEATURES)(x)
    logits = layers.Dense(
        len(class_names), kernel_initializer=kernels(1), name="logits"
    )(x)
    network = keras.Model(image, logits, name="classifier")
    return Classifier(network, tuple(class_names), _FEATURES)


def _block(
    x: keras.KerasTensor, width: int, stride: int, name: str, kernels: Kernels
) -> keras.KerasTensor:
    """Two convolutions, each behind its activation, and what bypasses them."""
    active = _activated(x, f"{name}_1")
    shortcut = x
    if stride > 1 or x.shape[-1] != width:
        shortcut = _conv(width, 1, stride, f"{name}_shortcut", kernels)(active)
    y = _conv(width, 3, stride, f"{name}_conv1", kernels)(active)
    y = _conv(width, 3, 1, f"{name}_conv2", kernels)(_activated(y, f"{name}_2"))
    return layers.Add(name=f"{name}_sum")([y, shortcut])


def _conv(
    width: int, size: int, stride: int, name: str, kernels: Kernels
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    # He's initialiser finds the inputs by itself.
    options = {"use_bias": False, "kernel_initializer": kernels(1), "name": name}
    if size == 1 or stride == 1:
        return layers.Conv2D(width, size, strides=stride, padding="same", **options)
    # Keras' "same" pads even sizes at the bottom and at the right only.
    pad = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")
    conv = layers.Conv2D(width, size, strides=stride, **options)
    return lambda x: conv(pad(x))


def _activated(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(
        momentum=_MOMENTUM, epsilon=_EPSILON, name=f"{name}_norm"
    )(x)
    return layers.ReLU(name=f"{name}_relu")(x)
