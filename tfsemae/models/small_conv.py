"""A small convolutional classifier, which trains on MNIST in half a minute."""

from collections.abc import Sequence

import keras
from keras import layers

from tfsemae.models.classifier import Classifier
from tfsemae.models.initializers import Kernels

_CHANNELS = (16, 32)
_FEATURES, _HIDDEN = 64, 64


def build(
    image_shape: tuple[int, int, int], class_names: Sequence[str], *, seed: int
) -> Classifier:
    """Builds two convolutions, 64 features, and a head with a hidden layer.

    The convolutions are 3 x 3 with stride 2, padded, of 16 and 32 channels. They and
    the 64 units of the head have ReLU. The features are normalised over the batch, so
    that a training that maximises a loss of them does not make them grow. 110,218
    weights for 28 x 28 pixels and 10 classes.

    Args:
        image_shape: (H, W, C).
        class_names: one name per class.
        seed: of the initial weights, Glorot-uniform; biases start at zero.

    Returns:
        The `Classifier`; its features, `[B, 64]`, are what the head takes.

    Raises:
        ValueError: if there are no class names.

    Source: ECE 417, lecture 22, adversarial images and domain-adversarial training,
    whose networks are not printed (our choice).
    """
    if not class_names:
        raise ValueError(
            "small_conv_classifier needs the names of the classes; name a data set "
            "with labels. Received: class_names=()."
        )
    kernels = Kernels("glorot_uniform", seed)
    image = keras.Input(image_shape, name="image")
    x = image
    for number, width in enumerate(_CHANNELS, start=1):
        x = layers.Conv2D(
            width,
            3,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=kernels(9 * x.shape[-1]),
            name=f"conv{number}",
        )(x)
    x = layers.Flatten(name="flatten")(x)
    kernel = kernels(x.shape[-1])
    x = layers.Dense(
        _FEATURES, use_bias=False, kernel_initializer=kernel, name="dense"
    )(x)
    # A momentum for trainings of a few hundred steps.
    x = layers.BatchNormalization(momentum=0.9, name="features")(x)
    kernel = kernels(_FEATURES)
    x = layers.Dense(
        _HIDDEN, activation="relu", kernel_initializer=kernel, name="hidden"
    )(x)
    logits = layers.Dense(
        len(class_names), kernel_initializer=kernels(_HIDDEN), name="logits"
    )(x)
    network = keras.Model(image, logits, name="classifier")
    return Classifier(network, tuple(class_names), "features")
