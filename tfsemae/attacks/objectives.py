"""Objectives of attacks on autoencoders and classifiers, one value per example.

On autoencoders they are distances to a target. Each function takes the network through
which an attack looks and gives an objective `objective(points, target) -> [B]` for
`PGD`. An untargeted attack maximises the distance to what the network gives of the
example itself, a targeted one minimises the distance to something else. The points are
latents where the network is a decoder, and images where it is an encoder, or encoder
and decoder together. On classifiers they take classes in place of a target.

Example:
    >>> import keras
    >>> import tensorflow as tf
    >>> from tfsemae import attacks
    >>> from tfsemae.attacks import objectives
    >>> decoder = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Rescaling([3.0, 1.0])]
    ... )
    >>> latent = tf.ones([1, 2])
    >>> to_zero = attacks.PGD(
    ...     objectives.mean_squared_error(decoder), epsilon=1.0, targeted=True
    ... )
    >>> print(f"{to_zero(latent, tf.zeros([1, 2])).objective[0]:.2f}")  # was 5
    0.20
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks import distances
from tfsemae.attacks.distances import Distance, difference, fitting
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.projections import norms
from tfsemae.objectives import ssim
from tfsemae.tensor_checks import TensorLike

#: A Keras model, an endpoint of a SavedModel, or any other function of tensors.
Network: TypeAlias = Callable[[tf.Tensor], Any]
#: Of images {"mean", "log_variance"}.
PosteriorNetwork: TypeAlias = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def mean_squared_error(network: Network) -> Objective:
    """Mean of the squared differences of outputs, over all numbers of an example.

    Source: D of Lu 2023, eqs. (4) and (5).
    """

    def objective(points: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        error = tf.square(difference(network(points), target))
        return tf.reduce_mean(error, axis=tf.range(1, tf.rank(error)))

    return objective


def one_minus_ssim(network: Network) -> Objective:
    """1 - SSIM of images, see `tfsemae.objectives.ssim`.

    Source: D of Lu 2023, Algorithm 1.
    """
    return lambda points, target: 1 - ssim(target, network(points))


def euclidean_distance(network: Network) -> Objective:
    """L2 distance of outputs, such as the latents of an encoder."""
    return lambda points, target: norms(difference(network(points), target))


def squared_distance(network: Network) -> Objective:
    """Sum of the squared differences of outputs: codes, images or reconstructions.

    Source: Tabacof 2016, section 2, for autoencoders without a posterior, and its
    attack on the output.
    """

    def objective(points: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        error = tf.square(difference(network(points), target))
        return tf.reduce_sum(error, axis=tf.range(1, tf.rank(error)))

    return objective


def posterior_distance(
    network: PosteriorNetwork, distance: Distance = distances.kl
) -> Objective:
    """Distance of the posterior of an image to that of the target.

    Args:
        network: image -> {"mean", "log_variance"}, each `[B, ...]`, such as
            `Autoencoder.posterior()`. A target is such a dictionary as well.
        distance: see `tfsemae.attacks.distances`.

    Source: Tabacof 2016, section 2.
    """
    return lambda points, target: distance(network(points), target)


def posterior_kl(network: PosteriorNetwork) -> Objective:
    """KL divergence of the posterior of an image from that of the target, nats.

    Args:
        network: see `posterior_distance`.

    Source: Tabacof 2016, section 2: the adversarial posterior first.
    """
    return posterior_distance(network, distances.kl)


def expected_squared_distance(
    posterior: PosteriorNetwork, decoder: Network, draws: TensorLike
) -> Objective:
    """Sum of the squared differences of a stochastic reconstruction and an image.

    It is the mean over K reconstructions `decoder(mean + exp(log_variance / 2) * e_k)`.
    All points and evaluations share the draws e_k: the objective is smooth, as a line
    search needs it. An attack fits the reconstructions of its own draws; to report
    what it reached, evaluate another objective, of fresh draws.

    Args:
        posterior: see `posterior_distance`.
        decoder: `[B, ...]` latents -> outputs.
        draws: floating `[K, ...]` of standard normal numbers in the shape of a latent,
            such as `tf.random.stateless_normal([K, Z], seed=(0, 1))`.

    Raises:
        ValueError: if the draws have not the shape of a latent; when it is called.

    Source: Tabacof 2016, section 3, the attack on the output; Gondim-Ribeiro 2018.
    """
    draws = tensor_checks.examples("draws", draws, tf.float64)

    def objective(points: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        found = posterior(tf.convert_to_tensor(points))
        mean, scale = found["mean"], tf.exp(found["log_variance"] / 2)
        if not mean.shape[1:].is_compatible_with(draws.shape[1:]):
            raise ValueError(
                "`draws` must have the shape [K, ...] of latents. Received: "
                f"draws.shape={draws.shape} for latents of the shape {mean.shape}."
            )
        noise = tf.cast(draws, mean.dtype)[:, tf.newaxis]  # [K, 1, ...]
        latents = mean + scale * noise
        flat = tf.reshape(latents, tf.concat([[-1], tf.shape(mean)[1:]], axis=0))
        outputs = decoder(tf.ensure_shape(flat, [None, *mean.shape[1:]]))
        shape = tf.concat([tf.shape(latents)[:2], tf.shape(outputs)[1:]], axis=0)
        error = tf.square(tf.reshape(outputs, shape) - fitting(outputs, target))
        total = tf.reduce_sum(error, axis=tf.range(2, tf.rank(error)))
        return tf.reduce_mean(total, axis=0)

    return objective


def expected_squared_error(
    reconstruct: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], draws: TensorLike
) -> Objective:
    """As `expected_squared_distance`, where the posterior depends on the noise.

    Args:
        reconstruct: points `[B, ...]` and standard normal noise `[B, Z]` -> outputs,
            such as those of DRAW.
        draws: floating `[K, Z]`.

    Source: Gondim-Ribeiro 2018, the attack on the output.
    """
    draws = tensor_checks.examples("draws", draws, tf.float64)

    def objective(points: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        def of_draw(drawn: tf.Tensor) -> tf.Tensor:
            shape = tf.concat([tf.shape(points)[:1], tf.shape(drawn)], axis=0)
            noise = tf.cast(tf.broadcast_to(drawn, shape), points.dtype)
            noise = tf.ensure_shape(noise, [points.shape[0], *draws.shape[1:]])
            error = tf.square(difference(reconstruct(points, noise), target))
            return tf.reduce_sum(error, axis=tf.range(1, tf.rank(error)))

        # A loop over few draws: K copies of a batch would take K times the memory.
        return tf.add_n([of_draw(drawn) for drawn in tf.unstack(draws)]) / len(draws)

    return objective


def cross_entropy(classifier: Network) -> Objective:
    """Cross-entropy of a class, -ln y_label, nats; from logits.

    Args:
        classifier: images `[B, ...]` -> logits `[B, K]`. A label is int `[B]`, or one
            for all.

    Source: E of ECE 417, lecture 22.
    """

    def objective(points: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        return -_of_class(tf.nn.log_softmax(classifier(points)), label)

    return objective


def log_odds(classifier: Network) -> Objective:
    """ln(y_fake / y_label), nats, the difference of two logits.

    Args:
        classifier: images `[B, ...]` -> logits `[B, K]`. Classes are int `[B]`, or one
            for all: first the label, then the one that the attack wants.

    Source: ECE 417, lecture 22, the chosen mistake.
    """

    def objective(points: tf.Tensor, label: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        logits = classifier(points)
        return _of_class(logits, fake) - _of_class(logits, label)

    return objective


def _of_class(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    classes = tf.broadcast_to(classes, tf.shape(logits)[:1])
    return tf.gather(logits, classes, batch_dims=1)
