"""Kullback-Leibler divergence of an encoder's Gaussians to the prior."""

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


def kl_to_standard_normal(mean: TensorLike, log_variance: TensorLike) -> tf.Tensor:
    """KL(q || p) of diagonal Gaussians q to the standard normal p, per example.

    Computes `0.5 * sum{ mean**2 + exp(log_variance) - 1 - log_variance }`.

    Args:
        mean: floating `[B, ...]`, of q.
        log_variance: floating, of the same shape, natural logarithm of the variance
            of q.

    Returns:
        `[B]`, nats; 0 where q is the prior, else positive. float64 where `mean` is,
        else float32.

    Raises:
        ValueError: if the arguments are not floating, have no batch axis, or differ
            in shape.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
            are not known before it runs.

    Source: Lu 2023, eq. (1), without its mean over the batch; Kingma and Welling
    2014, "Auto-encoding variational Bayes", appendix B; E_f of ECE 417, lecture 22.

    Example:
        >>> from tfsemae import objectives
        >>> kl = objectives.kl_to_standard_normal([[0.0], [2.0]], [[0.0], [0.0]])
        >>> kl.numpy().tolist()  # 2**2 / 2
        [0.0, 2.0]
    """
    mean = checks.examples("mean", mean)
    log_variance = checks.floating("log_variance", log_variance, mean.dtype)
    names = "mean", "log_variance"
    mean, log_variance = tensor_checks.same_shape(mean, log_variance, names)
    # Near the prior, exp(v) - 1 would leave rounding errors only.
    terms = tf.square(mean) + (tf.math.expm1(log_variance) - log_variance)
    return 0.5 * tf.reduce_sum(terms, axis=list(range(1, mean.shape.rank)))
