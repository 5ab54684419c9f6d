"""Dense networks: those of the ECE 417 lecture, and of Tabacof 2016 on MNIST."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.initializers import Kernels
from tfsemae.models.settings import NO_LAYERS


def build(
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    latent: int,
    variational: bool,
    hidden: Sequence[int | str],
    activation: str | None = None,
    output_activation: str | None = None,
    seed: int,
) -> Autoencoder:
    """Builds encoder and decoder, and the second head of a variational encoder.

    Hidden layers with an activation, then a linear latent; the decoder is the mirror
    image, with a sigmoid at its end, or linear. With the same seed the variational
    autoencoder and its deterministic twin start from the same weights in all that they
    share.

    Args:
        image_shape: (H, W, C).
        class_names: empty; there is no classifier.
        latent: number of entries of the latent, Z.
        variational: whether the encoder gives a distribution: its mean, and by
            `log_variance` the logarithm of its variance.
        hidden: units of the hidden layers of the encoder, in its order; no units,
            or `none`, for a linear encoder.
        activation: of the hidden layers, "relu" by default or "softplus".
        output_activation: "sigmoid", by default, or "linear".
        seed: of the initial weights, Glorot-uniform; biases start at zero.

    Returns:
        The `Autoencoder`, latent float32 `[B, Z]`.

    Raises:
        ValueError: if an image has no pixels, or there are class names.

    Source: ECE 417, lecture 22, deep autoencoder, whose layers are not printed:
    (256, 64) is our choice. Tabacof 2016, MNIST: (512, 512), latent 20. Gondim-Ribeiro
    2018: (512, 512) with softplus, latent 32.
    """
    if min(image_shape) < 1:
        raise ValueError(
            "dense takes images of at least 1 pixel and 1 channel. "
            f"Received: image_shape={image_shape}."
        )
    if class_names:
        raise ValueError(
            "dense has no classifier; leave --semantic out, or take --model=table1. "
            f"Received: class_names={tuple(class_names)}."
        )
    units = [] if list(hidden) == [NO_LAYERS] else [int(each) for each in hidden]
    bend = activation or "relu"
    kernels = Kernels("glorot_uniform", seed)
    image = keras.Input(image_shape, name="image")
    features = _hidden(layers.Flatten(name="flatten")(image), units, bend, kernels)
    mean = _dense(latent, "mean", kernels)(features)
    end = output_activation or "sigmoid"
    decoder = _decoder(latent, units[::-1], image_shape, bend, end, kernels)
    log_variance = None
    if variational:  # last, so that all other kernels are those of the twin
        head = _dense(latent, "log_variance", kernels)(features)
        log_variance = keras.Model(image, head, name="log_variance")
    encoder = keras.Model(image, mean, name="encoder")
    return Autoencoder(encoder, decoder, log_variance=log_variance)


def _decoder(
    latent: int,
    units: Sequence[int],
    image_shape: tuple[int, int, int],
    activation: str,
    output_activation: str,
    kernels: Kernels,
) -> keras.Model:
    code = keras.Input((latent,), name="latent")
    x = _hidden(code, units, activation, kernels)
    x = _dense(math.prod(image_shape), "pixels", kernels, output_activation)(x)
    image = layers.Reshape(image_shape, name="image")(x)
    return keras.Model(code, image, name="decoder")


def _hidden(
    x: keras.KerasTensor, units: Sequence[int], activation: str, kernels: Kernels
) -> keras.KerasTensor:
    for number, width in enumerate(units, start=1):
        x = _dense(width, f"dense{number}", kernels, activation)(x)
    return x


def _dense(
    units: int, name: str, kernels: Kernels, activation: str | None = None
) -> layers.Dense:
    # Glorot's initialiser finds the inputs by itself.
    return layers.Dense(
        units, activation=activation, kernel_initializer=kernels(1), name=name
    )
