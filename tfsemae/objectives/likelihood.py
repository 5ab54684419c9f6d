"""Negative logarithms of the likelihood of images, given what a decoder says."""

import math

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


def bernoulli_nll(
    values: TensorLike, probabilities: TensorLike, *, epsilon: float = 1e-6
) -> tf.Tensor:
    """Negative log-likelihood of independent Bernoulli numbers, per example.

    Computes `-sum{ x * log(p) + (1 - x) * log(1 - p) }`, with p clipped to
    [epsilon, 1 - epsilon]; its gradient is 0 where p is clipped.

    `keras.losses.binary_crossentropy` is the mean in place of the sum, and clips at
    `keras.config.epsilon()`, 1e-7. Where no p is clipped, the mean over n numbers
    times n is this function.

    Args:
        values: floating `[B, ...]` in [0, 1], x; fractions are allowed.
        probabilities: floating, of the same shape, in [0, 1], p.
        epsilon: above 0 and below 0.5.

    Returns:
        `[B]`, nats, not negative; float64 where `values` is, else float32.

    Raises:
        ValueError: if the arguments are not floating, have no batch axis, or differ in
            shape, or `epsilon` is out of range.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
            are not known before it runs.

    Source: Tabacof 2016, released code, the loss on MNIST.

    Example:
        >>> from tfsemae import objectives
        >>> nll = objectives.bernoulli_nll([[1.0, 0.0]], [[0.5, 0.75]])
        >>> print(f"{nll[0]:.4f}")  # log(2) + log(4)
        2.0794
    """
    if not 0 < epsilon < 0.5:
        raise ValueError(
            f"`epsilon` must be above 0 and below 0.5. Received: epsilon={epsilon}."
        )
    x = checks.examples("values", values)
    p = checks.floating("probabilities", probabilities, x.dtype)
    x, p = tensor_checks.same_shape(x, p, ("values", "probabilities"))
    p = tf.clip_by_value(p, epsilon, 1 - epsilon)
    terms = x * tf.math.log(p) + (1 - x) * tf.math.log1p(-p)
    return -tf.reduce_sum(terms, axis=list(range(1, x.shape.rank)))


def normal_nll(
    values: TensorLike,
    mean: TensorLike,
    log_variance: TensorLike,
    *,
    epsilon: float = 1e-8,
) -> tf.Tensor:
    """Negative log-likelihood of independent normal numbers, per example.

    Computes `sum{ log(2 pi) / 2 + v / 2 + (x - mean)**2 / (2 exp(v) + epsilon) }` of
    v = log_variance; with epsilon = 0 it is exact. In other units of x, such as
    standardised ones, it differs by a constant.

    Args:
        values: floating `[B, ...]`, x.
        mean: floating, of the same shape.
        log_variance: floating, of the same shape, natural logarithm of the variance of
            each number.
        epsilon: not negative, in units of the variance.

    Returns:
        `[B]`, nats; of densities, so that it may be negative. float64 where `values`
        is, else float32.

    Raises:
        ValueError: if the arguments are not floating, have no batch axis, or differ in
            shape, or `epsilon` is negative.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
            are not known before it runs.

    Source: Tabacof 2016, released code, the loss on SVHN.

    Example:
        >>> from tfsemae import objectives
        >>> nll = objectives.normal_nll([[0.0]], [[2.0]], [[0.0]], epsilon=0.0)
        >>> print(f"{nll[0]:.4f}")  # log(2 pi) / 2 + 2
        2.9189
    """
    if not epsilon >= 0:
        raise ValueError(
            f"`epsilon` must not be negative. Received: epsilon={epsilon}."
        )
    x = checks.examples("values", values)
    mean = checks.floating("mean", mean, x.dtype)
    v = checks.floating("log_variance", log_variance, x.dtype)
    x, mean = tensor_checks.same_shape(x, mean, ("values", "mean"))
    x, v = tensor_checks.same_shape(x, v, ("values", "log_variance"))
    scaled = tf.square(x - mean) / (2 * tf.exp(v) + epsilon)
    terms = (math.log(2 * math.pi) + v) / 2 + scaled
    return tf.reduce_sum(terms, axis=list(range(1, x.shape.rank)))
