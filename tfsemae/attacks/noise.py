"""Gaussian noise of a given size, the least that an attack has to beat."""

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks.projections import norms, per_example
from tfsemae.tensor_checks import TensorLike


def gaussian_noise(
    images: TensorLike, normal: TensorLike, epsilon: TensorLike
) -> tf.Tensor:
    """Adds noise of a given L2 norm.

    Computes `images + epsilon * normal / |normal|_2`, image by image.

    Args:
        images: floating `[B, H, W, C]` in [0, 1].
        normal: floating, of the same shape, standard normal numbers, such as
            `tf.random.stateless_normal(images.shape, seed=(0, 1))`.
        epsilon: the norm, a number or `[B]`.

    Returns:
        float32 of the shape of `images`; it is not clipped.

    Raises:
        ValueError: if the types or shapes are others.
    """
    images, normal = tensor_checks.image_pair(images, normal, ("images", "normal"))
    epsilon = tf.cast(epsilon, tf.float32)
    if epsilon.shape.rank and not epsilon.shape.is_compatible_with(images.shape[:1]):
        raise ValueError(
            "`epsilon` must be a number, or one for each image: [B]. "
            f"Received: epsilon.shape={epsilon.shape}, images.shape={images.shape}."
        )
    return images + normal * per_example(epsilon / norms(normal), images)
