"""Mean and spread of codes, which the Shapiro-Wilk statistic does not see."""

import tensorflow as tf

from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike

#: Added to a variance: keeps the gradient of a constant feature finite.
_LEAST_VARIANCE = 1e-12


def moments_regularizer(codes: TensorLike) -> tf.Tensor:
    """Distance of the first two moments from those of the prior; lower is better.

    Computes `mean_j{ mean_j**2 + (std_j - 1)**2 }` over features j, with the variance
    `sum{ (x - mean)**2 } / (N - 1)`, which has the mean 1 for samples of the prior.

    Args:
        codes: floating `[N, D]`, N at least 2.

    Returns:
        Scalar, at least 0; float64 where `codes` are, else float32. About 1 for codes
        that are all 0, where its gradient is 0.

    Raises:
        ValueError: if the codes are not floating `[N, D]`, or too few.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if they are too few
            and N is not known before it runs.

    Source: our addition to Lu 2023, eq. (3).

    Example:
        >>> from tfsemae import objectives
        >>> round(float(objectives.moments_regularizer([[1.0], [3.0], [5.0]])), 4)
        10.0
    """
    codes = checks.matrix("codes", codes, least=2)
    mean = tf.reduce_mean(codes, axis=0)
    squares = tf.reduce_sum(tf.square(codes - mean), axis=0)
    deviation = tf.sqrt(squares / (checks.row_count(codes) - 1) + _LEAST_VARIANCE)
    return tf.reduce_mean(tf.square(mean) + tf.square(deviation - 1))
