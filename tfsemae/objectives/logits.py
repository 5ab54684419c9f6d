"""Losses of a classifier's logits that attacks and adversarial training use."""

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike

#: Least difference of logits that is divided by.
_LEAST_SPREAD = 1e-12


def kl_of_logits(logits: TensorLike, others: TensorLike) -> tf.Tensor:
    """KL(p || q) of the classes that two sets of logits give, per example.

    Computes `sum_c{ p_c (log p_c - log q_c) }` with `p = softmax(logits)` and
    `q = softmax(others)`. Gradients flow to both.

    Args:
        logits: floating `[B, C]`, such as of clean images.
        others: floating `[B, C]`, such as of adversarial images.

    Returns:
        `[B]`, nats, never negative up to rounding; float64 where `logits` are, else
        float32.

    Raises:
        ValueError: if a type or a shape does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if
            numbers of rows differ.

    Source: Zhang et al. 2019, "Theoretically principled trade-off between robustness
    and accuracy", eq. (5); Kuang et al. 2023, released code.

    Example:
        >>> from tfsemae import objectives
        >>> kl = objectives.kl_of_logits([[0.0, 0.0]], [[0.0, 0.0]])
        >>> float(kl[0])
        0.0
    """
    logits = checks.matrix("logits", logits)
    others = checks.matrix("others", others, logits.dtype)
    logits, others = tensor_checks.same_shape(logits, others, ("logits", "others"))
    log_p, log_q = tf.nn.log_softmax(logits), tf.nn.log_softmax(others)
    return tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=1)


def cw_margin(
    logits: TensorLike, labels: TensorLike, *, kappa: float = 50.0
) -> tf.Tensor:
    """The margin loss of Carlini and Wagner, which an attack maximises, per example.

    Computes `-max( z_y - max_(c != y){ z_c } + kappa, 0 )`.

    Args:
        logits: floating `[B, C]`, z, C at least 2.
        labels: int `[B]`, y.
        kappa: the lead of a wrong class, in logits, at which the loss is 0 and has no
            gradient.

    Returns:
        `[B]`, at most 0; float64 where `logits` are, else float32.

    Raises:
        ValueError: if a type, a shape or a label does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if a label
            is no class.

    Source: Carlini and Wagner 2017, "Towards evaluating the robustness of neural
    networks", f_6; Kuang et al. 2023, released code, for kappa.

    Example:
        >>> from tfsemae import objectives
        >>> objectives.cw_margin([[3.0, 1.0, 2.0]], [0]).numpy().tolist()
        [-51.0]
    """
    logits, labels = _checked(logits, labels, least=2)
    return -tf.nn.relu(_lead(logits, labels) + kappa)


def dlr(logits: TensorLike, labels: TensorLike) -> tf.Tensor:
    """Difference of logits ratio, which an attack maximises, per example.

    With the logits z in descending order, z_(1) first:

        -(z_y - max_(c != y){ z_c }) / (z_(1) - z_(3))

    It does not change where logits are moved or scaled, so that a network cannot hide
    its gradients by large logits.

    Args:
        logits: floating `[B, C]`, z, C at least 3.
        labels: int `[B]`, y.

    Returns:
        `[B]`, in [-1, 0] where the label has the largest logit, else above 0; float64
        where `logits` are, else float32.

    Raises:
        ValueError: if a type, a shape or a label does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if a label
            is no class.

    Source: Croce and Hein 2020, "Reliable evaluation of adversarial robustness with an
    ensemble of diverse parameter-free attacks", eq. (6).

    Example:
        >>> from tfsemae import objectives
        >>> objectives.dlr([[4.0, 3.0, 2.0]], [0]).numpy().tolist()
        [-0.5]
    """
    logits, labels = _checked(logits, labels, least=3)
    top = tf.math.top_k(logits, k=3).values
    spread = tf.maximum(top[:, 0] - top[:, 2], _LEAST_SPREAD)
    return -_lead(logits, labels) / spread


def targeted_dlr(
    logits: TensorLike, labels: TensorLike, targets: TensorLike
) -> tf.Tensor:
    """Difference of logits ratio to a target, which an attack maximises, per example.

    With the logits z in descending order, z_(1) first:

        -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2)

    Args:
        logits: floating `[B, C]`, z, C at least 4.
        labels: int `[B]`, y.
        targets: int `[B]`, t, the class that the attack drives at.

    Returns:
        `[B]`, above 0 where the target has the larger logit; float64 where `logits`
        are, else float32.

    Raises:
        ValueError: if a type, a shape or a label does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if a label
            is no class.

    Source: Croce and Hein 2020, eq. (7).

    Example:
        >>> from tfsemae import objectives
        >>> objectives.targeted_dlr([[4.0, 3.0, 2.0, 2.0]], [0], [3]).numpy().tolist()
        [-1.0]
    """
    logits, labels = _checked(logits, labels, least=4)
    targets = checks.labels(targets, logits, logits.shape[1], "targets")
    top = tf.math.top_k(logits, k=4).values
    spread = top[:, 0] - 0.5 * (top[:, 2] + top[:, 3])
    difference = _of_class(logits, labels) - _of_class(logits, targets)
    return -difference / tf.maximum(spread, _LEAST_SPREAD)


def _checked(
    logits: TensorLike, labels: TensorLike, *, least: int
) -> tuple[tf.Tensor, tf.Tensor]:
    logits = checks.matrix("logits", logits)
    if logits.shape[1] < least:
        raise ValueError(
            f"`logits` must be of at least {least} classes. "
            f"Received: logits.shape={logits.shape}."
        )
    return logits, checks.labels(labels, logits, logits.shape[1])


def _lead(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The logit of the label, less the largest of the others, `[B]`."""
    own = tf.one_hot(labels, logits.shape[1], on_value=True, off_value=False)
    others = tf.reduce_max(tf.where(~own, logits, logits.dtype.min), axis=1)
    return _of_class(logits, labels) - others


def _of_class(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.gather(logits, labels, batch_dims=1)
