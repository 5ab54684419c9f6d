"""Checks of tensors that several packages share."""

from typing import TypeAlias

import tensorflow as tf

TensorLike: TypeAlias = tf.types.experimental.TensorLike

_FLOATING = (tf.float16, tf.bfloat16, tf.float32, tf.float64)


def images(name: str, value: TensorLike) -> tf.Tensor:
    """Checks images, and casts them to float32.

    The range is not checked.

    Args:
        name: of the argument, for a message.
        value: float16, bfloat16, float32 or float64 `[B, H, W, C]`; inside a
            `tf.function` sizes may be unknown.

    Returns:
        float32 `[B, H, W, C]`.

    Raises:
        ValueError: if the type or the rank is another.
    """
    value = tf.convert_to_tensor(value)
    if value.dtype not in _FLOATING:
        raise ValueError(
            f"`{name}` must be floating, in [0, 1]; divide 8-bit pixels by 255. "
            f"Received: {name}.dtype={value.dtype.name}."
        )
    if value.shape.rank != 4:
        raise ValueError(
            f"`{name}` must have the shape [B, H, W, C]. "
            f"Received: {name}.shape={value.shape}."
        )
    return tf.cast(value, tf.float32)


def examples(name: str, value: TensorLike, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Checks examples of any shape, and casts them.

    Args:
        name: of the argument, for a message.
        value: float16, bfloat16, float32 or float64 `[B, ...]`; inside a
            `tf.function` sizes may be unknown, though not their number.
        dtype: of the result.

    Returns:
        `[B, ...]` of that type.

    Raises:
        ValueError: if the type is another, or it is a single number.
    """
    value = tf.convert_to_tensor(value)
    if value.dtype not in _FLOATING:
        raise ValueError(
            f"`{name}` must be floating; divide 8-bit pixels by 255. "
            f"Received: {name}.dtype={value.dtype.name}."
        )
    if not value.shape.rank:
        raise ValueError(
            f"`{name}` must have the shape [B, ...], of a known rank. "
            f"Received: {name}.shape={value.shape}."
        )
    return tf.cast(value, dtype)


def image_pair(
    a: TensorLike, b: TensorLike, names: tuple[str, str] = ("a", "b")
) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks images of one shape, also where it is known only when they are computed.

    Args:
        a: see `images`.
        b: as `a`, of the same shape.
        names: of both arguments, for a message.

    Returns:
        Both, float32 `[B, H, W, C]`.

    Raises:
        ValueError: if they are not images, or sizes that are known differ.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if sizes
            differ that were not known before.
    """
    return same_shape(images(names[0], a), images(names[1], b), names)


def same_shape(
    a: tf.Tensor, b: tf.Tensor, names: tuple[str, str]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks that two tensors have one shape, also where it is known late.

    Args:
        a: `[...]`.
        b: of the type and shape of `a`.
        names: of both arguments, for a message.

    Returns:
        Both; what is known of one shape is known of both.

    Raises:
        ValueError: if sizes that are known differ.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if sizes
            differ that were not known before.
    """
    if not a.shape.is_compatible_with(b.shape):
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have the same shape. "
            f"Received: {names[0]}.shape={a.shape}, {names[1]}.shape={b.shape}."
        )
    if a.shape.is_fully_defined() and b.shape.is_fully_defined():
        return a, b
    return _equal_when_computed(a, b, names)


def _equal_when_computed(
    a: tf.Tensor, b: tf.Tensor, names: tuple[str, str]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Makes an operation that would broadcast `a` or `b` fail instead."""
    merged = a.shape.merge_with(b.shape)
    # What differs in shape cannot be stacked; unlike an assertion this also holds
    # under XLA. The message prints both shapes and this name.
    name = "{}_and_{}_must_have_the_same_shape".format(*names)
    a, b = tf.unstack(tf.stack([a, b], name=name), num=2)
    return tf.ensure_shape(a, merged), tf.ensure_shape(b, merged)
