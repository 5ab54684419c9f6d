"""Trunks of LPIPS as functional Keras models: AlexNet, SqueezeNet 1.1 and VGG-16.

The number of channels is that of the arrays, so that a test can build a narrow net.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import keras
import numpy as np
from keras import layers

from tfsemae import keras_state

Tensor: TypeAlias = keras.KerasTensor
Convolution: TypeAlias = Callable[..., Tensor]

#: Net -> the least side of an image, in pixels, that leaves one to each feature map.
LEAST_SIDE = {"alex": 31, "squeeze": 17, "vgg": 16}


@keras_state.standard()
def build(net: str, arrays: Mapping[str, np.ndarray]) -> keras.Model:
    """Builds a trunk with its feature maps as outputs.

    Args:
        net: "alex", "squeeze" or "vgg".
        arrays: float32, `<convolution>.weight` `[outputs, inputs, height, width]` and
            `<convolution>.bias` `[outputs]`, by the names of torchvision.

    Returns:
        The model: float32 `[B, H, W, 3]`, standardised, to a list of float32
        `[B, h, w, c]`. Its weights are not trainable.
    """
    image = keras.Input((None, None, 3), name="image")
    convolution = functools.partial(_convolution, arrays)
    model = keras.Model(image, list(_TRUNKS[net](image, convolution)), name=net)
    model.trainable = False
    return model


def _convolution(
    arrays: Mapping[str, np.ndarray],
    x: Tensor,
    name: str,
    *,
    stride: int = 1,
    pad: int = 0,
) -> Tensor:
    """A convolution with its weights, and ReLU."""
    outputs, _, height, width = arrays[f"{name}.weight"].shape
    if pad:  # "same" with a stride would begin at other pixels
        x = layers.ZeroPadding2D(pad)(x)
    layer = layers.Conv2D(
        outputs,
        (height, width),
        stride,
        activation="relu",
        kernel_initializer="zeros",
        name=name.replace(".", "_"),
    )
    x = layer(x)
    kernel = arrays[f"{name}.weight"].transpose(2, 3, 1, 0)
    layer.set_weights([kernel, arrays[f"{name}.bias"]])
    return x


def _alex(x: Tensor, convolution: Convolution) -> Iterator[Tensor]:
    x = convolution(x, "features.0", stride=4, pad=2)
    yield x
    x = convolution(layers.MaxPooling2D(3, 2)(x), "features.3", pad=2)
    yield x
    x = convolution(layers.MaxPooling2D(3, 2)(x), "features.6", pad=1)
    yield x
    for name in ("features.8", "features.10"):
        x = convolution(x, name, pad=1)
        yield x


def _squeeze(x: Tensor, convolution: Convolution) -> Iterator[Tensor]:
    x = convolution(x, "features.0", stride=2)
    yield x
    for first, second in ((3, 4), (6, 7)):
        x = _fire(_pooled_up(x), f"features.{first}", convolution)
        x = _fire(x, f"features.{second}", convolution)
        yield x
    x = _pooled_up(x)
    for layer in (9, 10, 11, 12):
        x = _fire(x, f"features.{layer}", convolution)
        yield x


def _fire(x: Tensor, name: str, convolution: Convolution) -> Tensor:
    x = convolution(x, f"{name}.squeeze")
    parts = [
        convolution(x, f"{name}.expand1x1"),
        convolution(x, f"{name}.expand3x3", pad=1),
    ]
    return layers.Concatenate()(parts)


def _pooled_up(x: Tensor) -> Tensor:
    """Maxima of 3 x 3 pixels at stride 2, at the end also of 2 (`ceil_mode`)."""
    # Behind a ReLU a zero is never greater than a maximum; where the sides are odd,
    # no window reaches it.
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    return layers.MaxPooling2D(3, 2)(x)


def _vgg(x: Tensor, convolution: Convolution) -> Iterator[Tensor]:
    for index, block in enumerate(
        ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
    ):
        if index:
            x = layers.MaxPooling2D(2, 2)(x)
        for layer in block:
            x = convolution(x, f"features.{layer}", pad=1)
        yield x


_TRUNKS: dict[str, Callable[[Tensor, Convolution], Iterator[Tensor]]] = {
    "alex": _alex,
    "squeeze": _squeeze,
    "vgg": _vgg,
}
