"""Bounds on the information that codes of images share with words of their classes.

A code and a word are compared by the cosine of their angle: both are divided by their
norms here.
"""

import math

import tensorflow as tf

from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


def word_nce(
    codes: TensorLike,
    words: TensorLike,
    labels: TensorLike,
    *,
    temperature: float = 0.5,
    kappa: float = 0.01,
) -> tf.Tensor:
    """Noise-contrastive loss of codes and words; lower is better.

    With `s_ij = exp( cos(z_i, u_(y_j)) / temperature )`:

        sum_(i != j){ [y_i != y_j] log(1 + s_ij / kappa) } / (B (B - 1))
            + mean_i{ log(1 + kappa / s_ii) }

    Pairs of one class count as 0. `h = s / (s + kappa)` is a critic that tells matched
    from unmatched pairs. With the default temperature and kappa the second term is at
    most 0.0713 and has almost no gradient: the loss mostly drives codes away from the
    words of other classes.

    Args:
        codes: floating `[B, D]`, z, B at least 2.
        words: floating `[C, D]`, u, a row per class.
        labels: int `[B]`, y.
        temperature: above 0.
        kappa: above 0, stands for the share of negatives in the data.

    Returns:
        Scalar, nats, above 0; float64 where `codes` are, else float32.

    Raises:
        ValueError: if a type, a shape, a label or a number does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if a label
            is no class, or there are too few codes.

    Source: Kuang et al. 2023, mutual information loss of the released code; Tian et
    al. 2020, "Contrastive representation distillation", eqs. (9) to (11).

    Example:
        >>> from tfsemae import objectives
        >>> words = [[1.0, 0.0], [0.0, 1.0]]  # cosines 1 and 0: 0.00135, 4.61512
        >>> round(float(objectives.word_nce(words, words, [0, 1])), 4)
        4.6165
    """
    _check_positive("kappa", kappa)
    cosines, labels = _scaled_cosines(codes, words, labels, temperature, least=2)
    scores = cosines - math.log(kappa)
    own = labels[:, tf.newaxis] == tf.range(tf.shape(scores)[1])
    matched = tf.reduce_sum(tf.where(own, tf.nn.softplus(-scores), 0), axis=1)
    # All examples of a class have one word: pairs are counted by their classes.
    members = tf.reduce_sum(tf.cast(own, scores.dtype), axis=0)
    unmatched = tf.where(~own, tf.nn.softplus(scores), 0) * members
    count = checks.row_count(scores)
    return tf.reduce_sum(unmatched) / (count * (count - 1)) + tf.reduce_mean(matched)


def word_ba(
    codes: TensorLike,
    words: TensorLike,
    labels: TensorLike,
    *,
    temperature: float = 0.1,
) -> tf.Tensor:
    """Cross-entropy of the word of an example among all words, per example.

    Computes `-log softmax_c{ cos(z, u_c) / temperature }` at the class of the example.
    The bound of Barber and Agakov holds for any codes and words, and has no false
    negatives; see `word_information`.

    Args:
        codes: floating `[B, D]`, z.
        words: floating `[C, D]`, u, a row per class.
        labels: int `[B]`.
        temperature: above 0.

    Returns:
        `[B]`, nats, above 0; float64 where `codes` are, else float32.

    Raises:
        ValueError: if a type, a shape, a label or the temperature does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if a label
            is no class, or there is no code.

    Source: our choice for the mutual information of Kuang et al. 2023, which the paper
    leaves open; Barber and Agakov 2003, "The IM algorithm".

    Example:
        >>> from tfsemae import objectives
        >>> words = [[1.0, 0.0], [-1.0, 0.0]]
        >>> loss = objectives.word_ba([[3.0, 0.0]], words, [0], temperature=1.0)
        >>> print(f"{loss[0]:.4f}")  # log(1 + exp(-2))
        0.1269
    """
    cosines, labels = _scaled_cosines(codes, words, labels, temperature, least=1)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, cosines)


def word_information(
    codes: TensorLike,
    words: TensorLike,
    labels: TensorLike,
    *,
    temperature: float = 0.1,
) -> tf.Tensor:
    """Lower bound on the information of codes about words; higher is better.

    Computes `H(y) - mean{ word_ba }`, with the entropy H of the shares of the classes
    among the labels: log(C) where all C classes are equally frequent. It is a bound for
    the examples that it is computed on; take ones that were not trained on.

    Args:
        codes: as of `word_ba`.
        words: as of `word_ba`.
        labels: as of `word_ba`.
        temperature: as of `word_ba`.

    Returns:
        Scalar, nats, at most H(y); negative where words are worse than a guess.
        float64 where `codes` are, else float32.

    Raises:
        ValueError: as `word_ba`.
        tf.errors.InvalidArgumentError: as `word_ba`.

    Source: as `word_ba`.

    Example:
        >>> from tfsemae import objectives
        >>> words = [[1.0, 0.0], [-1.0, 0.0]]
        >>> bound = objectives.word_information(words, words, [0, 1])
        >>> print(f"{bound:.4f}")  # log(2)
        0.6931
    """
    losses = word_ba(codes, words, labels, temperature=temperature)
    classes = tf.range(tf.shape(words)[0])
    own = tf.cast(labels, tf.int32)[:, tf.newaxis] == classes
    shares = tf.reduce_mean(tf.cast(own, losses.dtype), axis=0)
    entropy = -tf.reduce_sum(tf.math.xlogy(shares, shares))
    return entropy - tf.reduce_mean(losses)


def _scaled_cosines(
    codes: TensorLike,
    words: TensorLike,
    labels: TensorLike,
    temperature: float,
    *,
    least: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cosines over the temperature, `[B, C]`, and labels that were checked."""
    _check_positive("temperature", temperature)
    codes = checks.matrix("codes", codes, least=least)
    words = checks.matrix("words", words, codes.dtype)
    if codes.shape[1] != words.shape[1]:
        raise ValueError(
            "`codes` and `words` must have equally many features. "
            f"Received: {codes.shape[1]} and {words.shape[1]}."
        )
    labels = checks.labels(labels, codes, words.shape[0] or tf.shape(words)[0])
    codes, words = (tf.math.l2_normalize(each, axis=1) for each in (codes, words))
    return tf.matmul(codes, words, transpose_b=True) / temperature, labels


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(
            f"`{name}` must be finite and above 0. Received: {name}={value}."
        )
