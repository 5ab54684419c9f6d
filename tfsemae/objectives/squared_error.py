"""Squared error of reconstructions, as a negative logarithm of a likelihood."""

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


def half_squared_error(a: TensorLike, b: TensorLike) -> tf.Tensor:
    """Half of the squared differences, summed over the numbers of an example.

    With x = a of p numbers, distributed as N(b, I), `half_squared_error(a, b)
    + 0.5 * p * ln(2 pi)` is the negative logarithm of its likelihood. With
    `kl_to_standard_normal` it adds up to the loss of a variational autoencoder, which
    a mean over the p numbers would weigh otherwise.

    Args:
        a: floating `[B, ...]`.
        b: floating, of the same shape.

    Returns:
        `[B]`, at least 0; float64 where `a` is, else float32.

    Raises:
        ValueError: if the arguments are not floating, have no batch axis, or differ in
            shape.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
            are not known before it runs.

    Source: E_g of ECE 417, lecture 22.

    Example:
        >>> from tfsemae import objectives
        >>> objectives.half_squared_error([[0.0, 2.0]], [[1.0, 0.0]]).numpy().tolist()
        [2.5]
    """
    a = checks.examples("a", a)
    a, b = tensor_checks.same_shape(a, checks.floating("b", b, a.dtype), ("a", "b"))
    axes = list(range(1, a.shape.rank))
    return 0.5 * tf.reduce_sum(tf.square(a - b), axis=axes)
