"""The KL term of an autoencoder in parts, one of which is the total correlation."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


class KLDecomposition(NamedTuple):
    """Parts of `mean{ log q(z|x) - log p(z) }`; scalars, nats."""

    mutual_information: tf.Tensor  # mean{ log q(z|x) - log q(z) }
    total_correlation: tf.Tensor  # mean{ log q(z) - log prod_k q(z_k) }
    dimension_wise_kl: tf.Tensor  # mean{ log prod_k q(z_k) - log p(z) }


def kl_decomposition(
    codes: TensorLike,
    means: TensorLike,
    log_variances: TensorLike,
    dataset_size: int,
    *,
    block_size: int | None = None,
) -> KLDecomposition:
    """Splits the KL term by minibatch weighted sampling.

    Row i of the codes is a sample of the diagonal Gaussian q(z|x_i) of row i of the
    other two; p is the standard normal. With M = N * dataset_size:

        q(z_i) = sum_j{ q(z_i|x_j) } / M
        q(z_ik) = sum_j{ q(z_ik|x_j) } / M, of feature k

    The sum of the three parts does not depend on these estimates: it is the
    Monte-Carlo estimate of the KL term. beta-TCVAE multiplies the total correlation by
    beta. M adds log(M) to the mutual information and (D - 1) log(M) to the total
    correlation, and takes D log(M) from the last part; no gradient depends on it.

    Args:
        codes: floating `[N, D]`, z.
        means: floating `[N, D]`, of q(z|x).
        log_variances: floating `[N, D]`, natural logarithms of the variances.
        dataset_size: number of training images, at least 1. With 1, q(z) is the mean
            of q(z|x) over the batch, so that the parts have no offset; for many codes
            in evaluation.
        block_size: codes that are compared with the batch at once. None: all of
            them, which takes N**2 D numbers, right for a training batch. With B it
            takes B N D, unless a gradient is taken.

    Returns:
        See `KLDecomposition`; float64 where `codes` are, else float32.

    Raises:
        ValueError: if the tensors are not floating `[N, D]` of one shape, or a size
            is below 1.
        tf.errors.InvalidArgumentError: inside a `tf.function`, if numbers of rows
            differ that are not known before it runs.

    Source: Lu 2023, section 4.2; Chen et al. 2018, "Isolating sources of
    disentanglement in variational autoencoders", section 3.

    Example:
        >>> from tfsemae import objectives
        >>> codes = [[0.0, 0.0], [1.0, 1.0]]
        >>> parts = objectives.kl_decomposition(codes, codes, tf.zeros([2, 2]), 60000)
        >>> [round(float(part), 3) for part in parts]
        [11.382, 11.06, -21.942]
    """
    codes = checks.matrix("codes", codes)
    means = checks.matrix("means", means, codes.dtype)
    log_variances = checks.matrix("log_variances", log_variances, codes.dtype)
    codes, means = tensor_checks.same_shape(codes, means, ("codes", "means"))
    means, log_variances = tensor_checks.same_shape(
        means, log_variances, ("means", "log_variances")
    )
    for name, size in (("dataset_size", dataset_size), ("block_size", block_size)):
        if size is not None and size < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}.")
    offset = tf.math.log(checks.row_count(codes)) + math.log(dataset_size)

    def marginals(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Of `[B, D]`: log q(z), and the logarithm of the product of q(z_k), `[B]`."""
        densities = _log_normal(z[:, tf.newaxis], means, log_variances)  # [B, N, D]
        joint = tf.reduce_logsumexp(tf.reduce_sum(densities, axis=2), axis=1) - offset
        single = tf.reduce_logsumexp(densities, axis=1) - offset
        return joint, tf.reduce_sum(single, axis=1)

    if block_size is None:
        joint, product = marginals(codes)
    else:
        joint, product = _in_blocks(marginals, codes, block_size)
    posterior = tf.reduce_sum(_log_normal(codes, means, log_variances), axis=1)
    zero = tf.zeros([], codes.dtype)
    prior = tf.reduce_sum(_log_normal(codes, zero, zero), axis=1)
    return KLDecomposition(
        mutual_information=tf.reduce_mean(posterior - joint),
        total_correlation=tf.reduce_mean(joint - product),
        dimension_wise_kl=tf.reduce_mean(product - prior),
    )


def _log_normal(z: tf.Tensor, mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """Logarithm of the density of a Gaussian, number by number."""
    scaled = (z - mean) * tf.exp(-0.5 * log_variance)
    return -0.5 * (tf.square(scaled) + log_variance + math.log(2 * math.pi))


def _in_blocks(
    function: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    codes: tf.Tensor,
    size: int,
) -> tuple[tf.Tensor, ...]:
    """Applies a function of `[B, D]` to blocks of rows, one after the other."""
    count = tf.shape(codes)[0]
    padded = tf.pad(codes, [[0, -count % size], [0, 0]])
    blocks = tf.reshape(padded, (-1, size, codes.shape[1]))
    signature = 2 * (tf.TensorSpec([size], codes.dtype),)
    found = tf.map_fn(
        function, blocks, fn_output_signature=signature, parallel_iterations=1
    )
    return tuple(tf.reshape(each, (-1,))[:count] for each in found)
