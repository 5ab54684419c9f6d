"""Similarity of image pairs, as functions and as Keras metrics.

The functions return one value per pair and work eagerly, inside `tf.function`
and under XLA. The metrics average those values over all pairs seen, whatever
the sizes of the batches.
"""

import math

import keras
import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives.ssim import mean_similarity
from tfsemae.tensor_checks import TensorLike

# One 8-bit grey level: a smaller root mean squared error cannot be displayed.
_SQUARED_ERROR_FLOOR = 1.0 / 255.0**2


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
        tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
            are not known before it runs.

    Source: Ming 2022, Table II; the floor is our choice.
    """
    error = tf.maximum(_squared_error(a, b), _SQUARED_ERROR_FLOOR)
    return _decibel(error)


def psnr_pooled(a: TensorLike, b: TensorLike, *, data_range: float = 1.0) -> tf.Tensor:
    """Peak signal-to-noise ratio of all images as one signal; higher is better.

    Computes `10 * log10(data_range**2 / mean{ (a - b)**2 })` with the mean over all
    pixels of all images. It is at most the mean of `psnr` without its floor, and a few
    bad images decide it. `PSNRPooled` pools over several batches.

    Args:
        a: floating `[B, H, W, C]`, B at least 1.
        b: as `a`, of the same shape.
        data_range: greatest minus least value that a pixel can have, not that of
            these images; 1 for [0, 1].

    Returns:
        float32 scalar, dB; infinite where all images are equal.

    Raises:
        ValueError: if the images are not floating `[B, H, W, C]` of one shape, or
            `data_range` is not positive and finite.
        tf.errors.InvalidArgumentError: as `psnr`.

    Source: Lu 2023, section 4.2, by the PSNR of TorchMetrics.

    Example:
        >>> from tfsemae import metrics
        >>> a, b = [[[[0.0, 1.0, 2.0, 3.0]]]], [[[[3.0, 2.0, 1.0, 0.0]]]]
        >>> print(f"{metrics.psnr_pooled(a, b, data_range=3.0):.4f}")  # 10 log10(9 / 5)
        2.5527
    """
    offset = _range_in_decibel(data_range)
    a, b = tensor_checks.image_pair(a, b)
    return _decibel(tf.reduce_mean(tf.math.squared_difference(a, b))) + offset


def ssim(a: TensorLike, b: TensorLike) -> tf.Tensor:
    """Structural similarity of image pairs; higher is better.

    The mean of `luminance * structure` over all pixels whose 11 x 11 window lies
    inside the image, and over channels; `objectives.ssim` has the formulas. This is
    that function in float32.

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
        tf.errors.InvalidArgumentError: as `psnr`.

    Source: Ming 2022, Table II; constants (our choice) from Wang et al. 2004,
    "Image quality assessment: from error visibility to structural similarity".
    """
    return mean_similarity(*tensor_checks.image_pair(a, b))


@keras.saving.register_keras_serializable(package="tfsemae")
class PSNR(keras.metrics.MeanMetricWrapper):
    """Mean of `psnr` over all image pairs, dB; higher is better."""

    def __init__(self, name: str = "psnr", dtype: str | None = None):
        """Starts an empty mean.

        Args:
            name: as in every Keras metric.
            dtype: of the running sums; float32 by default, whatever Keras' policy.
        """
        super().__init__(psnr, name=name, dtype=dtype or "float32")
        self._direction = "up"

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="tfsemae")
class SSIM(keras.metrics.MeanMetricWrapper):
    """Mean of `ssim` over all image pairs, in [-1, 1]; higher is better."""

    def __init__(self, name: str = "ssim", dtype: str | None = None):
        """Starts an empty mean.

        Args:
            name: as in every Keras metric.
            dtype: of the running sums; float32 by default, whatever Keras' policy.
        """
        super().__init__(ssim, name=name, dtype=dtype or "float32")
        self._direction = "up"

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="tfsemae")
class PSNRPooled(keras.metrics.MeanMetricWrapper):
    """`psnr_pooled` of all image pairs seen, dB; higher is better.

    The squared error is pooled over batches, then the logarithm is taken. Images of
    different sizes count by their pixels.
    """

    def __init__(
        self,
        data_range: float = 1.0,
        name: str = "psnr_pooled",
        dtype: str | None = None,
    ):
        """Starts an empty mean.

        Args:
            data_range: see `psnr_pooled`.
            name: as in every Keras metric.
            dtype: of the running sums; float32 by default, whatever Keras' policy.

        Raises:
            ValueError: if `data_range` is not positive and finite.
        """
        super().__init__(_squared_error, name=name, dtype=dtype or "float32")
        self._offset = _range_in_decibel(data_range)
        self.data_range = data_range
        self._direction = "up"

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Adds a batch of image pairs; a weight is that of each pixel of an image."""
        pixels = tf.cast(tf.reduce_prod(tf.shape(y_pred)[1:]), self.dtype)
        if sample_weight is None:
            weight = tf.fill(tf.shape(y_pred)[:1], pixels)
        else:
            weight = pixels * tf.cast(sample_weight, self.dtype)
        super().update_state(y_true, y_pred, sample_weight=weight)

    def result(self) -> tf.Tensor:
        """The ratio, dB; infinite where all images are equal, NaN before the first."""
        return _decibel(self.total / self.count) + self._offset

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {
            "data_range": self.data_range,
            "name": self.name,
            "dtype": self.dtype,
        }


def _squared_error(a: TensorLike, b: TensorLike) -> tf.Tensor:
    """Mean over the pixels of each pair, float32 `[B]`."""
    a, b = tensor_checks.image_pair(a, b)
    return tf.reduce_mean(tf.math.squared_difference(a, b), axis=[1, 2, 3])


def _decibel(squared_error: tf.Tensor) -> tf.Tensor:
    return tf.math.log(squared_error) * (-10.0 / math.log(10.0))


def _range_in_decibel(data_range: float) -> float:
    """`10 * log10(data_range**2)`."""
    if not 0 < data_range < math.inf:
        raise ValueError(
            "`data_range` must be positive and finite; 1 for pixels in [0, 1]. "
            f"Received: data_range={data_range}."
        )
    return 20 * math.log10(data_range)
