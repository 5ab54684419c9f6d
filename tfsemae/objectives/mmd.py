"""Maximum mean discrepancy between codes and samples of the prior."""

import math
from collections.abc import Callable

import tensorflow as tf

from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


def mmd(
    codes: TensorLike,
    prior_samples: TensorLike,
    *,
    kernel: str = "rbf",
    scale: float | None = None,
    unbiased: bool = True,
) -> tf.Tensor:
    """Squared maximum mean discrepancy of two samples; lower is better.

    With `mean{k(a, b)}` over all pairs of a row of the one and of the other:

        mean{k(codes, codes)} + mean{k(prior, prior)} - 2 mean{k(codes, prior)}

    The unbiased estimate leaves out the pairs of a row with itself in the first two
    means. Kernels:

        rbf: exp(-|a - b|**2 / (2 scale))
        imq: C / (C + |a - b|**2), C = 4 scale

    Two prior samples of D features are at a mean squared distance of 2 D. Memory grows
    with N**2, not with N**2 D.

    Args:
        codes: floating `[N, D]`; N at least 2 for the unbiased estimate.
        prior_samples: floating `[M, D]`, standard normal; M at least 2 likewise.
        kernel: "rbf" or "imq".
        scale: squared length scale of the kernel; D by default.
        unbiased: which estimate. Where codes are samples of the prior, the unbiased
            one has the mean 0, and so is often negative. The biased one is not, up to
            rounding; its mean is 2 (1 - k) / N there, with k the mean of the kernel
            over pairs of prior samples and M = N.

    Returns:
        Scalar, at most 2; float64 where `codes` are, else float32. On a GPU only to 3
        digits of the kernel where TensorFloat-32 is on.

    Raises:
        ValueError: if the arguments are not floating `[N, D]` of one D, a sample is
            too small, the kernel is unknown, or the scale is not positive.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if a sample is too
            small whose size is not known before it runs.

    Source: Lu 2023, eq. (2); Gretton et al. 2012, "A kernel two-sample test", eqs.
    (3) and (5). The kernel is not printed: "rbf" is our choice, "imq" is that of
    Tolstikhin et al. 2018, "Wasserstein auto-encoders", with twice its C, as
    PyTorch-VAE has it.

    Example:
        >>> from tfsemae import objectives
        >>> codes, prior = [[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]
        >>> round(float(objectives.mmd(codes, prior)), 5)
        0.17227
    """
    if kernel not in _KERNELS:
        raise ValueError(
            f"`kernel` must be one of {', '.join(_KERNELS)}. "
            f"Received: kernel={kernel!r}."
        )
    if scale is not None and not 0 < scale < math.inf:
        raise ValueError(f"`scale` must be a positive number. Received: scale={scale}.")
    least = 2 if unbiased else 1
    codes = checks.matrix("codes", codes, least=least)
    prior = checks.matrix("prior_samples", prior_samples, codes.dtype, least=least)
    if codes.shape[1] != prior.shape[1]:
        raise ValueError(
            "`codes` and `prior_samples` must have equally many features. "
            f"Received: {codes.shape[1]} and {prior.shape[1]}."
        )
    of_distance = _KERNELS[kernel]
    chosen = float(codes.shape[1] if scale is None else scale)

    def within(sample: tf.Tensor) -> tf.Tensor:
        values = of_distance(_squared_distances(sample, sample), chosen)
        others = tf.reduce_sum(values) - tf.linalg.trace(values)
        count = checks.row_count(sample)
        if unbiased:
            return others / (count * (count - 1))
        return (others + count) / count**2  # k(a, a) = 1

    across = tf.reduce_mean(of_distance(_squared_distances(codes, prior), chosen))
    return within(codes) + within(prior) - 2 * across


def _squared_distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """`|a_i - b_j|**2` as `[N, M]`, by one matrix product."""
    # Far from the origin, squares of the coordinates would leave no digits. The
    # distances do not depend on this shift, and so neither do their gradients.
    centre = tf.stop_gradient(tf.reduce_mean(a, axis=0))
    a, b = a - centre, b - centre
    squares_a = tf.reduce_sum(tf.square(a), axis=1, keepdims=True)
    squares_b = tf.reduce_sum(tf.square(b), axis=1)
    return tf.maximum(squares_a + squares_b - 2 * tf.matmul(a, b, transpose_b=True), 0)


def _rbf(squared_distances: tf.Tensor, scale: float) -> tf.Tensor:
    return tf.exp(squared_distances / (-2 * scale))


def _imq(squared_distances: tf.Tensor, scale: float) -> tf.Tensor:
    constant = 4 * scale
    return constant / (constant + squared_distances)


_KERNELS: dict[str, Callable[[tf.Tensor, float], tf.Tensor]] = {
    "rbf": _rbf,
    "imq": _imq,
}
