"""The loss of a speller: the cross-entropy of all letters of a word."""

import tensorflow as tf

from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


def spelling_nll(symbols: TensorLike, logits: TensorLike) -> tf.Tensor:
    """Negative logarithm of the probability of a spelling, per example.

    Computes `-sum_t{ ln y_t }`, y_t the probability of letter t of the word, the end
    symbol included. Gradients flow to the logits.

    Args:
        symbols: whole numbers `[B, L]`, 0 to A - 1; negative ones are padding and
            count nothing. Of any type, as Keras makes them floating.
        logits: floating `[B, L, A]`.

    Returns:
        `[B]`, nats, never negative; float64 where `logits` are, else float32.

    Raises:
        ValueError: if the logits are not floating, or have another rank.

    Source: ECE 417, lecture 22, E_primary of the speech recogniser.

    Example:
        >>> from tfsemae import objectives
        >>> found = objectives.spelling_nll([[1, 0, -1]], [[[0.0, 0.0]] * 3])
        >>> round(float(found[0]), 4)  # 2 ln 2
        1.3863
    """
    logits = checks.floating("logits", logits)
    if logits.shape.rank != 3:
        raise ValueError(
            f"`logits` must be [B, L, A]. Received: logits.shape={logits.shape}."
        )
    symbols = tf.cast(symbols, tf.int32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.maximum(symbols, 0), logits=logits
    )
    return tf.reduce_sum(tf.where(symbols < 0, tf.zeros_like(losses), losses), axis=1)
