"""The classifiers of Tabacof 2016: logits of images; a softmax is no part of them."""

from collections.abc import Sequence

import keras
from keras import layers

from tfsemae.models.classifier import Classifier
from tfsemae.models.initializers import Kernels

_LEAST_SIDE = 10  # of which the second pooling leaves a pixel

_ImageShape = tuple[int, int, int]


def build_dense(
    image_shape: _ImageShape, class_names: Sequence[str], *, seed: int
) -> Classifier:
    """Builds the classifier of MNIST: two hidden layers of 1,024 units.

    Each has ReLU and dropout of 1/2; 1,863,690 weights for 28 x 28 pixels and 10
    classes. The features are those of the second, `[B, 1024]`.

    Args:
        image_shape: (H, W, C).
        class_names: one name per class.
        seed: of the initial weights.

    Returns:
        The `Classifier`.

    Raises:
        ValueError: if there are no class names.

    Source: Tabacof 2016, released code, `mnist_clf.ipynb`; Glorot's initial weights
    are the default of its library.
    """
    _check_names("dense_classifier", class_names)
    kernels = Kernels("glorot_uniform", seed)
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten(name="flatten")(image)
    for number in (1, 2):
        x = _hidden(1024, f"hidden{number}", kernels)(x)
        x = layers.Dropout(0.5, name=f"dropout{number}")(x)
    return _classifier(image, x, class_names, kernels, features="hidden2")


def build_conv(
    image_shape: _ImageShape, class_names: Sequence[str], *, seed: int
) -> Classifier:
    """Builds the convolutional classifier of SVHN.

    Four convolutions of 3 x 3 with ReLU, 32, 32, 64 and 32 channels, of which the
    second and the fourth are not padded and followed by maximum pooling and dropout of
    1/4; then 512 units with ReLU and dropout of 1/2. 642,570 weights for 32 x 32
    pixels, 3 channels and 10 classes. The features are those of the 512 units.

    The source standardises the pixels of SVHN; these are in [0, 1].

    Args:
        image_shape: (H, W, C), H and W at least 10.
        class_names: one name per class.
        seed: of the initial weights.

    Returns:
        The `Classifier`.

    Raises:
        ValueError: if the images are too small, or there are no class names.

    Source: Tabacof 2016, released code, `svhn_clf.ipynb`; Glorot's initial weights
    are the default of its library.
    """
    _check_names("conv_classifier", class_names)
    if min(image_shape[:2]) < _LEAST_SIDE:
        raise ValueError(
            f"conv_classifier takes images of at least {_LEAST_SIDE} x {_LEAST_SIDE} "
            f"pixels. Received: image_shape={image_shape}."
        )
    kernels = Kernels("glorot_uniform", seed)
    image = keras.Input(image_shape, name="image")
    x = image
    for number, widths in enumerate(((32, 32), (64, 32)), start=1):
        for padding, width in zip(("same", "valid"), widths, strict=True):
            x = layers.Conv2D(
                width,
                3,
                padding=padding,
                activation="relu",
                kernel_initializer=kernels(9 * x.shape[-1]),
                name=f"conv{number}_{padding}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
        x = layers.Dropout(0.25, name=f"dropout{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = _hidden(512, "hidden", kernels)(x)
    x = layers.Dropout(0.5, name="dropout3")(x)
    return _classifier(image, x, class_names, kernels, features="hidden")


def _check_names(model: str, class_names: Sequence[str]) -> None:
    if not class_names:
        raise ValueError(
            f"{model} needs the names of the classes; name a data set with labels. "
            "Received: class_names=()."
        )


def _hidden(units: int, name: str, kernels: Kernels) -> layers.Dense:
    # Glorot's initialiser finds the inputs by itself.
    return layers.Dense(
        units, activation="relu", kernel_initializer=kernels(1), name=name
    )


def _classifier(
    image: keras.KerasTensor,
    x: keras.KerasTensor,
    class_names: Sequence[str],
    kernels: Kernels,
    *,
    features: str,
) -> Classifier:
    logits = layers.Dense(
        len(class_names), kernel_initializer=kernels(1), name="logits"
    )(x)
    network = keras.Model(image, logits, name="classifier")
    return Classifier(network, tuple(class_names), features)
