"""Losses of generative adversarial networks, from logits.

A discriminator D gives a logit; sigmoid(logit) is its probability that an image is
real.
"""

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike

KINDS = ("minimax", "nonsat")


def gan_discriminator_loss(
    real_logits: TensorLike, fake_logits: TensorLike
) -> tf.Tensor:
    """Cross-entropy of a discriminator on a real and on a generated image, added.

    Computes `-ln(D(real)) - ln(1 - D(fake))`. Of the densities p of real and q of
    generated images, its mean is least at `D = p / (p + q)`, and there is
    `ln(4) - 2 JSD(p, q)`; ln(4) alone tells nothing of the quality of images.

    Args:
        real_logits: floating `[B, ...]`; the mean is taken over further axes, such as
            patches.
        fake_logits: floating, of the same shape.

    Returns:
        `[B]`, nats, positive; float64 where `real_logits` are, else float32.

    Raises:
        ValueError: if the arguments are not floating, have no batch axis, or differ in
            shape.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
            are not known before it runs.

    Source: H of ECE 417, lecture 22, with y = 1 for real ones; Goodfellow et al. 2014,
    "Generative adversarial nets", eq. (1).

    Example:
        >>> from tfsemae import objectives
        >>> print(f"{objectives.gan_discriminator_loss([0.0], [0.0])[0]:.6f}")  # 2 ln 2
        1.386294
    """
    real = checks.examples("real_logits", real_logits)
    fake = checks.floating("fake_logits", fake_logits, real.dtype)
    names = "real_logits", "fake_logits"
    real, fake = tensor_checks.same_shape(real, fake, names)
    return _mean(_cross_entropy(real, 1.0) + _cross_entropy(fake, 0.0))


def gan_generator_loss(fake_logits: TensorLike, *, kind: str = "minimax") -> tf.Tensor:
    """What a generator minimises, on a generated image.

        minimax: ln(1 - D(fake)), of which the gradient by the logit is -D
        nonsat: -ln(D(fake)), of which it is -(1 - D)

    Both have the same optimum. Where the discriminator is sure, D near 0, the first has
    next to no gradient; the second does not saturate there.

    Args:
        fake_logits: floating `[B, ...]`; the mean is taken over further axes.
        kind: "minimax" or "nonsat".

    Returns:
        `[B]`, nats, negative for minimax; float64 where the logits are, else float32.

    Raises:
        ValueError: if the logits are not floating, have no batch axis, or the kind is
            unknown.

    Source: ECE 417, lecture 22, for minimax; Goodfellow et al. 2014, "Generative
    adversarial nets", section 3, for both.

    Example:
        >>> from tfsemae import objectives
        >>> for kind in ("minimax", "nonsat"):
        ...     print(f"{objectives.gan_generator_loss([0.0], kind=kind)[0]:.6f}")
        -0.693147
        0.693147
    """
    if kind not in KINDS:
        raise ValueError(
            f"`kind` must be one of {', '.join(KINDS)}. Received: kind={kind!r}."
        )
    logits = checks.examples("fake_logits", fake_logits)
    if kind == "minimax":
        return -_mean(_cross_entropy(logits, 0.0))
    return _mean(_cross_entropy(logits, 1.0))


def _cross_entropy(logits: tf.Tensor, label: float) -> tf.Tensor:
    labels = tf.fill(tf.shape(logits), tf.constant(label, logits.dtype))
    return tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)


def _mean(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(values, axis=list(range(1, values.shape.rank)))
