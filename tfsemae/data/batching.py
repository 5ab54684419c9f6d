"""Batches whose order is a pure function of the seed and the step."""

from typing import TypeAlias

import numpy as np
import tensorflow as tf

from tfsemae.data.images import Images
from tfsemae.data.pipelines import pipeline_options

_PREFETCHED = 2  # batches
_Batch: TypeAlias = tf.Tensor | tuple[tf.Tensor, tf.Tensor]


def batches(
    images: Images,
    batch_size: int,
    *,
    seed: int | None = None,
    start_step: int = 0,
    shuffle: bool = True,
    shuffle_labels: bool = False,
) -> tf.data.Dataset:
    """Makes batches of float32 pixels in [0, 1] with their labels.

    Shuffled, the data set has no end: each pass over the images is a fresh
    permutation, a batch runs on across the edge of a pass, and batch number `t`
    depends on `seed` and `start_step + t` alone, so that a run can go on from
    any step. Not shuffled, it is one pass in order; the last batch may be
    smaller.

    Args:
        images: what to draw from.
        batch_size: images per batch, at least 1; shuffled, it may exceed their
            number.
        seed: from 0 to 2**63 - 1; needed by `shuffle` and `shuffle_labels`.
        start_step: number of the first batch; 0 unless shuffled.
        shuffle: whether to permute the images.
        shuffle_labels: whether to permute the labels over the whole set, anew for
            each pass, so that they say nothing about the images (Ming 2022, section
            IV). Permuted within small batches of few classes, more of them would
            stay right than by chance.

    Returns:
        A data set of `(pixels, labels)`, float32 `[B, H, W, C]` and int64
        `[B]`; of `pixels` alone if the images have no labels. `B` is static if
        shuffled.

    Raises:
        ValueError: if an argument is out of range, or if there are no labels to
            shuffle.

    Example:
        >>> from tfsemae import data
        >>> images = data.load("digits", "train")
        >>> for pixels, labels in data.batches(images, 32, seed=0).take(1):
        ...     print(pixels.dtype.name, pixels.shape, labels.shape)
        float32 (32, 28, 28, 1) (32,)
    """
    _check(images, batch_size, seed, start_step, shuffle, shuffle_labels)
    # On the host, where the input pipeline runs.
    with tf.device("CPU:0"):
        pixels = tf.constant(images.images)
        labels = None if images.labels is None else tf.constant(images.labels)
        # Two independent streams; without a seed nothing reads them.
        order_seed, label_seed = tf.unstack(tf.random.split([seed or 0, 0]))
    count = len(images)
    if shuffle:
        order = _shuffled_order(count, batch_size, order_seed, start_step)
    else:
        order = tf.data.Dataset.range(count).batch(batch_size)
    label_order = order
    if shuffle_labels and shuffle:
        label_order = _shuffled_order(count, batch_size, label_seed, start_step)
    elif shuffle_labels:
        places = _shuffled(tf.range(count, dtype=tf.int64), label_seed, 0)
        label_order = tf.data.Dataset.from_tensor_slices(places).batch(batch_size)

    def batch(index: tf.Tensor, label_index: tf.Tensor) -> _Batch:
        found = _to_unit_range(tf.gather(pixels, index))
        return found if labels is None else (found, tf.gather(labels, label_index))

    found = tf.data.Dataset.zip(order, label_order).map(batch)
    return found.prefetch(_PREFETCHED).with_options(pipeline_options())


def _shuffled_order(
    count: int, batch_size: int, seed: tf.Tensor, start_step: int
) -> tf.data.Dataset:
    """Endless batches of the indices 0 to `count - 1`: int64 `[batch_size]`."""
    first_pass, done = divmod(start_step * batch_size, count)

    def rest_of_pass(number: tf.Tensor) -> tf.Tensor:
        order = _shuffled(tf.range(count, dtype=tf.int64), seed, number)
        return order[tf.where(number == first_pass, done, 0) :]

    # index_shuffle would need no memory, but it has a key of 24 bits for fewer
    # than 65,536 images, of which it takes 8 from each part of its seed, so that
    # seed 256 would be seed 0 again; and the passes that it gives resemble each
    # other.
    passes = tf.data.Dataset.counter(first_pass).map(rest_of_pass)
    order = passes.rebatch(batch_size, drop_remainder=True)
    return order.apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    )


def _shuffled(values: tf.Tensor, seed: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    return tf.random.experimental.stateless_shuffle(
        values, tf.random.fold_in(seed, number)
    )


def _to_unit_range(pixels: tf.Tensor) -> tf.Tensor:
    if pixels.dtype == tf.uint8:
        return tf.cast(pixels, tf.float32) / 255.0
    return pixels


def _check(
    images: Images,
    batch_size: int,
    seed: int | None,
    start_step: int,
    shuffle: bool,
    shuffle_labels: bool,
) -> None:
    if batch_size < 1:
        raise ValueError(
            f"`batch_size` must be at least 1. Received: batch_size={batch_size}."
        )
    if (shuffle or shuffle_labels) and seed is None:
        raise ValueError("Shuffling needs a `seed`. Received: seed=None.")
    if seed is not None and not 0 <= seed <= np.iinfo(np.int64).max:
        raise ValueError(
            f"`seed` must be between 0 and 2**63 - 1. Received: seed={seed}."
        )
    if start_step < 0:
        raise ValueError(
            f"`start_step` must be at least 0. Received: start_step={start_step}."
        )
    if start_step and not shuffle:
        raise ValueError(
            "Without `shuffle` the one pass begins at step 0. "
            f"Received: start_step={start_step}."
        )
    if shuffle_labels and images.labels is None:
        raise ValueError(
            "There are no labels to shuffle. Received: shuffle_labels=True."
        )
