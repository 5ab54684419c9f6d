"""Distances of two Gaussian posteriors, as latent attacks minimise them.

A posterior is {"mean", "log_variance"}, floating `[B, ...]` each, the logarithm a
natural one, as `Autoencoder.posterior()` gives it. The first is that of the adversarial
image (m_a, v_a), the second that of the target (m_t, v_t), which may be `[1, ...]`.
All functions give `[B]`, in the type of the posteriors.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import tensorflow as tf

from tfsemae.tensor_checks import TensorLike

Posterior: TypeAlias = Mapping[str, tf.Tensor]
Distance: TypeAlias = Callable[[Posterior, Posterior], tf.Tensor]


def kl(adversarial: Posterior, target: Posterior) -> tf.Tensor:
    """KL divergence of the adversarial posterior from that of the target, nats.

    Computes `0.5 * sum{ exp(v_a - v_t) + (m_a - m_t)**2 * exp(-v_t) - 1 + v_t - v_a }`.

    Source: Tabacof 2016, section 2.
    """
    ratio = difference(adversarial["log_variance"], target["log_variance"])
    way = tf.square(difference(adversarial["mean"], target["mean"]))
    # Near a match, exp(ratio) - 1 would leave rounding errors only.
    terms = tf.math.expm1(ratio) - ratio + way * tf.exp(-target["log_variance"])
    return 0.5 * _sum(terms)


def reverse_kl(adversarial: Posterior, target: Posterior) -> tf.Tensor:
    """KL divergence of the posterior of the target from the adversarial one, nats."""
    return kl(target, adversarial)


def released(adversarial: Posterior, target: Posterior) -> tf.Tensor:
    """What the released code has in the place of `kl`.

    Computes `sum{ (s_a + (m_a - m_t)**2) / s_t + v_t - v_a - 0.5 }` with the standard
    deviations s = exp(v / 2) where `kl` has variances, and one half on the constant
    alone. A match gives 0.5 per entry of the latent. The least at equal means,
    1.5 - 2 ln 2 = 0.1137, is where s_a = 2 s_t: it rewards a latent that is too noisy.
    The code adds 100 equal rows to the penalty of one; with its penalties C, take
    C / 100 here.

    Source: Tabacof 2016, the released code.
    """
    ratio = difference(adversarial["log_variance"], target["log_variance"])
    way = tf.square(difference(adversarial["mean"], target["mean"]))
    way *= tf.exp(-target["log_variance"] / 2)
    return _sum(tf.exp(ratio / 2) + way - ratio - 0.5)


def squared_l2_of_means(adversarial: Posterior, target: Posterior) -> tf.Tensor:
    """Squared L2 distance of the means, without regard to the variances."""
    return _sum(tf.square(difference(adversarial["mean"], target["mean"])))


def difference(outputs: TensorLike, target: TensorLike) -> tf.Tensor:
    """`outputs - target`; see `fitting`."""
    outputs = tf.convert_to_tensor(outputs)
    return outputs - fitting(outputs, target)


def fitting(outputs: tf.Tensor, target: TensorLike) -> tf.Tensor:
    """Checks a target for each example, or one for all.

    Args:
        outputs: `[B, ...]`.
        target: `[B, ...]` or `[1, ...]` of the shape of an output, or a number.

    Returns:
        The target.

    Raises:
        ValueError: if it has another shape, which would be broadcast over other axes
            than that of the examples.
    """
    target = tf.convert_to_tensor(target, dtype_hint=outputs.dtype)
    rank = outputs.shape.rank
    if not target.shape.rank or rank is None:  # a number, or not known
        return target
    of_outputs = outputs.shape[1:]
    if target.shape.rank != rank or not target.shape[1:].is_compatible_with(of_outputs):
        raise ValueError(
            "`target` must have the shape of the outputs, for each example or, as "
            f"[1, ...], for all. Received: target.shape={target.shape} for outputs "
            f"of the shape {outputs.shape}."
        )
    return target


def _sum(terms: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(terms, axis=tf.range(1, tf.rank(terms)))
