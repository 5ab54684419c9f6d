"""The convolutional networks of Tabacof 2016 on SVHN: strided, with ELU."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.initializers import Kernels

_SIDE = 32  # of an image; the transposed convolutions lead to no other
_CHANNELS = (32, 64, 128)
_UNITS = 512
#: What the decoder begins with.
_GRID = (4, 4, 32)
#: Output channels, and what is cut off at each edge; sides 4, 7, 13, 29.
_TRANSPOSED = ((128, 2), (64, 2), (32, 0))


def build(
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    latent: int,
    variational: bool,
    pixel_mean: float,
    pixel_deviation: float,
    seed: int,
) -> Autoencoder:
    """Builds encoder and decoder, and the second heads of a variational autoencoder.

    Encoder: three convolutions of 4 x 4 and stride 2 without padding, of 32, 64 and 128
    channels, a dense layer of 512 units, each with ELU, and a linear latent. Decoder: a
    dense layer of 512 units, three transposed convolutions of 5 x 5 and stride 2, of
    128, 64 and 32 channels, each with ELU, and one of 4 x 4, linear. A variational
    autoencoder has a second head at both ends: the logarithm of the variance of the
    latent, and that of each pixel. 944,270 weights with 3 channels and a latent of 100,
    891,431 of the deterministic twin, which starts from the same weights in all that
    they share.

    The source standardises the pixels by two numbers before it trains. Here images
    stay in [0, 1] outside of the networks: the first layer of the encoder standardises,
    and the last layers of the decoder undo it, of the variances as well. As in the
    source nothing keeps the decoded pixels within [0, 1], so that the gradient reaches
    all of them.

    Args:
        image_shape: (32, 32, C).
        class_names: empty; there is no classifier.
        latent: number of entries of the latent, Z.
        variational: whether encoder and decoder give distributions: their means, and
            by `log_variance` and `pixel_log_variance` the logarithms of the variances.
        pixel_mean: of the data set, over all pixels in [0, 1].
        pixel_deviation: standard deviation, likewise; above 0.
        seed: of the initial weights, Glorot-uniform; biases start at zero.

    Returns:
        The `Autoencoder`, latent float32 `[B, Z]`.

    Raises:
        ValueError: if the images have another size, or there are class names.

    Source: Tabacof 2016, released code, of SVHN.
    """
    if image_shape[:2] != (_SIDE, _SIDE) or image_shape[2] < 1:
        raise ValueError(
            f"conv_elu takes images of {_SIDE} x {_SIDE} pixels; use conv or dense for "
            f"others. Received: image_shape={image_shape}."
        )
    if class_names:
        raise ValueError(
            "conv_elu has no classifier; leave --semantic out, or take --model=table1. "
            f"Received: class_names={tuple(class_names)}."
        )
    kernels = Kernels("glorot_uniform", seed)
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(
        1 / pixel_deviation, -pixel_mean / pixel_deviation, name="standardise"
    )(image)
    features = _features(x, kernels)
    code = keras.Input((latent,), name="latent")
    mean = _dense(latent, "mean", kernels)(features)
    decoded = _decoded(code, kernels)
    pixels = _head(image_shape[2], "pixels", kernels)(decoded)
    pixels = layers.Rescaling(pixel_deviation, pixel_mean, name="image")(pixels)
    log_variance = pixel_log_variance = None
    if variational:  # last, so that all other kernels are those of the twin
        head = _dense(latent, "log_variance", kernels)(features)
        log_variance = keras.Model(image, head, name="log_variance")
        head = _head(image_shape[2], "pixels_log_variance", kernels)(decoded)
        head = layers.Rescaling(
            1.0, 2 * math.log(pixel_deviation), name="image_log_variance"
        )(head)
        pixel_log_variance = keras.Model(code, head, name="pixel_log_variance")
    return Autoencoder(
        keras.Model(image, mean, name="encoder"),
        keras.Model(code, pixels, name="decoder"),
        log_variance=log_variance,
        pixel_log_variance=pixel_log_variance,
    )


def _features(x: keras.KerasTensor, kernels: Kernels) -> keras.KerasTensor:
    """What the heads of the encoder read."""
    for number, channels in enumerate(_CHANNELS, start=1):
        x = layers.Conv2D(
            channels,
            4,
            strides=2,
            activation="elu",
            kernel_initializer=kernels(16 * x.shape[-1]),
            name=f"conv{number}",
        )(x)
    x = layers.Flatten(name="flatten")(x)
    return _dense(_UNITS, "dense", kernels, "elu")(x)


def _decoded(code: keras.KerasTensor, kernels: Kernels) -> keras.KerasTensor:
    """What the heads of the decoder read."""
    x = _dense(math.prod(_GRID), "dense", kernels, "elu")(code)
    x = layers.Reshape(_GRID, name="reshape")(x)
    for number, (channels, edge) in enumerate(_TRANSPOSED, start=1):
        x = layers.Conv2DTranspose(
            channels,
            5,
            strides=2,
            activation="elu",
            kernel_initializer=kernels(25 * x.shape[-1]),
            name=f"deconv{number}",
        )(x)
        if edge:
            x = layers.Cropping2D(edge, name=f"crop{number}")(x)
    return x


def _head(channels: int, name: str, kernels: Kernels) -> layers.Conv2DTranspose:
    fan_in = 16 * _TRANSPOSED[-1][0]
    return layers.Conv2DTranspose(
        channels, 4, kernel_initializer=kernels(fan_in), name=name
    )


def _dense(
    units: int, name: str, kernels: Kernels, activation: str | None = None
) -> layers.Dense:
    # Glorot's initialiser finds the inputs by itself.
    return layers.Dense(
        units, activation=activation, kernel_initializer=kernels(1), name=name
    )
