"""Checks of the arguments that objectives share.

The first argument of an objective decides the type of its result: float64 stays, all
other floating types become float32. Further arguments are cast to it, so that prior
samples of NumPy do not turn a float32 loss into float64.
"""

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.tensor_checks import TensorLike


def floating(name: str, value: TensorLike, dtype: tf.DType | None = None) -> tf.Tensor:
    """Checks that a value is floating.

    Args:
        name: of the argument, for a message.
        value: any floating type and shape.
        dtype: of the result; None for float64 where the value is, else float32.

    Raises:
        ValueError: if the type is another.
    """
    value = tf.convert_to_tensor(value)
    if not value.dtype.is_floating:
        raise ValueError(
            f"`{name}` must be floating; use tf.cast. "
            f"Received: {name}.dtype={value.dtype.name}."
        )
    own = tf.float64 if value.dtype == tf.float64 else tf.float32
    return tf.cast(value, dtype or own)


def examples(name: str, value: TensorLike, dtype: tf.DType | None = None) -> tf.Tensor:
    """Checks numbers of examples, of any shape.

    Args:
        name: of the argument, for a message.
        value: floating `[B, ...]`, of a known rank.
        dtype: as in `floating`.

    Raises:
        ValueError: if the type is another, or there is no batch axis.
    """
    value = floating(name, value, dtype)
    if value.shape.rank in (None, 0):
        raise ValueError(
            f"`{name}` must have the shape [B, ...]; add a batch axis. "
            f"Received: {name}.shape={value.shape}."
        )
    return value


def matrix(
    name: str, value: TensorLike, dtype: tf.DType | None = None, *, least: int = 1
) -> tf.Tensor:
    """Checks rows of features.

    Args:
        name: of the argument, for a message.
        value: floating `[N, D]`; N may be unknown inside a `tf.function`.
        dtype: as in `floating`.
        least: the least N.

    Returns:
        float32 or float64 `[N, D]`.

    Raises:
        ValueError: if the type or the shape is another.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if there
            are too few rows and their number was not known before.
    """
    value = floating(name, value, dtype)
    if value.shape.rank != 2 or not value.shape[1]:
        raise ValueError(
            f"`{name}` must have the shape [N, D] with a known D; flatten further "
            f"axes. Received: {name}.shape={value.shape}."
        )
    if value.shape[0] is None:
        message = f"`{name}` must have at least {least} rows."
        tf.debugging.assert_greater_equal(tf.shape(value)[0], least, message)
    elif value.shape[0] < least:
        raise ValueError(
            f"`{name}` must have at least {least} rows; use a larger batch. "
            f"Received: {name}.shape={value.shape}."
        )
    return value


def labels(
    value: TensorLike, rows: tf.Tensor, classes: int | tf.Tensor, name: str = "labels"
) -> tf.Tensor:
    """Checks a class for each row.

    Args:
        value: integers `[N]`, 0 to C - 1.
        rows: `[N, ...]`, what they belong to.
        classes: C.
        name: of the argument, for a message.

    Returns:
        int32 `[N]`.

    Raises:
        ValueError: if the type, the shape or a number that is known is another.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if a
            number is out of its range.
    """
    value = tf.convert_to_tensor(value)
    if not value.dtype.is_integer or not value.shape.is_compatible_with(rows.shape[:1]):
        raise ValueError(
            f"`{name}` must be integers [{rows.shape[0]}], a class for each row. "
            f"Received: {name}.dtype={value.dtype.name}, {name}.shape={value.shape}."
        )
    value = tf.cast(value, tf.int32)
    outside = (value < 0) | (value >= classes)
    known = tf.get_static_value(outside)
    if known is None:
        message = f"`{name}` must be below the number of classes, and not negative."
        tf.debugging.assert_equal(outside, False, message)
    elif known.any():
        raise ValueError(
            f"`{name}` must be 0 to {int(classes) - 1}. "
            f"Received: {tf.get_static_value(value)[known][0]} among them."
        )
    return value


def present(value: TensorLike, rows: tf.Tensor) -> tf.Tensor:
    """Checks whether each class is there.

    Args:
        value: truth values `[C]`.
        rows: `[C, ...]`, a row per class.

    Returns:
        bool `[C]`.

    Raises:
        ValueError: if the type or the shape is another.
    """
    value = tf.convert_to_tensor(value)
    if value.dtype != tf.bool or not value.shape.is_compatible_with(rows.shape[:1]):
        raise ValueError(
            f"`present` must be truth values [{rows.shape[0]}], one per class. "
            f"Received: present.dtype={value.dtype.name}, present.shape={value.shape}."
        )
    return value


def image_pair(a: TensorLike, b: TensorLike) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks images of one shape, also where it is known only when they are computed.

    Args:
        a: floating `[B, H, W, C]`.
        b: as `a`, of the same shape.

    Returns:
        Both, float32 or float64 `[B, H, W, C]`.

    Raises:
        ValueError: if they are not images, or sizes that are known differ.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if sizes
            differ that were not known before.
    """
    a = _images("a", a)
    return tensor_checks.same_shape(a, _images("b", b, a.dtype), ("a", "b"))


def _images(name: str, value: TensorLike, dtype: tf.DType | None = None) -> tf.Tensor:
    value = floating(name, value, dtype)
    if value.shape.rank != 4:
        raise ValueError(
            f"`{name}` must have the shape [B, H, W, C]. "
            f"Received: {name}.shape={value.shape}."
        )
    return value


def row_count(value: tf.Tensor) -> tf.Tensor:
    """N of `[N, ...]` in the type of the value, also where it is known late."""
    return tf.cast(tf.shape(value)[0], value.dtype)
