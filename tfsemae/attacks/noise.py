"""Gaussian noise of a given size, the least that an attack has to beat."""

import tensorflow as tf

TensorLike = tf.types.experimental.TensorLike


def gaussian_noise(
    images: TensorLike, normal: TensorLike, epsilon: TensorLike
) -> tf.Tensor:
    """Adds noise of a given L2 norm.

    Computes `images + epsilon * normal / |normal|_2`, image by image.

    Args:
        images: float `[B, ...]`.
        normal: float of the same shape, standard normal numbers, such as
            `tf.random.stateless_normal(images.shape, seed=(0, 1))`.
        epsilon: the norm, a number or `[B]`.

    Returns:
        float32 of the shape of `images`; it is not clipped.

    Raises:
        ValueError: if the shapes differ.
    """
    images = tf.convert_to_tensor(images, tf.float32)
    normal = tf.convert_to_tensor(normal, tf.float32)
    if not images.shape.is_compatible_with(normal.shape):
        raise ValueError(
            "`images` and `normal` must have the same shape. "
            f"Received: images.shape={images.shape}, normal.shape={normal.shape}."
        )
    norms = tf.norm(tf.reshape(normal, (tf.shape(normal)[0], -1)), axis=1)
    scale = tf.convert_to_tensor(epsilon, tf.float32) / norms
    return images + normal * tf.reshape(scale, (-1, *[1] * (images.shape.rank - 1)))
