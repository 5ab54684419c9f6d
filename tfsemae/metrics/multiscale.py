"""Similarity of image pairs at several scales, as a function and a Keras metric."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives.ssim import WINDOW, local_terms
from tfsemae.tensor_checks import TensorLike

# Of Wang et al. 2003; their sum is 1.0001.
_POWER_FACTORS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ms_ssim(
    a: TensorLike, b: TensorLike, *, power_factors: Sequence[float] = _POWER_FACTORS
) -> tf.Tensor:
    """Structural similarity of image pairs at several scales; higher is better.

    With `ssim_k` and `structure_k` the means over pixels of `luminance * structure`
    and of `structure` of `ssim`, of one channel of images that were halved k - 1
    times (means of 2 x 2 pixels; an odd side is first lengthened by its last row or
    column), and p_k the power factors of K scales:

        max(ssim_K, 0)**p_K * product_(k < K){ max(structure_k, 0)**p_k }

    and the result is the mean over channels.

    Args:
        a: floating `[B, H, W, C]`, nominal range [0, 1], H and W statically known and
            at least `10 * 2**(K - 1) + 1`: 161 at 5 scales, 21 at 2.
        b: as `a`, of the same shape.
        power_factors: one positive number per scale, the finest first. By default the
            five of the paper. `(1.0,)` gives `ssim`, negative values cut off.

    Returns:
        float32 `[B]` in [0, 1], 1 for equal images. A gradient through it is not
        finite where a scale has the similarity 0; attacks take `objectives.ssim`.

    Raises:
        ValueError: if the images are not floating `[B, H, W, C]` of one shape, or are
            too small for the scales, or a power factor is not positive.
        tf.errors.InvalidArgumentError: as `psnr`.

    Source: Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for
    image quality assessment", eq. (7); halving as `tf.image.ssim_multiscale`.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import metrics
        >>> black, white = tf.zeros([1, 28, 28, 1]), tf.ones([1, 28, 28, 1])
        >>> value = metrics.ms_ssim(black, white, power_factors=(0.5, 0.5))
        >>> print(f"{value[0]:.3f}")  # the root of 1e-4 / 1.0001
        0.010
    """
    a, b = tensor_checks.image_pair(a, b)
    _check_power_factors(power_factors)
    _check_scales(a.shape[1:3], len(power_factors))
    result = tf.constant(1.0)
    for power in power_factors[:-1]:
        _, structure = local_terms(a, b)
        result *= _power(tf.reduce_mean(structure, axis=[2, 3]), power)
        a, b = _halved(a), _halved(b)
    luminance, structure = local_terms(a, b)
    similarity = tf.reduce_mean(luminance * structure, axis=[2, 3])
    return tf.reduce_mean(result * _power(similarity, power_factors[-1]), axis=1)


@keras.saving.register_keras_serializable(package="tfsemae")
class MSSSIM(keras.metrics.MeanMetricWrapper):
    """Mean of `ms_ssim` over all image pairs, in [0, 1]; higher is better."""

    def __init__(
        self,
        power_factors: Sequence[float] = _POWER_FACTORS,
        name: str = "ms_ssim",
        dtype: str | None = None,
    ):
        """Starts an empty mean.

        Args:
            power_factors: see `ms_ssim`.
            name: as in every Keras metric.
            dtype: of the running sums; float32 by default, whatever Keras' policy.

        Raises:
            ValueError: if a power factor is not positive.
        """
        _check_power_factors(power_factors)
        self.power_factors = tuple(power_factors)
        super().__init__(
            ms_ssim,
            name=name,
            dtype=dtype or "float32",
            power_factors=self.power_factors,
        )
        self._direction = "up"

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {
            "power_factors": list(self.power_factors),
            "name": self.name,
            "dtype": self.dtype,
        }


def _check_power_factors(power_factors: Sequence[float]) -> None:
    if not len(power_factors) or not all(0 < p < math.inf for p in power_factors):
        raise ValueError(
            "`power_factors` must be positive numbers, one per scale. "
            f"Received: power_factors={power_factors}."
        )


def _check_scales(size: Sequence[int | None], scales: int) -> None:
    """Checks that the window fits into images that are halved `scales - 1` times."""
    least = (WINDOW - 1) * 2 ** (scales - 1) + 1
    for side in size:
        if side is None or side < least:
            raise ValueError(
                f"MS-SSIM at {scales} scales needs images of a known size, at least "
                f"{least} x {least} pixels; for smaller ones give fewer "
                f"`power_factors`. Received: a side of {side} pixels."
            )


def _halved(x: tf.Tensor) -> tf.Tensor:
    """Means of 2 x 2 pixels, the last row or column twice where a side is odd."""
    odd = [[0, 0], [0, x.shape[1] % 2], [0, x.shape[2] % 2], [0, 0]]
    return tf.nn.avg_pool2d(tf.pad(x, odd, mode="SYMMETRIC"), 2, 2, "VALID")


def _power(similarity: tf.Tensor, exponent: float) -> tf.Tensor:
    return tf.pow(tf.maximum(similarity, 0.0), exponent)
