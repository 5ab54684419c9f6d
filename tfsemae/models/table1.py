"""The networks of Ming 2022, Table I."""

import math
from collections.abc import Sequence

import keras
from keras import layers, ops

from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.initializers import Kernels

LATENT_CHANNELS = 4

_Shape = tuple[int, int, int]


def build(
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    initializer: str,
    seed: int,
) -> Autoencoder:
    """Builds encoder, decoder and, where there are classes, the classifier.

    The latent has Z = (H / 4) * (W / 4) * 4 entries in (0, 1): 196 at 28 x 28. Of
    images with several channels each channel is coded and decoded by itself, all
    with the same weights; the latent is then `[B, C, Z]`, and the classifier reads
    the C grids of features stacked. With the same seed the encoder and the
    decoder start from the same weights whether there is a classifier or not.

    Args:
        image_shape: (H, W, C), H and W multiples of 4.
        class_names: one name per class; empty for the vanilla autoencoder.
        initializer: of the kernels, one of `settings.INITIALIZERS`; biases
            start at zero.
        seed: of the initial weights.

    Returns:
        The `Autoencoder`; without `class_names` its classifier is None.

    Raises:
        ValueError: if the image shape does not suit Table I.

    Source: Ming 2022, Table I; the channels, section IV. The initialiser is not
    printed.
    """
    height, width, channels = image_shape
    if height % 4 or width % 4 or min(height, width) < 4:
        raise ValueError(
            "table1 halves the image twice, so its height and width must be "
            f"multiples of 4. Received: image_shape={image_shape}."
        )
    if channels < 1:
        raise ValueError(
            "table1 takes images of at least 1 channel. "
            f"Received: image_shape={image_shape}."
        )
    kernels = Kernels(initializer, seed)
    grid = (height // 4, width // 4, LATENT_CHANNELS)
    encoder = _encoder((height, width, 1), grid, kernels)
    decoder = _decoder(grid, kernels)
    if channels > 1:
        encoder = _encode_each_channel(encoder, channels)
        decoder = _decode_each_channel(decoder, channels)
    classifier = None
    if class_names:
        classifier = _classifier(grid, channels, len(class_names), kernels)
    return Autoencoder.of(encoder, decoder, classifier, class_names)


def _encoder(image_shape: _Shape, grid: _Shape, kernels: Kernels) -> keras.Model:
    image = keras.Input(image_shape, name="image")
    x = layers.Conv2D(32, 5, **_same("relu", kernels(25)), name="conv1")(image)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Conv2D(64, 5, **_same("relu", kernels(25 * 32)), name="conv2")(x)
    x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    latent = layers.Dense(
        math.prod(grid),
        activation="sigmoid",
        kernel_initializer=kernels(x.shape[-1]),
        name="latent",
    )(x)
    return keras.Model(image, latent, name="encoder")


def _decoder(grid: _Shape, kernels: Kernels) -> keras.Model:
    latent = keras.Input((math.prod(grid),), name="latent")
    x = layers.Reshape(grid, name="reshape")(latent)
    x = layers.Conv2DTranspose(
        64, 5, strides=2, **_same("relu", kernels(25 * LATENT_CHANNELS)), name="deconv1"
    )(x)
    x = layers.Conv2DTranspose(
        32, 5, strides=2, **_same("relu", kernels(25 * 64)), name="deconv2"
    )(x)
    image = layers.Conv2D(1, 1, **_same("sigmoid", kernels(32)), name="image")(x)
    return keras.Model(latent, image, name="decoder")


def _encode_each_channel(encoder: keras.Model, channels: int) -> keras.Model:
    height, width, _ = encoder.input_shape[1:]
    image = keras.Input((height, width, channels), name="image")
    # The channels become further images of the batch, for one pass over all.
    x = ops.reshape(ops.transpose(image, (0, 3, 1, 2)), (-1, height, width, 1))
    latent = ops.reshape(encoder(x), (-1, channels, *encoder.output_shape[1:]))
    return keras.Model(image, latent, name="encoder")


def _decode_each_channel(decoder: keras.Model, channels: int) -> keras.Model:
    height, width, _ = decoder.output_shape[1:]
    latent = keras.Input((channels, *decoder.input_shape[1:]), name="latent")
    x = decoder(ops.reshape(latent, (-1, *decoder.input_shape[1:])))
    x = ops.reshape(x, (-1, channels, height, width))
    return keras.Model(latent, ops.transpose(x, (0, 2, 3, 1)), name="decoder")


def _classifier(
    grid: _Shape, channels: int, classes: int, kernels: Kernels
) -> keras.Model:
    height, width, depth = grid
    if channels == 1:
        latent = keras.Input((math.prod(grid),), name="latent")
        x = layers.Reshape(grid, name="reshape")(latent)
    else:
        latent = keras.Input((channels, math.prod(grid)), name="latent")
        x = layers.Reshape((channels, *grid), name="grids")(latent)
        x = layers.Permute((2, 3, 1, 4), name="channels_behind")(x)
        x = layers.Reshape((height, width, channels * depth), name="stack")(x)
    x = layers.Conv2D(
        32, 3, **_same("relu", kernels(9 * channels * depth)), name="conv1"
    )(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(
        256,
        activation="relu",
        kernel_initializer=kernels(x.shape[-1]),
        name="hidden",
    )(x)
    logits = layers.Dense(classes, kernel_initializer=kernels(256), name="logits")(x)
    return keras.Model(latent, logits, name="classifier")


def _same(activation: str, kernel: keras.Initializer) -> dict:
    return {"padding": "same", "activation": activation, "kernel_initializer": kernel}
