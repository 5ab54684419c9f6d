"""Checks of what attacks take."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.tensor_checks import TensorLike

Seed: TypeAlias = tuple[int, int] | TensorLike


def number(
    name: str,
    value: TensorLike,
    low: float,
    high: float = math.inf,
    *,
    integer: bool = False,
) -> None:
    """Checks a number or several, as far as they are known while a graph is made.

    Args:
        name: of the argument, for a message.
        value: a number, an array, a tensor or a variable.
        low: the least that is allowed.
        high: the most that is allowed; infinity itself is not.
        integer: whether it must be of an integer type.

    Raises:
        ValueError: if it is not.
    """
    tensor = tf.convert_to_tensor(value)
    if not (tensor.dtype.is_integer or (tensor.dtype.is_floating and not integer)):
        kind = "an integer" if integer else "a number"
        raise ValueError(
            f"`{name}` must be {kind}. Received: {name}={value!r:.80} of the type "
            f"{tensor.dtype.name}."
        )
    known = tf.get_static_value(tensor)
    if known is None:
        return
    known = np.ravel(known)
    wrong = known[~(np.isfinite(known) & (known >= low) & (known <= high))]
    if len(wrong):
        limit = f"in [{low}, {high}]" if high < math.inf else f"at least {low}"
        raise ValueError(
            f"`{name}` must be finite and {limit}. Received: {name}={wrong[0]}."
        )


def choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Checks that a value is one of several.

    Raises:
        ValueError: if it is not.
    """
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, choices))}. "
            f"Received: {name}={value!r}."
        )


def bounds(value: tuple[float, float] | None) -> None:
    """Checks bounds of the numbers of a point.

    Raises:
        ValueError: if the lower one is not below the upper one.
    """
    if value is not None and not value[0] < value[1]:
        raise ValueError(
            f"`bounds` must be (low, high), low below high. Received: {value}."
        )


def seed(value: TensorLike) -> tf.Tensor:
    """Takes a seed of stateless random numbers.

    Args:
        value: two integers, such as (seed, step).

    Returns:
        int64 `[2]`.

    Raises:
        ValueError: if it is anything else.
    """
    tensor = tf.convert_to_tensor(value)
    if not tensor.dtype.is_integer or not tensor.shape.is_compatible_with([2]):
        raise ValueError(
            "`seed` must be two integers, such as (0, batch). "
            f"Received: seed={value!r:.80}."
        )
    return tf.cast(tensor, tf.int64)


def of_examples(name: str, value: TensorLike, examples: tf.Tensor) -> tf.Tensor:
    """Takes a number for all examples, or one for each.

    Args:
        name: of the argument, for a message.
        value: a number of at least 0, or `[B]` of them.
        examples: `[B, ...]`.

    Returns:
        float32 `[B]`.

    Raises:
        ValueError: if it is anything else.
    """
    number(name, value, 0)
    value = tf.cast(value, tf.float32)
    if value.shape.rank and not value.shape.is_compatible_with(examples.shape[:1]):
        raise ValueError(
            f"`{name}` must be a number, or one for each example: [B]. "
            f"Received: {name}.shape={value.shape} for {examples.shape[0]} examples."
        )
    return tf.broadcast_to(value, tf.shape(examples)[:1])


def points_to_begin_at(initial: TensorLike, start: tf.Tensor) -> tf.Tensor:
    """Takes one point or several for each example.

    Args:
        initial: floating `[B, ...]` or `[S, B, ...]`.
        start: `[B, ...]`.

    Returns:
        float32 `[S, B, ...]`.

    Raises:
        ValueError: if the type or the shape is another.
    """
    initial = tensor_checks.examples("initial", initial)
    alone = initial.shape.rank == start.shape.rank
    points = initial[tf.newaxis] if alone else initial
    fits = points.shape.rank == start.shape.rank + 1
    if not fits or not points.shape[1:].is_compatible_with(start.shape):
        raise ValueError(
            "`initial` must have the shape of `start`, or [S, *start.shape] for S "
            f"runs. Received: initial.shape={initial.shape}, "
            f"start.shape={start.shape}."
        )
    return points


def within(start: tf.Tensor, bounds: tuple[float, float] | None) -> None:
    """Checks that examples lie within bounds, where their numbers are known.

    An example that is not a number passes: it is reported alone.

    Raises:
        ValueError: if one lies outside.
    """
    if bounds is None or not tf.executing_eagerly():
        return
    low, high = bounds
    outside = tf.boolean_mask(start, (start < low) | (start > high))
    if len(outside):
        raise ValueError(
            f"`start` must lie within the bounds [{low}, {high}]; clip or rescale it. "
            f"Received: {float(outside[0])} among its numbers."
        )


def tensors(data: tuple, dtype: tf.DType = tf.float32) -> tuple:
    """Takes data of an objective as tensors, floating ones of one type.

    To a `tf.function` each Python number is another argument, with a trace of its own.
    """

    def tensor(value: Any) -> tf.Tensor:
        value = tf.convert_to_tensor(value)
        return tf.cast(value, dtype) if value.dtype.is_floating else value

    return tf.nest.map_structure(tensor, data)
