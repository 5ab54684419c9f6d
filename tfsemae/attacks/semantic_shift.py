"""The semantic attack: I_a = I + I_s - I_v."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.tensor_checks import TensorLike


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
        encoder: e_v of the victim, image -> latent; like the other two, any Keras
            model of one input and one output, of any precision.
        attacker: e_s of the attacker, image -> latent of the same shape.
        decoder: d, which both share, latent -> image.
        images: floating `[B, H, W, C]` in [0, 1].

    Returns:
        See `SemanticShift`. For many batches wrap the call in a `tf.function` of your
        own: nothing is kept here, so that the networks are freed with their owner.

    Raises:
        ValueError: if the images are not floating, a model has several inputs or
            outputs, or the shapes of images and latents do not fit each other.

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
    images = tensor_checks.images("images", images)
    latent = _apply("encoder", encoder, "images", images)
    target_latent = _apply("attacker", attacker, "images", images)
    _check_shape("latent of the attacker", target_latent.shape, latent.shape)
    images, reconstruction = tensor_checks.image_pair(
        images,
        _apply("decoder", decoder, "latent", latent),
        ("images", "reconstruction"),
    )
    target = _apply("decoder", decoder, "latent", target_latent)
    # In this order: where the two reconstructions are equal, I_a is I exactly.
    adversarial = images + (target - reconstruction)
    clipped = tf.clip_by_value(adversarial, 0.0, 1.0)
    return SemanticShift(
        adversarial, clipped, latent, reconstruction, target_latent, target
    )


def _apply(name: str, model: keras.Model, takes: str, value: tf.Tensor) -> tf.Tensor:
    """The output of a model of one input and one output, float32."""
    # A subclassed model does not know what it takes.
    expected = getattr(model, "input_shape", None)
    if expected is not None:
        _check_single(f"input of `{name}`", expected, tuple)
        _check_shape(f"{takes} of `{name}`", value.shape, expected)
    output = model(value, training=False)
    _check_single(f"output of `{name}`", output, tf.Tensor)
    return tf.cast(output, tf.float32)


def _check_single(what: str, found: Any, kind: type) -> None:
    if not isinstance(found, kind):
        raise ValueError(
            f"The {what} must be a single tensor; select it by keras.Model(input, "
            f"output). Received: {type(found).__name__} of {len(found)}."
        )


def _check_shape(what: str, found: Any, expected: Any) -> None:
    if not tf.TensorShape(found).is_compatible_with(expected):
        raise ValueError(
            f"The {what} must have the shape {tuple(expected)}. "
            f"Received: {tuple(found)}."
        )
