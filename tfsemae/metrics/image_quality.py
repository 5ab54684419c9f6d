"""Similarity of image pairs, as functions and as Keras metrics.

The functions return one value per pair and work eagerly, inside `tf.function`
and under XLA. The metrics average those values over all pairs seen, whatever
the sizes of the batches.
"""

import math
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

TensorLike: TypeAlias = tf.types.experimental.TensorLike

# One 8-bit grey level: a smaller root mean squared error cannot be displayed.
_SQUARED_ERROR_FLOOR = 1.0 / 255.0**2

_WINDOW = 11
_SIGMA = 1.5
_C1 = 0.01**2
_C2 = 0.03**2


def psnr(a: TensorLike, b: TensorLike) -> tf.Tensor:
    """Peak signal-to-noise ratio of image pairs; higher is better.

    Computes `-10 * log10(max(mean{ (a - b)**2 }, 1 / 255**2))`. The floor on the
    squared error keeps a perfect pair at 48.13 dB instead of infinity, so that
    means and differences of means exist.

    Args:
        a: floating `[B, H, W, C]`, nominal range [0, 1] (the peak is 1; values
            outside are not clipped).
        b: as `a`, of the same shape.

    Returns:
        float32 `[B]`, dB: 48.13 at most, 0 for black against white, negative
        only if pixels leave [0, 1].

    Raises:
        ValueError: if the images are not floating `[B, H, W, C]` of one shape.

    Source: Ming 2022, Table II; the floor is our choice.
    """
    a, b = _image_pair(a, b)
    error = tf.reduce_mean(tf.math.squared_difference(a, b), axis=[1, 2, 3])
    error = tf.maximum(error, _SQUARED_ERROR_FLOOR)
    return tf.math.log(error) * (-10.0 / math.log(10.0))


def ssim(a: TensorLike, b: TensorLike) -> tf.Tensor:
    """Structural similarity of image pairs; higher is better.

    With `E{x}` the mean of `x` under an 11 x 11 Gaussian window (sigma 1.5)
    around a pixel, `ma = E{a}`, `mb = E{b}`, c1 = 0.01**2 and c2 = 0.03**2:

        luminance = (2 ma mb + c1) / (ma**2 + mb**2 + c1)
        structure = (2 (E{ab} - ma mb) + c2)
                  / (E{a**2} - ma**2 + E{b**2} - mb**2 + c2)

    and the result is the mean of `luminance * structure` over all pixels whose
    window lies inside the image, and over channels.

    Args:
        a: floating `[B, H, W, C]`, nominal range [0, 1], H and W statically
            known and at least 11.
        b: as `a`, of the same shape.

    Returns:
        float32 `[B]` in [-1, 1], 1 for equal images; 100 times this is the
        percentage of the paper. Within 1e-4 of the value in float64; on a GPU
        only where TensorFloat-32 is off (`tf.config.experimental.
        enable_tensor_float_32_execution(False)`): the variances are small
        differences, of which its 10 bits leave nothing in flat regions.

    Raises:
        ValueError: if the images are not floating `[B, H, W, C]` of one shape,
            or are smaller than the window.

    Source: Ming 2022, Table II; constants (our choice) from Wang et al. 2004,
    "Image quality assessment: from error visibility to structural similarity".
    """
    a, b = _image_pair(a, b)
    rows = _window_matrix(a.shape[1])
    columns = _window_matrix(a.shape[2])

    # The mean over pixels does not care for their order: channels first, each
    # axis is one matrix product, and nothing is moved back.
    a, b = (tf.transpose(x, [0, 3, 1, 2]) for x in (a, b))

    def local_mean(x: tf.Tensor) -> tf.Tensor:
        # The window is separable. As a banded matrix it takes less time than a
        # depthwise convolution, and without oneDNN a tenth or less.
        x = tf.einsum("bchw,jw->bchj", x, columns)
        return tf.einsum("bchj,ih->bcji", x, rows)

    mean_a, mean_b = local_mean(a), local_mean(b)
    product = mean_a * mean_b
    squares = tf.square(mean_a) + tf.square(mean_b)
    covariance = local_mean(a * b) - product
    variances = local_mean(tf.square(a) + tf.square(b)) - squares
    luminance = (2.0 * product + _C1) / (squares + _C1)
    structure = (2.0 * covariance + _C2) / (variances + _C2)
    return tf.reduce_mean(luminance * structure, axis=[1, 2, 3])


@keras.saving.register_keras_serializable(package="tfsemae")
class PSNR(keras.metrics.MeanMetricWrapper):
    """Mean of `psnr` over all image pairs, dB; higher is better."""

    def __init__(self, name: str = "psnr", dtype: str | None = None):
        """Starts an empty mean; `name` and `dtype` are as in every Keras metric."""
        super().__init__(psnr, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="tfsemae")
class SSIM(keras.metrics.MeanMetricWrapper):
    """Mean of `ssim` over all image pairs, in [-1, 1]; higher is better."""

    def __init__(self, name: str = "ssim", dtype: str | None = None):
        """Starts an empty mean; `name` and `dtype` are as in every Keras metric."""
        super().__init__(ssim, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {"name": self.name, "dtype": self.dtype}


def _image_pair(a: TensorLike, b: TensorLike) -> tuple[tf.Tensor, tf.Tensor]:
    a, b = _images("a", a), _images("b", b)
    if not a.shape.is_compatible_with(b.shape):
        raise ValueError(
            "`a` and `b` must have the same shape. "
            f"Received: a.shape={a.shape}, b.shape={b.shape}."
        )
    return a, b


def _images(name: str, value: TensorLike) -> tf.Tensor:
    value = tf.convert_to_tensor(value)
    if not value.dtype.is_floating:
        raise ValueError(
            f"`{name}` must be floating, in [0, 1]; divide 8-bit pixels by 255. "
            f"Received: {name}.dtype={value.dtype.name}."
        )
    if value.shape.rank != 4:
        raise ValueError(
            f"`{name}` must have the shape [B, H, W, C]. "
            f"Received: {name}.shape={value.shape}."
        )
    return tf.cast(value, tf.float32)


def _window_matrix(size: int | None) -> np.ndarray:
    """Gaussian windows at every valid position, float32 `[size - 10, size]`."""
    if size is None or size < _WINDOW:
        raise ValueError(
            f"SSIM needs images of a known size, at least {_WINDOW} x {_WINDOW} "
            f"pixels. Received: a side of {size} pixels."
        )
    radius = _WINDOW // 2
    centers = np.arange(radius, size - radius)[:, np.newaxis]
    distance = np.abs(np.arange(size) - centers)
    weight = np.exp(-0.5 * (distance / _SIGMA) ** 2) * (distance <= radius)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)
