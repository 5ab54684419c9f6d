"""Structural similarity of image pairs, differentiable."""

import numpy as np
import tensorflow as tf

from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike

#: Side of the Gaussian window, the least side of an image, in pixels.
WINDOW = 11
_SIGMA = 1.5
_C1 = 0.01**2
_C2 = 0.03**2


def ssim(a: TensorLike, b: TensorLike) -> tf.Tensor:
    """Structural similarity of image pairs; higher is better.

    With `E{x}` the mean of `x` under an 11 x 11 Gaussian window (sigma 1.5)
    around a pixel, `ma = E{a}`, `mb = E{b}`, c1 = 0.01**2 and c2 = 0.03**2:

        luminance = (2 ma mb + c1) / (ma**2 + mb**2 + c1)
        structure = (2 (E{ab} - ma mb) + c2)
                  / (E{a**2} - ma**2 + E{b**2} - mb**2 + c2)

    and the result is the mean of `luminance * structure` over all pixels whose
    window lies inside the image, and over channels. Within [0, 1] values and
    gradients are finite, also those of constant images. At equal images the
    gradient vanishes: an ascent of `1 - ssim` must begin elsewhere.

    Args:
        a: floating `[B, H, W, C]`, nominal range [0, 1], H and W statically
            known and at least 11.
        b: as `a`, of the same shape.

    Returns:
        `[B]` in [-1, 1], 1 for equal images; float64 where `a` is, else float32,
        then within 1e-4 of the value in float64. On a GPU that takes
        `tf.config.experimental.enable_tensor_float_32_execution(False)`: the
        variances are small differences, of which the 10 bits of TensorFloat-32
        leave nothing in flat regions.

    Raises:
        ValueError: if the images are not floating `[B, H, W, C]` of one shape, or
            are smaller than the window.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
            are not known before it runs.

    Source: Wang et al. 2004, "Image quality assessment: from error visibility to
    structural similarity"; Lu 2023, Algorithm 1, where 1 - SSIM is the objective of
    the attack in adversarial training.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import objectives
        >>> black, white = tf.zeros([1, 16, 16, 1]), tf.ones([1, 16, 16, 1])
        >>> print(f"{objectives.ssim(black, white)[0]:.5f}")  # 1e-4 / 1.0001
        0.00010
    """
    return mean_similarity(*checks.image_pair(a, b))


def mean_similarity(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """`ssim` of images that are checked: float32 or float64 `[B, H, W, C]` -> `[B]`."""
    luminance, structure = local_terms(a, b)
    return tf.reduce_mean(luminance * structure, axis=[1, 2, 3])


def local_terms(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Luminance and structure at all pixels whose window lies inside the image.

    Args:
        a: float32 or float64 `[B, H, W, C]`, H and W known and at least 11.
        b: of the type and shape of `a`.

    Returns:
        Two tensors `[B, C, W - 10, H - 10]`.

    Raises:
        ValueError: if the images are smaller than the window.
    """
    rows = tf.constant(_window_matrix(a.shape[1]), a.dtype)
    columns = tf.constant(_window_matrix(a.shape[2]), a.dtype)

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
    return luminance, structure


def _window_matrix(size: int | None) -> np.ndarray:
    """Gaussian windows at every valid position, float64 `[size - 10, size]`."""
    if size is None or size < WINDOW:
        raise ValueError(
            f"SSIM needs images of a known size, at least {WINDOW} x {WINDOW} "
            f"pixels. Received: a side of {size} pixels."
        )
    radius = WINDOW // 2
    centers = np.arange(radius, size - radius)[:, np.newaxis]
    distance = np.abs(np.arange(size) - centers)
    weight = np.exp(-0.5 * (distance / _SIGMA) ** 2) * (distance <= radius)
    return weight / weight.sum(axis=1, keepdims=True)
