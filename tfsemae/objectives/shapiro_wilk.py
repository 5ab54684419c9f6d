"""The Shapiro-Wilk statistic of normality, as a differentiable regulariser.

W is the squared correlation of the sorted sample with weights that are nearly
proportional to what is expected of a sorted normal sample: near 1 for normal samples of
any mean and variance. Weights and p-values are Royston's approximations, which
`scipy.stats.shapiro` uses as well.
"""

import math
from typing import Any

import tensorflow as tf

from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike

#: Added to the sum of squares: keeps W and its gradient finite for a constant feature.
_LEAST_SQUARES = 1e-12
#: Royston's p-values are fitted up to this sample size.
_LARGEST_SAMPLE = 5000
# Coefficients of polynomials, the constant first. Of the two largest weights, in
# 1 / sqrt(n), beside their first terms:
_LARGEST_WEIGHT = (0.0, 0.221157, -0.147981, -2.071190, 4.434685, -2.706056)
_SECOND_WEIGHT = (0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633)
# Of the distribution of a transformed W; n up to 11, in n:
_SMALL_BOUND = (-2.273, 0.459)
_SMALL_MEAN = (0.5440, -0.39978, 0.025054, -0.0006714)
_SMALL_LOG_DEVIATION = (1.3822, -0.77857, 0.062767, -0.0020322)
# From 12 on, in log(n):
_MEAN = (-1.5861, -0.31082, -0.083751, 0.0038915)
_LOG_DEVIATION = (-0.4803, -0.082676, 0.0030302)


def shapiro_wilk(codes: TensorLike) -> tf.Tensor:
    """The statistic W of each feature; higher is more normal.

    With x sorted, weights a of which the squares add up to 1, and n rows:

        W = sum_i{ a_i x_i }**2 / (sum_i{ (x_i - mean)**2 } + 1e-12)

    It does not depend on the mean and the scale of a feature, as long as the sum of
    squares is large beside 1e-12. Of n = 64 standard normal numbers the mean of W is
    0.981, and 1 of 20 samples is below 0.963.

    Args:
        codes: floating `[N, D]`, N at least 3; the approximation of the weights was
            checked up to N = 5000.

    Returns:
        `[D]`, at most 1, up to rounding; float64 where `codes` are, else float32. 0,
        with gradient 0, for a feature that is constant; else at least
        `N a_1**2 / (N - 1)`. The gradient is of the order of one over the standard
        deviation.

    Raises:
        ValueError: if the codes are not floating `[N, D]`, or too few.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if they are too few
            and N is not known before it runs.

    Source: Shapiro and Wilk 1965; weights of Royston 1992, "Approximating the
    Shapiro-Wilk W-test for non-normality"; the constant is our choice.

    Example:
        >>> from tfsemae import objectives
        >>> codes = [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]
        >>> round(float(objectives.shapiro_wilk(codes)[0]), 5)
        0.97486
    """
    codes = checks.matrix("codes", codes, least=3)
    # Neither step changes the gradient; from the first row, what is constant is
    # exactly 0, and no statistic is made of rounding errors.
    moved = codes - tf.stop_gradient(codes[:1])
    centred = moved - tf.reduce_mean(moved, axis=0)
    weights = tf.cast(_weights(tf.shape(codes)[0]), codes.dtype)
    products = weights[:, tf.newaxis] * tf.sort(centred, axis=0)
    # Unsorted: a NaN, which a sort may put anywhere, always makes W a NaN.
    squares = tf.reduce_sum(tf.square(centred), axis=0) + _LEAST_SQUARES
    return tf.square(tf.reduce_sum(products, axis=0)) / squares


def shapiro_wilk_p_value(statistic: TensorLike, count: int) -> tf.Tensor:
    """Probability of a W at most as large, of a normal sample.

    Args:
        statistic: floating, any shape, W of samples of one size.
        count: that size, 3 to 5000.

    Returns:
        In [0, 1], of the shape of `statistic`; float64 where it is, else float32. For
        reports: as a loss it would be flat at either end.

    Raises:
        ValueError: if W is not floating, or the size out of range.

    Source: Royston 1992, and 1995, "Remark AS R94"; exact for 3 numbers.

    Example:
        >>> from tfsemae import objectives
        >>> round(float(objectives.shapiro_wilk_p_value(0.955129, 64)), 4)
        0.0206
    """
    statistic = checks.floating("statistic", statistic)
    if not 3 <= count <= _LARGEST_SAMPLE:
        raise ValueError(
            f"`count` must be between 3 and {_LARGEST_SAMPLE}, where the p-value is "
            f"known. Received: count={count}."
        )
    # A W of 1 may be rounded up.
    statistic = tf.clip_by_value(statistic, 0.0, 1.0)
    if count == 3:
        least = 0.75
        angle = tf.asin(tf.sqrt(tf.maximum(statistic, least)))
        return 6 / math.pi * (angle - math.asin(math.sqrt(least)))
    lack = tf.math.log1p(-statistic)
    if count <= 11:
        # The bound is beyond all W but that of a constant feature.
        lack = -tf.math.log(tf.maximum(_polynomial(_SMALL_BOUND, count) - lack, 0))
        mean = _polynomial(_SMALL_MEAN, count)
        deviation = math.exp(_polynomial(_SMALL_LOG_DEVIATION, count))
    else:
        size = math.log(count)
        mean = _polynomial(_MEAN, size)
        deviation = math.exp(_polynomial(_LOG_DEVIATION, size))
    return 0.5 * tf.math.erfc((lack - mean) / (deviation * math.sqrt(2)))


