"""What the Jacobians of decoder and encoder say, in standard deviations."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfsemae import attacks
from tfsemae.attacks.projections import norms, per_example
from tfsemae.audit import estimates
from tfsemae.audit.report import Dimension, Estimate, Spectrum

EXAMPLES = 64
_COUNT = 4  # singular values
_ITERATIONS = 20
_WITHIN = 0.2  # of the linear prediction
_STEPS = 2.0 ** np.arange(-8, 3.5, 0.5)  # in units of the spread
_HALVINGS = 5  # of the way between two of them
_MOST_DIMENSIONS = 1024  # each is moved; of more, as many are drawn at random
_MOVED_EXAMPLES = 16
_INSENSITIVE = 1e-3  # of the strongest effect
_OF_SPECTRUM = 500  # evaluations of the network that take as long, of one point


def evaluations(images: int, numbers: int) -> int:
    """Evaluations of the network that take as long as all this, about.

    Args:
        images: that are audited.
        numbers: of a latent; 0 of a network whose `dimensions` are not asked for.
    """
    spectra = min(images, EXAMPLES) * _OF_SPECTRUM
    return spectra + min(images, _MOVED_EXAMPLES) * min(numbers, _MOST_DIMENSIONS)


def spectrum(
    name: str,
    network: Callable[[tf.Tensor], tf.Tensor],
    points: np.ndarray,
    deviations: np.ndarray,
    spread: float,
) -> Spectrum:
    """The singular values of a network's Jacobian.

    Args:
        name: of the network.
        network: points -> outputs.
        points: float32 `[N, ...]`.
        deviations: standard deviation of each number of a point.
        spread: root of their total variance.
    """
    scale = tf.constant(_above_zero(deviations), tf.float32)

    def in_deviations(points: tf.Tensor) -> tf.Tensor:
        return network(points * scale)

    sizes = (points[0].size, np.prod(network(tf.constant(points[:1])).shape[1:]))
    top = attacks.SingularVectors(
        in_deviations,
        count=int(min(_COUNT, *sizes)),
        iterations=_ITERATIONS,
    )(tf.constant(points) / scale)
    values = top.values.numpy()
    finite = values[np.isfinite(values).all(axis=1)]
    medians: list[float] = []
    if len(finite):
        medians = estimates.lower_median(finite).tolist()
    return Spectrum(
        network=name,
        images=len(points),
        values=tuple(medians),
        first=estimates.quantile(finite[:, 0]) if len(finite) else Estimate(value=None),
        linear_range=_linear_range(network, points, spread),
    )


def _linear_range(
    network: Callable[[tf.Tensor], tf.Tensor], points: np.ndarray, spread: float
) -> Estimate:
    """How far the prediction of the top singular vector holds."""
    given = tf.constant(points)
    top = attacks.SingularVectors(network, iterations=_ITERATIONS)(given)
    value, right = top.values[:, 0], top.right[:, 0]
    clean = network(given)

    def beyond(steps: np.ndarray) -> np.ndarray:
        lengths = tf.constant(steps * spread, tf.float32)
        moved = given + per_example(lengths, right) * right
        change = norms(network(moved) - clean).numpy()
        predicted = (lengths * value).numpy()  # 0 of a constant, which keeps to it
        return ~(np.abs(change - predicted) <= _WITHIN * predicted)

    low, high = np.zeros(len(points)), np.full(len(points), np.inf)
    for step in _STEPS:
        left = beyond(np.full(len(points), step))
        high = np.where(left & np.isinf(high), step, high)
        low = np.where(np.isinf(high), step, low)
    for _ in range(_HALVINGS):
        middle = np.where(np.isinf(high), 0, (low + high) / 2)
        left = beyond(middle)
        low, high = np.where(left, low, middle), np.where(left, middle, high)
    return estimates.quantile(high)


def dimensions(
    decode: Callable[[tf.Tensor], tf.Tensor],
    latents: np.ndarray,
    deviations: np.ndarray,
    seed: int,
) -> tuple[list[Dimension], list[int]]:
    """What each number of the latent does to the image.

    Args:
        decode: latents -> images.
        latents: float32 `[N, ...]`, of which a few are taken.
        deviations: standard deviation of each number, of the shape of a latent.
        seed: of the choice where there are many numbers.

    Returns:
        The effect of each, the strongest first; the numbers without one.
    """
    latents = latents[:_MOVED_EXAMPLES]
    size = latents[0].size
    numbers = np.arange(size)
    if size > _MOST_DIMENSIONS:
        random = np.random.default_rng([seed, 11])
        numbers = np.sort(random.choice(size, _MOST_DIMENSIONS, replace=False))
    clean = decode(tf.constant(latents))
    steps = tf.constant(deviations.ravel(), tf.float32)

    @tf.function(autograph=False, reduce_retracing=True)
    def moved(number: tf.Tensor) -> tf.Tensor:
        step = tf.reshape(tf.one_hot(number, size) * steps[number], latents.shape[1:])
        change = norms(decode(tf.constant(latents) + step) - clean)
        return tf.sqrt(tf.reduce_mean(tf.square(change)))

    effects = [float(moved(tf.constant(number))) for number in numbers]
    found = [
        Dimension(number=int(number), effect=effect)
        for number, effect in zip(numbers, effects, strict=True)
        if np.isfinite(effect)
    ]
    found.sort(key=lambda each: -each.effect)
    least = _INSENSITIVE * found[0].effect if found else 0.0
    return found, sorted(each.number for each in found if each.effect <= least)


def _above_zero(deviations: np.ndarray) -> np.ndarray:
    """Numbers that do not vary have a tiny deviation, so that none divides by zero.

    It is far below those of numbers in other units, a million times as small.
    """
    return np.maximum(deviations, max(1e-12 * float(deviations.max()), 1e-30))
