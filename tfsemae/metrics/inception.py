"""Features of the Inception network of 2015-12-05, in which FID is measured.

It is neither `keras.applications.InceptionV3` nor that of torchvision: other weights,
batch normalisation with a scale, and a maximum in the pooled branch of the last block.
Its weights are not part of this package.
"""

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from tfsemae import files, npz, tensor_checks
from tfsemae.tensor_checks import TensorLike

_SIDE = 299
#: Width of the features -> the layer whose mean over pixels they are.
_ENDPOINTS = {
    64: "maxpool1",
    192: "maxpool2",
    768: "Mixed_6e",
    2048: "Mixed_7c",
}
#: Kind of a layer -> name in the state of torch -> attribute of the Keras layer.
_VARIABLES = {
    "conv": {"weight": "kernel"},
    "bn": {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
}
_HOW_TO_MAKE = "`tfsemae.metrics.InceptionFeatures` says how the file is made."


class InceptionFeatures:
    """Features of images in the Inception network of FID.

    The weights are those that pytorch-fid publishes, in the names of that file. Where
    PyTorch is installed, make an archive of plain arrays from it once:

        import numpy as np
        import torch
        path = "pt_inception-2015-12-05-6726825d.pth"
        state = torch.load(path, map_location="cpu", weights_only=True)
        np.savez("inception_2015.npz", **{k: v.numpy() for k, v in state.items()})

    Then `metrics.fid(images, others, metrics.InceptionFeatures("inception_2015.npz"))`.

    An archive that users make has no checksum that could be known: names and shapes are
    checked, and that values are finite, no more. Check the SHA-256 of the `.pth` file,
    which begins with the digits at the end of its name.

    Source: Heusel et al. 2017, FID; Szegedy et al. 2016, "Rethinking the Inception
    architecture for computer vision"; preprocessing, names and pools as pytorch-fid
    and torch-fidelity have them.
    """

    def __init__(self, weights: files.PathLike | None, *, features: int = 2048):
        """Builds the network and reads its weights.

        Args:
            weights: the `.npz` file; `~` is expanded.
            features: their number: 2048 of the last block, as in FID; 64, 192 or 768
                of earlier ones.

        Raises:
            ValueError: if there are no weights, the file cannot be read, or it has
                other names or shapes; or if `features` is another number.
        """
        if features not in _ENDPOINTS:
            raise ValueError(
                f"`features` must be one of {list(_ENDPOINTS)}. "
                f"Received: features={features}."
            )
        state = _read(weights)
        network = inception_network()
        assign(network, state)
        endpoint = network.get_layer(_ENDPOINTS[features]).output
        self._network = keras.Model(network.input, _mean_over_pixels(endpoint))
        # One trace for all numbers and sizes of images.
        pixels = tf.TensorSpec([None, _SIDE, _SIDE, 3], tf.float32)
        self._compiled = tf.function(self._features, input_signature=[pixels])

    def __call__(self, images: TensorLike) -> tf.Tensor:
        """Computes features.

        Args:
            images: uint8 `[B, H, W, C]`, or floating in [0, 1]; C is 3, or 1 for grey.

        Returns:
            float32 `[B, features]`, not negative.

        Raises:
            ValueError: if type or shape is another, or a pixel is not in [0, 1].
        """
        images = tf.convert_to_tensor(images)
        if images.dtype.is_floating:
            _check_range(images)
        return self._compiled(preprocess(images))

    def _features(self, pixels: tf.Tensor) -> tf.Tensor:
        return self._network(pixels, training=False)


def preprocess(images: TensorLike) -> tf.Tensor:
    """Pixels as the network takes them.

    Floating pixels are multiplied by 255 and truncated, images resized to 299 x 299
    as TensorFlow 1 did it (bilinear, corners of pixels as their centres, no filter
    where images shrink), and pixels p become (p - 128) / 128.

    Args:
        images: uint8 `[B, H, W, C]`, or floating in [0, 1]; C is 3, or 1 for grey, of
            which three copies are made.

    Returns:
        float32 `[B, 299, 299, 3]` in [-1, 0.9921875].

    Raises:
        ValueError: if type or shape is another.
    """
    images = tf.convert_to_tensor(images)
    if images.dtype == tf.uint8:
        images = tensor_checks.images("images", tf.cast(images, tf.float32))
    else:
        images = tf.floor(tensor_checks.images("images", images) * 255.0)
    if images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have 3 channels, or 1. "
            f"Received: images.shape={images.shape}."
        )
    images = tf.raw_ops.ResizeBilinear(
        images=images,
        size=[_SIDE, _SIDE],
        align_corners=False,
        half_pixel_centers=False,
    )
    if images.shape[-1] == 1:
        images = tf.repeat(images, 3, axis=-1)
    return (images - 128.0) / 128.0