def shapiro_wilk_regularizer(codes: TensorLike) -> tf.Tensor:
    """How far the features are from normal, each by itself; lower is better.

    Computes `1 - mean_j{ W_j }` over features j. It sees neither the mean and the scale
    of a feature, as `moments_regularizer` does, nor that features depend on each
    other, as `projected_shapiro_wilk_regularizer` does.

    Args:
        codes: see `shapiro_wilk`.

    Returns:
        Scalar in [0, 1], up to rounding; float64 where `codes` are, else float32.

    Raises:
        ValueError: as `shapiro_wilk`.
        tf.errors.InvalidArgumentError: as `shapiro_wilk`.

    Source: Lu 2023, eq. (3), for features one by one (our choice).

    Example:
        >>> from tfsemae import objectives
        >>> codes = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]  # W = 1, W = 0
        >>> round(float(objectives.shapiro_wilk_regularizer(codes)), 4)
        0.5
    """
    return 1 - tf.reduce_mean(shapiro_wilk(codes))


def projected_shapiro_wilk_regularizer(
    codes: TensorLike,
    *,
    seed: TensorLike,
    projections: int | None = None,
    reduction: str = "min",
) -> tf.Tensor:
    """How far the codes are from jointly normal, along random directions.

    Computes `1 - min_p{ W(codes @ u_p) }`, or the mean in place of the minimum, of
    orthonormal directions u_p that are distributed evenly. Codes are jointly normal
    if they are normal along every direction.

    Args:
        codes: see `shapiro_wilk`.
        seed: two integers, such as (seed of the run, step). Equal seeds give equal
            directions; compiled by XLA, other ones than without.
        projections: number of directions, 1 to D; None for D.
        reduction: "min", the direction that is farthest from normal, or "mean".

    Returns:
        As `shapiro_wilk_regularizer`.

    Raises:
        ValueError: as `shapiro_wilk`, or if the seed, the number of directions or the
            reduction is another.
        tf.errors.InvalidArgumentError: as `shapiro_wilk`.

    Source: Palmer et al. 2018 and its successor GoFAE, "Auto-encoding goodness of
    fit", whose loss has -W in place of 1 - W.

    Example:
        >>> from tfsemae import objectives
        >>> codes = [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]
        >>> regularizer = objectives.projected_shapiro_wilk_regularizer
        >>> round(float(regularizer(codes, seed=(0, 7))), 5)  # D = 1: one direction
        0.02514
    """
    codes = checks.matrix("codes", codes, least=3)
    width = codes.shape[1]
    projections = width if projections is None else projections
    if not 1 <= projections <= width:
        raise ValueError(
            f"`projections` must be between 1 and the number of features, {width}. "
            f"Received: projections={projections}."
        )
    if reduction not in _REDUCTIONS:
        raise ValueError(
            f"`reduction` must be one of {', '.join(_REDUCTIONS)}. "
            f"Received: reduction={reduction!r}."
        )
    directions = _orthonormal(width, projections, _checked_seed(seed))
    projected = tf.matmul(codes, tf.cast(directions, codes.dtype))
    return 1 - _REDUCTIONS[reduction](shapiro_wilk(projected))


_REDUCTIONS = {"min": tf.reduce_min, "mean": tf.reduce_mean}


def _weights(count: tf.Tensor) -> tf.Tensor:
    """Weights of the sorted sample, float64 `[n]`, of `count` at least 3."""
    # In TensorFlow, so that one graph serves all sample sizes.
    n = tf.cast(count, tf.float64)
    rank = tf.range(1, count + 1)
    expected = tf.math.ndtri((tf.cast(rank, tf.float64) - 0.375) / (n + 0.25))
    total = tf.reduce_sum(tf.square(expected))
    root = tf.math.rsqrt(n)
    first, second = (
        expected[-each] * tf.math.rsqrt(total) + _polynomial(coefficients, root)
        for each, coefficients in ((1, _LARGEST_WEIGHT), (2, _SECOND_WEIGHT))
    )
    # 4 and 5 numbers have one weight of their own at each end, 3 are known exactly.
    two = count > 5
    first = tf.where(count == 3, tf.constant(math.sqrt(0.5), tf.float64), first)
    taken = tf.square(first) + tf.where(two, tf.square(second), 0)
    left = tf.square(expected[-1]) + tf.where(two, tf.square(expected[-2]), 0)
    scale = tf.sqrt((1 - 2 * taken) / (total - 2 * left))
    weights = tf.where(count > 3, expected * scale, 0)
    from_end = tf.minimum(rank - 1, count - rank)
    sign = tf.sign(expected)
    weights = tf.where((from_end == 1) & two, sign * second, weights)
    return tf.where(from_end == 0, sign * first, weights)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    value: Any = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def _orthonormal(width: int, count: int, seed: tf.Tensor) -> tf.Tensor:
    """Random orthonormal columns, float64 `[width, count]`."""
    normal = tf.random.stateless_normal((width, count), seed, dtype=tf.float64)
    # Their signs are not evenly distributed, which W does not see.
    return tf.linalg.qr(normal).q


def _checked_seed(seed: TensorLike) -> tf.Tensor:
    seed = tf.convert_to_tensor(seed)
    if not seed.dtype.is_integer or not seed.shape.is_compatible_with((2,)):
        raise ValueError(
            "`seed` must be two integers, such as (seed of the run, step). "
            f"Received: seed.dtype={seed.dtype.name}, seed.shape={seed.shape}."
        )
    return seed
