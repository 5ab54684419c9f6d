"""The networks of Lu and Chen 2023: convolutions with batch normalisation."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.initializers import Kernels

#: Output channels of the encoder's convolutions; the decoder mirrors them.
CHANNELS = (32, 64, 128, 64)
# The defaults of PyTorch, whose layers the paper names; Keras has others.
_EPSILON, _MOMENTUM, _SLOPE = 1e-5, 0.9, 0.01

_Size = tuple[int, int]


def build(
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    latent: int,
    variational: bool,
    seed: int,
) -> Autoencoder:
    """Builds encoder and decoder, and the second head of a variational encoder.

    Four convolutions of 3 x 3 and stride 2, each with batch normalisation and
    LeakyReLU, then a dense layer; the decoder is the mirror image, with a sigmoid at
    its end. With the same seed the variational autoencoder and its deterministic twin
    start from the same weights in all that they share.

    Args:
        image_shape: (H, W, C), H and W at least 2.
        class_names: empty; there is no classifier.
        latent: number of entries of the latent, Z.
        variational: whether the encoder gives a distribution: its mean, and by
            `log_variance` the logarithm of its variance.
        seed: of the initial weights.

    Returns:
        The `Autoencoder`, latent float32 `[B, Z]`.

    Raises:
        ValueError: if the images are too small, or there are class names.

    Source: Lu and Chen 2023, section 4.1; kernel, stride and initial weights are not
    printed.
    """
    height, width, channels = image_shape
    if min(height, width) < 2 or channels < 1:
        raise ValueError(
            "conv takes images of at least 2 x 2 pixels and 1 channel. "
            f"Received: image_shape={image_shape}."
        )
    if class_names:
        raise ValueError(
            "conv has no classifier; leave --semantic out, or take --model=table1. "
            f"Received: class_names={tuple(class_names)}."
        )
    kernels = Kernels("glorot_uniform", seed)
    sizes = [(height, width)]
    for _ in CHANNELS:
        sizes.append((math.ceil(sizes[-1][0] / 2), math.ceil(sizes[-1][1] / 2)))
    image, features = _features(image_shape, kernels)
    mean = _dense(latent, "mean", kernels)(features)
    decoder = _decoder(latent, sizes, channels, kernels)
    log_variance = None
    if variational:  # last, so that all other kernels are those of the twin
        head = _dense(latent, "log_variance", kernels)(features)
        log_variance = keras.Model(image, head, name="log_variance")
    encoder = keras.Model(image, mean, name="encoder")
    return Autoencoder(encoder, decoder, log_variance=log_variance)


def _features(
    image_shape: tuple[int, int, int], kernels: Kernels
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The image, and what the heads of the encoder read."""
    image = keras.Input(image_shape, name="image")
    x = image
    for number, channels in enumerate(CHANNELS, start=1):
        # Keras' "same" pads even sizes at the bottom and at the right only.
        x = layers.ZeroPadding2D(1, name=f"pad{number}")(x)
        x = layers.Conv2D(
            channels,
            3,
            strides=2,
            kernel_initializer=kernels(9 * x.shape[-1]),
            name=f"conv{number}",
        )(x)
        x = _normalised(x, str(number))
    return image, layers.Flatten(name="flatten")(x)


def _decoder(
    latent: int, sizes: Sequence[_Size], channels: int, kernels: Kernels
) -> keras.Model:
    """The mirror image of the encoder; `sizes` are those of its feature maps."""
    code = keras.Input((latent,), name="latent")
    grid = (*sizes[-1], CHANNELS[-1])
    x = _dense(math.prod(grid), "dense", kernels)(code)
    x = layers.Reshape(grid, name="reshape")(x)
    widths = (*reversed(CHANNELS[:-1]), channels)
    for number, width in enumerate(widths, start=1):
        small, large = sizes[-number], sizes[-number - 1]
        x = layers.Conv2DTranspose(
            width,
            3,
            strides=2,
            padding="same",
            kernel_initializer=kernels(9 * x.shape[-1]),
            name=f"deconv{number}",
        )(x)
        # As output_padding 0 in place of 1, which Keras 3.11 does not save.
        odd = tuple((2 * a - b, 0) for a, b in zip(small, large, strict=True))
        if any(first for first, _ in odd):
            x = layers.Cropping2D(odd, name=f"crop{number}")(x)
        if number < len(widths):
            x = _normalised(x, str(number))
    image = layers.Activation("sigmoid", name="image")(x)
    return keras.Model(code, image, name="decoder")


def _normalised(x: keras.KerasTensor, number: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(
        momentum=_MOMENTUM, epsilon=_EPSILON, name=f"norm{number}"
    )(x)
    return layers.LeakyReLU(negative_slope=_SLOPE, name=f"relu{number}")(x)


def _dense(units: int, name: str, kernels: Kernels) -> layers.Dense:
    # Glorot's initialiser finds the inputs by itself.
    return layers.Dense(units, kernel_initializer=kernels(1), name=name)