def inception_network() -> keras.Model:
    """The network up to its last block, with all weights 0 until they are assigned.

    Layers are named as the modules of torch: `Mixed_5b.branch1x1.conv`, and `.bn`.

    Returns:
        Images float32 `[B, 299, 299, 3]` of `preprocess` -> `[B, 8, 8, 2048]`.
    """
    images = keras.Input((_SIDE, _SIDE, 3))
    x = _conv(images, "Conv2d_1a_3x3", 32, 3, strides=2)
    x = _conv(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _conv(x, "Conv2d_2b_3x3", 64, 3)
    x = _shrunk(x, "maxpool1")
    x = _conv(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    x = _shrunk(x, "maxpool2")
    x = _block_a(x, "Mixed_5b", pooled=32)
    x = _block_a(x, "Mixed_5c", pooled=64)
    x = _block_a(x, "Mixed_5d", pooled=64)
    x = _block_b(x, "Mixed_6a")
    x = _block_c(x, "Mixed_6b", width=128)
    x = _block_c(x, "Mixed_6c", width=160)
    x = _block_c(x, "Mixed_6d", width=160)
    x = _block_c(x, "Mixed_6e", width=192)
    x = _block_d(x, "Mixed_7a")
    x = _block_e(x, "Mixed_7b", _average)
    # FID's network has a maximum here, unlike other Inception networks.
    x = _block_e(x, "Mixed_7c", _maximum)
    network = keras.Model(images, x, name="inception_2015")
    network.trainable = False
    return network


def assign(network: keras.Model, state: Mapping[str, np.ndarray]) -> None:
    """Assigns weights in the names and layouts of torch.

    Args:
        network: of `inception_network`.
        state: name -> array. Those of the classifier, `fc.*`, and counters of batches
            are not used, and may be absent.

    Raises:
        ValueError: if a name is missing or unknown, or an array has another shape or
            is not finite.
    """
    variables = _variables(network)
    _check_names(variables, state)
    for name, variable in variables.items():
        value = np.asarray(state[name])
        if value.ndim == 4:  # [out, in, H, W] of torch
            value = value.transpose(2, 3, 1, 0)
        if value.shape != tuple(variable.shape):
            raise ValueError(
                f"Weights `{name}` must have the shape {tuple(variable.shape)} in the "
                f"layout of Keras. Received: {value.shape}."
            )
        if not np.isfinite(value).all():
            raise ValueError(f"Weights `{name}` must be finite. Received: NaN or inf.")
        variable.assign(value)


def _variables(network: keras.Model) -> dict[str, keras.Variable]:
    """Name in the state of torch -> variable."""
    found = {}
    for layer in network.layers:
        for name, attribute in _VARIABLES.get(layer.name.split(".")[-1], {}).items():
            found[f"{layer.name}.{name}"] = getattr(layer, attribute)
    return found


def _check_names(
    variables: Mapping[str, keras.Variable], state: Mapping[str, np.ndarray]
) -> None:
    missing = [name for name in variables if name not in state]
    if missing:
        raise ValueError(
            f"The weights must have all {len(variables)} arrays of the network. "
            f"Received: none of the name {missing[0]!r}, and {len(missing) - 1} others "
            f"that are missing. {_HOW_TO_MAKE}"
        )
    unknown = [
        name
        for name in state
        if name not in variables
        and name not in ("fc.weight", "fc.bias")
        and not name.endswith(".num_batches_tracked")
    ]
    if unknown:
        raise ValueError(
            "The weights must be those of the network alone. Received: the unknown "
            f"name {unknown[0]!r}, and {len(unknown) - 1} others. {_HOW_TO_MAKE}"
        )


def _read(path: files.PathLike | None) -> dict[str, np.ndarray]:
    if path is None:
        raise ValueError(
            "`weights` must name a file: the Inception network has no others. "
            f"Received: weights=None. {_HOW_TO_MAKE}"
        )
    with npz.opened(path, argument="weights", remedy=_HOW_TO_MAKE) as archive:
        return dict(archive)


def _check_range(images: tf.Tensor) -> None:
    low, high = float(tf.reduce_min(images)), float(tf.reduce_max(images))
    # NaN fails every comparison, and minimum and maximum pass it on.
    if not (low >= 0 and high <= 1):
        raise ValueError(
            "Floating `images` must be finite and within [0, 1]; clip them, or divide "
            f"8-bit pixels by 255. Received: minimum {low:g}, maximum {high:g}."
        )


def _conv(
    x: keras.KerasTensor,
    name: str,
    filters: int,
    kernel: int | tuple[int, int],
    *,
    strides: int = 1,
    padding: str = "same",
) -> keras.KerasTensor:
    """Convolution, batch normalisation and ReLU; without padding if it has strides."""
    x = keras.layers.Conv2D(
        filters,
        kernel,
        strides,
        "valid" if strides > 1 else padding,
        use_bias=False,
        kernel_initializer="zeros",
        dtype="float32",
        name=f"{name}.conv",
    )(x)
    x = keras.layers.BatchNormalization(
        epsilon=1e-3, dtype="float32", name=f"{name}.bn"
    )(x)
    return keras.layers.ReLU(dtype="float32")(x)


def _average(x: keras.KerasTensor) -> keras.KerasTensor:
    """Mean over 3 x 3 pixels, at a border of those inside alone."""
    return keras.layers.AveragePooling2D(3, 1, "same", dtype="float32")(x)


def _maximum(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.MaxPooling2D(3, 1, "same", dtype="float32")(x)


def _shrunk(x: keras.KerasTensor, name: str | None = None) -> keras.KerasTensor:
    return keras.layers.MaxPooling2D(3, 2, dtype="float32", name=name)(x)


def _joined(
    branches: list[keras.KerasTensor], name: str | None = None
) -> keras.KerasTensor:
    return keras.layers.Concatenate(dtype="float32", name=name)(branches)


def _mean_over_pixels(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.GlobalAveragePooling2D(dtype="float32")(x)


def _block_a(x: keras.KerasTensor, name: str, pooled: int) -> keras.KerasTensor:
    single = _conv(x, f"{name}.branch1x1", 64, 1)
    five = _conv(x, f"{name}.branch5x5_1", 48, 1)
    five = _conv(five, f"{name}.branch5x5_2", 64, 5)
    double = _conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    double = _conv(double, f"{name}.branch3x3dbl_2", 96, 3)
    double = _conv(double, f"{name}.branch3x3dbl_3", 96, 3)
    pool = _conv(_average(x), f"{name}.branch_pool", pooled, 1)
    return _joined([single, five, double, pool], name)


def _block_b(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    three = _conv(x, f"{name}.branch3x3", 384, 3, strides=2)
    double = _conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    double = _conv(double, f"{name}.branch3x3dbl_2", 96, 3)
    double = _conv(double, f"{name}.branch3x3dbl_3", 96, 3, strides=2)
    return _joined([three, double, _shrunk(x)], name)


def _block_c(x: keras.KerasTensor, name: str, width: int) -> keras.KerasTensor:
    single = _conv(x, f"{name}.branch1x1", 192, 1)
    seven = _conv(x, f"{name}.branch7x7_1", width, 1)
    seven = _conv(seven, f"{name}.branch7x7_2", width, (1, 7))
    seven = _conv(seven, f"{name}.branch7x7_3", 192, (7, 1))
    double = _conv(x, f"{name}.branch7x7dbl_1", width, 1)
    double = _conv(double, f"{name}.branch7x7dbl_2", width, (7, 1))
    double = _conv(double, f"{name}.branch7x7dbl_3", width, (1, 7))
    double = _conv(double, f"{name}.branch7x7dbl_4", width, (7, 1))
    double = _conv(double, f"{name}.branch7x7dbl_5", 192, (1, 7))
    pool = _conv(_average(x), f"{name}.branch_pool", 192, 1)
    return _joined([single, seven, double, pool], name)


def _block_d(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    three = _conv(x, f"{name}.branch3x3_1", 192, 1)
    three = _conv(three, f"{name}.branch3x3_2", 320, 3, strides=2)
    seven = _conv(x, f"{name}.branch7x7x3_1", 192, 1)
    seven = _conv(seven, f"{name}.branch7x7x3_2", 192, (1, 7))
    seven = _conv(seven, f"{name}.branch7x7x3_3", 192, (7, 1))
    seven = _conv(seven, f"{name}.branch7x7x3_4", 192, 3, strides=2)
    return _joined([three, seven, _shrunk(x)], name)


def _block_e(
    x: keras.KerasTensor,
    name: str,
    pool: Callable[[keras.KerasTensor], keras.KerasTensor],
) -> keras.KerasTensor:
    single = _conv(x, f"{name}.branch1x1", 320, 1)
    three = _conv(x, f"{name}.branch3x3_1", 384, 1)
    wide = _conv(three, f"{name}.branch3x3_2a", 384, (1, 3))
    high = _conv(three, f"{name}.branch3x3_2b", 384, (3, 1))
    double = _conv(x, f"{name}.branch3x3dbl_1", 448, 1)
    double = _conv(double, f"{name}.branch3x3dbl_2", 384, 3)
    double_wide = _conv(double, f"{name}.branch3x3dbl_3a", 384, (1, 3))
    double_high = _conv(double, f"{name}.branch3x3dbl_3b", 384, (3, 1))
    pooled = _conv(pool(x), f"{name}.branch_pool", 192, 1)
    return _joined([single, wide, high, double_wide, double_high, pooled], name)
