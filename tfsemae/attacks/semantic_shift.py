"""The semantic attack: I_a = I + I_s - I_v."""

from typing import NamedTuple, TypeAlias

import keras
import tensorflow as tf

TensorLike: TypeAlias = tf.types.experimental.TensorLike


class SemanticShift(NamedTuple):
    """Adversarial images and what they are made of; all float32."""

    adversarial: tf.Tensor  # `[B, H, W, C]`, I_a of eq. (6), not clipped
    clipped: tf.Tensor  # `[B, H, W, C]`, I_a clipped to [0, 1]
    latent: tf.Tensor  # `[B, ...]`, L_v = e_v(I), eq. (1)
    reconstruction: tf.Tensor  # `[B, H, W, C]`, I_v = d(L_v), eq. (2)
    target_latent: tf.Tensor  # `[B, ...]`, L_s = e_s(I), eq. (4)
    target: tf.Tensor  # `[B, H, W, C]`, I_s = d(L_s), eq. (5)


def semantic_shift(
    encoder: keras.Model,
    attacker: keras.Model,
    decoder: keras.Model,
    images: TensorLike,
) -> SemanticShift:
    """Moves images by the difference of two reconstructions.

    Computes `I_a = I + d(e_s(I)) - d(e_v(I))`. Where `e_v` and `d` are near linear
    and near inverse to each other, `e_v(I_a)` is near `e_s(I)` (eq. (7)), while
    I_a is as near to I as both reconstructions are.

    Args:
        encoder: e_v of the victim, image -> latent; functional, as the other two.
        attacker: e_s of the attacker, image -> latent of the same shape.
        decoder: d, which both share, latent -> image.
        images: float `[B, H, W, C]` in [0, 1].

    Returns:
        See `SemanticShift`. For many batches wrap the call in a `tf.function` of your
        own: nothing is kept here, so that the networks are freed with their owner.

    Raises:
        ValueError: if the shapes of images and latents do not fit each other.

    Source: Ming 2022, section IV, eqs. (1) to (6).

    Example:
        >>> from tfsemae import attacks
        >>> encoder = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
        >>> attacker = keras.Sequential([encoder, keras.layers.Rescaling(0.75)])
        >>> decoder = keras.Sequential(
        ...     [keras.Input((4,)), keras.layers.Reshape((2, 2, 1))]
        ... )
        >>> images = tf.ones([1, 2, 2, 1])
        >>> result = attacks.semantic_shift(encoder, attacker, decoder, images)
        >>> float(result.adversarial[0, 0, 0, 0])  # 1 + 0.75 - 1
        0.75
    """
    images = tf.convert_to_tensor(images, tf.float32)
    _check(encoder, attacker, decoder, images.shape[1:])
    latent = encoder(images, training=False)
    target_latent = attacker(images, training=False)
    reconstruction = decoder(latent, training=False)
    target = decoder(target_latent, training=False)
    # In this order: where the two reconstructions are equal, I_a is I exactly.
    adversarial = images + (target - reconstruction)
    clipped = tf.clip_by_value(adversarial, 0.0, 1.0)
    return SemanticShift(
        adversarial, clipped, latent, reconstruction, target_latent, target
    )


def _check(encoder, attacker, decoder, image_shape) -> None:
    shapes = {
        "images": (image_shape, encoder.input_shape[1:]),
        "images of the attacker": (image_shape, attacker.input_shape[1:]),
        "latent of the attacker": (attacker.output_shape[1:], encoder.output_shape[1:]),
        "latent of the decoder": (decoder.input_shape[1:], encoder.output_shape[1:]),
        "image of the decoder": (decoder.output_shape[1:], image_shape),
    }
    for name, (found, expected) in shapes.items():
        if not tf.TensorShape(found).is_compatible_with(expected):
            raise ValueError(
                f"The {name} must have the shape {tuple(expected)} of the victim. "
                f"Received: {tuple(found)}."
            )
