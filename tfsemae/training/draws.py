"""Random numbers that a training step takes, a pure function of seed and step."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf


class Draw(NamedTuple):
    """Random numbers for each example of a batch.

    Attributes:
        shape: of those of an example.
        dtype: theirs.
        make: (seed int64 [2], B) -> `[B, *shape]`.
    """

    shape: tuple[int, ...]
    dtype: str
    make: Callable[[tf.Tensor, tf.Tensor | int], tf.Tensor]


def normal(size: int) -> Draw:
    """Standard normal numbers, float32 `[B, size]`."""

    def make(seed: tf.Tensor, rows: tf.Tensor | int) -> tf.Tensor:
        return tf.random.stateless_normal([rows, size], seed, alg="philox")

    return Draw((size,), "float32", make)


def keep(shape: Sequence[int], rate: float) -> Draw:
    """True with the probability `1 - rate`, bool `[B, *shape]`: masks of dropout."""

    def make(seed: tf.Tensor, rows: tf.Tensor | int) -> tf.Tensor:
        uniform = tf.random.stateless_uniform([rows, *shape], seed, alg="philox")
        return uniform >= rate

    return Draw(tuple(shape), "bool", make)


def seeds() -> Draw:
    """A seed for what is drawn within a step: int64 `[B, 2]`, equal rows."""
    return Draw((2,), "int64", lambda seed, rows: tf.tile(seed[tf.newaxis], [rows, 1]))


def add(
    batches: tf.data.Dataset,
    draws: Mapping[str, Draw],
    *,
    seed: int,
    start_step: int = 0,
    held_out: bool = False,
) -> tf.data.Dataset:
    """Adds random numbers to the inputs of batches.

    They come with the batches, so that they are the same whether XLA compiles the step,
    and differ among the devices of a strategy.

    Args:
        batches: of (images `[B, H, W, C]`, targets).
        draws: name of an input -> how it is drawn.
        seed: of the run.
        start_step: number of the first batch.
        held_out: whether the batches are those of the validation, which have numbers
            of their own.

    Returns:
        Data set of ({"image": images, name: numbers, ...}, targets); the batches as
        they are if nothing is drawn.
    """
    if not draws:
        return batches
    # Beside [seed, 0] of `data.batches`.
    base = tf.constant([seed, 1 + held_out], tf.int64)

    def with_draws(step: tf.Tensor, batch: tuple) -> tuple:
        images, targets = batch
        of_step = tf.random.fold_in(base, step)
        rows = images.shape[0] or tf.shape(images)[0]
        inputs = {"image": images}
        for stream, (name, draw) in enumerate(draws.items()):
            # int64: of a smaller type the seed would be as well.
            key = tf.random.fold_in(of_step, tf.constant(stream, tf.int64))
            inputs[name] = draw.make(key, rows)
        return inputs, targets

    # A lambda, since a data set hands the two parts of a batch over as one.
    return batches.enumerate(start_step).map(lambda *parts: with_draws(*parts))
