"""Random changes of training images, a pure function of the seed and the step."""

import tensorflow as tf


def crop_and_flip(images: tf.Tensor, seed: tf.Tensor, *, padding: int = 4) -> tf.Tensor:
    """Moves each image by a random number of pixels, and turns half of them round.

    An image is padded on all sides by its edges, and a part of its size is cut out at a
    uniform place; with probability 1/2 that is mirrored left to right.

    Args:
        images: `[B, H, W, C]`.
        seed: int64 `[2]`; equal seeds give equal changes.
        padding: pixels, at least 0; 0 only turns them.

    Returns:
        As `images`.

    Raises:
        ValueError: if the padding is negative.

    Source: Kuang et al. 2023, released code, for CIFAR-10.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import data
        >>> row = tf.reshape(tf.range(3.0), [1, 1, 3, 1])
        >>> data.crop_and_flip(row, [0, 0], padding=0).numpy().ravel().tolist()
        [0.0, 1.0, 2.0]
    """
    if padding < 0:
        raise ValueError(f"`padding` must be at least 0. Received: padding={padding}.")
    shape = tf.shape(images)
    seed = tf.cast(seed, tf.int64)  # numbers differ by type
    places, sides = tf.unstack(tf.random.split(seed, 2, alg="philox"), num=2)
    offsets = tf.random.stateless_uniform(
        [2, shape[0]], places, -padding, padding + 1, tf.int32, alg="philox"
    )
    turned = tf.random.stateless_uniform([shape[0]], sides, alg="philox") < 0.5

    def along(offset: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        """Source of each pixel of an axis, int32 `[B, size]`."""
        source = tf.range(size) + offset[:, tf.newaxis]
        return tf.clip_by_value(source, 0, size - 1)  # the edge, repeated

    columns = along(offsets[1], shape[2])
    columns = tf.where(turned[:, tf.newaxis], tf.reverse(columns, [1]), columns)
    moved = tf.gather(images, along(offsets[0], shape[1]), axis=1, batch_dims=1)
    moved = tf.gather(moved, columns, axis=2, batch_dims=1)
    return tf.ensure_shape(moved, images.shape)


def augment(
    batches: tf.data.Dataset, *, seed: int, start_step: int = 0
) -> tf.data.Dataset:
    """Applies `crop_and_flip` to the images of training batches.

    Args:
        batches: of (images, labels), as `data.batches` makes them.
        seed: of the run.
        start_step: number of the first batch.

    Returns:
        The same with changed images; batch `t` depends on `seed` and `start_step + t`
        alone.
    """
    # Beside [seed, 0] of `data.batches` and [seed, 1 or 2] of the training's draws.
    base = tf.constant([seed, 3], tf.int64)

    def changed(step: tf.Tensor, batch: tuple) -> tuple:
        images, labels = batch
        return crop_and_flip(images, tf.random.fold_in(base, step)), labels

    # A lambda, since a data set hands the two parts of a batch over as one.
    return batches.enumerate(start_step).map(lambda *parts: changed(*parts))
