"""Linear autoencoders: their error, its minimum by eigenvalues, descent to it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfsemae.tensor_checks import TensorLike


class Principal(NamedTuple):
    """The best linear autoencoder, of one covariance."""

    error: float  # sum of the eigenvalues that are left out
    encoder: np.ndarray  # float64 `[Q, P]`, orthonormal eigenvectors, largest first
    eigenvalues: np.ndarray  # float64 `[P]`, all, descending


class LinearVariational(NamedTuple):
    """The best linear variational autoencoder, of one covariance."""

    error: float  # E_f + E_g, nats, mean over the data and the posterior
    column_norms: np.ndarray  # float64 `[Q]`, of the decoder
    posterior_variances: np.ndarray  # float64 `[Q]`, 1 where an entry is not used
    divergences: np.ndarray  # float64 `[Q]`, KL from the prior, nats; adds up to E_f


def error(
    encoder: TensorLike, covariance: TensorLike, decoder: TensorLike | None = None
) -> tf.Tensor:
    """Mean squared error of linear autoencoders, summed over the numbers of an example.

    Of x with mean zero and covariance S, `z = U x` and `x^ = D z`, it is

        E = tr(S - D U S - S U^T D^T + D U S U^T D^T)

    Tied, with `D = U^T`, the gradient is `-4 U S + 2 U S U^T U + 2 U U^T U S`, and the
    minimum is the span of the Q eigenvectors of the largest eigenvalues, in any
    orthonormal basis: rows of U need not be eigenvectors. Where the data have a mean,
    it is subtracted first and added last.

    Args:
        encoder: floating `[..., Q, P]`, U.
        covariance: of its type, `[P, P]`, symmetric: `X X^T / n` of centred columns.
        decoder: `[..., P, Q]`, D; None for tied weights.

    Returns:
        `[...]`, at least 0 up to rounding.

    Source: ECE 417, lecture 22. It calls S a covariance without centring X.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae.models import linear
        >>> covariance = tf.linalg.diag([4.0, 2.0, 1.0])
        >>> [float(linear.error([row], covariance)) for row in tf.eye(3)]
        [3.0, 5.0, 6.0]
    """
    encoder = tf.convert_to_tensor(encoder)
    covariance = tf.convert_to_tensor(covariance, encoder.dtype)
    if decoder is None:
        decoder = tf.linalg.matrix_transpose(encoder)
    rest = tf.eye(encoder.shape[-1], dtype=encoder.dtype) - decoder @ encoder
    return tf.reduce_sum((rest @ covariance) * rest, axis=[-2, -1])


def principal(covariance: npt.ArrayLike, latent: int) -> Principal:
    """The minimum of `error`, by eigenvalues; this is PCA.

    Args:
        covariance: `[P, P]`, symmetric.
        latent: Q, 1 to P.

    Raises:
        ValueError: if the covariance is not such a matrix, or Q is out of its range.
    """
    values, vectors = _descending(covariance, latent)
    return Principal(float(np.sum(values[latent:])), vectors[:latent], values)


def descend(
    covariance: npt.ArrayLike,
    latent: int,
    *,
    steps: int,
    seeds: int = 1,
    tied: bool = True,
    learning_rate: float | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Trains linear autoencoders by gradient descent on all data at once.

    Args:
        covariance: `[P, P]`, symmetric.
        latent: Q, 1 to P.
        steps: of descent.
        seeds: how many are trained, from normal weights of standard deviation 0.1 of
            the seeds 0, 1, ...
        tied: whether the decoder is the transposed encoder.
        learning_rate: by default 1 / (16 times the largest eigenvalue).

    Returns:
        Encoders float64 `[seeds, Q, P]` and decoders `[seeds, P, Q]`.

    Raises:
        ValueError: as `principal`.

    Source: ECE 417, lecture 22; rate and initial weights are our choice.
    """
    values, _ = _descending(covariance, latent)
    size = len(values)
    covariance = tf.constant(covariance, tf.float64)
    if learning_rate is None:
        learning_rate = 1 / (16 * values[0])
    shapes = [(latent, size)] if tied else [(latent, size), (size, latent)]
    generators = [np.random.default_rng(seed) for seed in range(seeds)]
    weights = [
        tf.constant([0.1 * each.normal(size=shape) for each in generators])
        for shape in shapes
    ]

    @tf.function(autograph=False)
    def run(weights: list[tf.Tensor]) -> list[tf.Tensor]:
        def step(number: tf.Tensor, weights: list[tf.Tensor]) -> tuple:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(weights)
                total = tf.reduce_sum(error(weights[0], covariance, *weights[1:]))
            slopes = tape.gradient(total, weights)
            moved = [
                weight - learning_rate * slope
                for weight, slope in zip(weights, slopes, strict=True)
            ]
            return number + 1, moved

        return tf.while_loop(lambda k, _: k < steps, step, (0, weights))[1]

    weights = run(weights)
    return weights[0], tf.linalg.matrix_transpose(weights[0]) if tied else weights[1]


def variational(covariance: npt.ArrayLike, latent: int) -> LinearVariational:
    """The minimum of `E_f + E_g` of a linear variational autoencoder.

    With the posterior N(V x, diag(v)) and x given z distributed as N(W z, I), the loss
    is `KL + 0.5 * E{ |x - W z|**2 }`. Along the eigenvectors of the Q largest
    eigenvalues l, at the minimum:

        |column of W| = sqrt(l - 1),  v = 1 / l,  KL = 0.5 * ln(l)    where l > 1
        0,  1,  0                                                     else

    and E is a half of `1 + ln(l)` for each of the former and of l for all others:
    directions of a variance of at most 1, that of the noise, collapse.

    Args:
        covariance: `[P, P]`, symmetric, of data with mean zero.
        latent: Q, 1 to P.

    Raises:
        ValueError: as `principal`.

    Source: ECE 417, lecture 22, for the loss; Tipping and Bishop 1999, "Probabilistic
    principal component analysis", with the noise fixed at 1.

    Example:
        >>> from tfsemae.models import linear
        >>> found = linear.variational([[5, 0, 0], [0, 3, 0], [0, 0, 0.5]], 3)
        >>> print(f"{found.error:.6f}", found.column_norms.round(5).tolist())
        2.604025 [2.0, 1.41421, 0.0]
    """
    values, _ = _descending(covariance, latent)
    kept = np.maximum(values[:latent], 1)
    divergences = np.log(kept) / 2
    used = np.sum(values[:latent] > 1)
    loss = np.sum(divergences) + used / 2 + np.sum(values[used:]) / 2
    return LinearVariational(float(loss), np.sqrt(kept - 1), 1 / kept, divergences)


def _descending(
    covariance: npt.ArrayLike, latent: int
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues `[P]`, largest first, and eigenvectors as rows `[P, P]`."""
    matrix = np.asarray(covariance, np.float64)
    if matrix.ndim != 2 or not np.array_equal(matrix, matrix.T):
        raise ValueError(
            "`covariance` must be symmetric, [P, P]; take (S + S.T) / 2 where it is so "
            f"up to rounding. Received: covariance.shape={matrix.shape}."
        )
    if not 1 <= latent <= len(matrix):
        raise ValueError(
            f"`latent` must be in 1 to {len(matrix)}. Received: latent={latent}."
        )
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1], vectors.T[::-1]
