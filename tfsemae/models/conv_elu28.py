"""The convolutional networks of Gondim-Ribeiro 2018 on MNIST: strided, with ELU."""

from collections.abc import Sequence

import keras
from keras import layers

from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.initializers import Kernels

_SIDE = 28  # of an image; the transposed convolutions lead to no other
_CHANNELS = (32, 64, 128)
_UNITS = 512
#: Output channels and side of the kernel; sides 3, 7, 14, 28.
_TRANSPOSED = ((128, 3), (64, 3), (32, 2), (16, 2))


def build(
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    latent: int,
    variational: bool,
    seed: int,
) -> Autoencoder:
    """Builds encoder and decoder, and the second head of a variational encoder.

    Encoder: three convolutions of 4 x 4 and stride 2 without padding, of 32, 64 and 128
    channels, and a dense layer of 512 units, each with ELU, then a linear latent.
    Decoder: a dense layer of 512 units, four transposed convolutions of stride 2, of
    128, 64, 32 and 16 channels and 3 x 3, 3 x 3, 2 x 2 and 2 x 2, each with ELU, and
    one of 4 x 4 and stride 1 with a sigmoid. 954,641 weights with 1 channel, a latent
    of 32 and its variance.

    Args:
        image_shape: (28, 28, C).
        class_names: empty; there is no classifier.
        latent: number of entries of the latent, Z.
        variational: whether the encoder gives a distribution: its mean, and by
            `log_variance` the logarithm of its variance.
        seed: of the initial weights, Glorot-uniform; biases start at zero.

    Returns:
        The `Autoencoder`, latent float32 `[B, Z]`.

    Raises:
        ValueError: if the images have another size, or there are class names.

    Source: Gondim-Ribeiro 2018, the released code.
    """
    if image_shape[:2] != (_SIDE, _SIDE) or image_shape[2] < 1:
        raise ValueError(
            f"conv_elu28 takes images of {_SIDE} x {_SIDE} pixels; use conv or dense "
            f"for others. Received: image_shape={image_shape}."
        )
    if class_names:
        raise ValueError(
            "conv_elu28 has no classifier; leave --semantic out, or take "
            f"--model=table1. Received: class_names={tuple(class_names)}."
        )
    kernels = Kernels("glorot_uniform", seed)
    image = keras.Input(image_shape, name="image")
    features = _features(image, kernels)
    mean = _dense(latent, "mean", kernels)(features)
    code = keras.Input((latent,), name="latent")
    decoded = _decoded(code, image_shape[2], kernels)
    log_variance = None
    if variational:  # last, so that all other kernels are those of the twin
        head = _dense(latent, "log_variance", kernels)(features)
        log_variance = keras.Model(image, head, name="log_variance")
    return Autoencoder(
        keras.Model(image, mean, name="encoder"),
        keras.Model(code, decoded, name="decoder"),
        log_variance=log_variance,
    )


def _features(x: keras.KerasTensor, kernels: Kernels) -> keras.KerasTensor:
    """What the heads of the encoder read."""
    for number, channels in enumerate(_CHANNELS, start=1):
        x = layers.Conv2D(
            channels,
            4,
            strides=2,
            activation="elu",
            kernel_initializer=kernels(1),
            name=f"conv{number}",
        )(x)
    return _dense(_UNITS, "dense", kernels, "elu")(layers.Flatten(name="flatten")(x))


def _decoded(
    code: keras.KerasTensor, channels: int, kernels: Kernels
) -> keras.KerasTensor:
    x = _dense(_UNITS, "dense", kernels, "elu")(code)
    x = layers.Reshape((1, 1, _UNITS), name="reshape")(x)
    for number, (width, side) in enumerate(_TRANSPOSED, start=1):
        x = layers.Conv2DTranspose(
            width,
            side,
            strides=2,
            activation="elu",
            kernel_initializer=kernels(1),
            name=f"deconv{number}",
        )(x)
    return layers.Conv2DTranspose(
        channels,
        4,
        padding="same",
        activation="sigmoid",
        kernel_initializer=kernels(1),
        name="image",
    )(x)


def _dense(
    units: int, name: str, kernels: Kernels, activation: str | None = None
) -> layers.Dense:
    # Glorot's initialiser finds the inputs by itself.
    return layers.Dense(
        units, activation=activation, kernel_initializer=kernels(1), name=name
    )
