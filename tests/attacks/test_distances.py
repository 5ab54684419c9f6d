"""Distances of posteriors against TFP, and values that a reader can check by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tfsemae.attacks import distances
from tfsemae.models import distributions

ALL = [
    distances.kl,
    distances.reverse_kl,
    distances.released,
    distances.squared_l2_of_means,
]


def _posterior(seed, *shape):
    normal = np.random.default_rng(seed).normal(size=(2, *shape))
    return {"mean": tf.constant(normal[0]), "log_variance": tf.constant(normal[1])}


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (distances.kl, 0.5 * (4 + 1 - 1 - math.log(4))),
        (distances.reverse_kl, 0.5 * (1 / 4 + 1 / 4 - 1 + math.log(4))),
        (distances.released, 2 + 1 - math.log(4) - 0.5),
        (distances.squared_l2_of_means, 1),
    ],
)
def test_of_a_normal_of_mean_1_and_deviation_2_to_the_standard_one(distance, expected):
    found = {
        "mean": tf.constant([[1.0, 0.0]]),
        "log_variance": tf.constant([[math.log(4), 0.0]]),
    }
    target = tf.nest.map_structure(tf.zeros_like, found)
    matched = 0.5 if distance is distances.released else 0  # of the second entry
    np.testing.assert_allclose(distance(found, target), [expected + matched], rtol=1e-6)


def test_divergences_are_those_of_tfp():
    found, target = _posterior(0, 5, 7), _posterior(1, 5, 7)
    first, second = (distributions.posterior(**each) for each in (found, target))
    np.testing.assert_allclose(
        distances.kl(found, target), first.kl_divergence(second), rtol=1e-12
    )
    np.testing.assert_allclose(
        distances.reverse_kl(found, target), second.kl_divergence(first), rtol=1e-12
    )


@pytest.mark.parametrize("distance", ALL)
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_of_a_match(distance, dtype):
    found = tf.nest.map_structure(lambda t: tf.cast(t, dtype), _posterior(2, 3, 4, 5))
    value = distance(found, found)
    assert value.dtype == dtype
    exact = 0.5 * 20 if distance is distances.released else 0
    np.testing.assert_allclose(value, [exact] * 3, rtol=1e-6)


def test_released_distance_rewards_a_latent_that_is_twice_too_noisy():
    target = {"mean": tf.zeros([1, 1]), "log_variance": tf.constant([[-0.7]])}
    deviations = np.linspace(0.5, 4, 351)  # by those of the target
    log_variance = 2 * np.log(deviations)[:, np.newaxis].astype(np.float32) - 0.7
    found = distances.released(
        {"mean": tf.zeros([351, 1]), "log_variance": log_variance}, target
    ).numpy()
    assert deviations[np.argmin(found)] == pytest.approx(2, abs=0.02)
    assert found.min() == pytest.approx(1.5 - 2 * math.log(2), abs=1e-5)
    assert found.min() == pytest.approx(0.1137, abs=5e-5)


def test_small_divergences_are_no_rounding_errors():
    ratio = 1e-3
    found = {"mean": tf.zeros([1, 1]), "log_variance": tf.constant([[ratio]])}
    target = tf.nest.map_structure(tf.zeros_like, found)
    # 0.5 * (exp(r) - 1 - r) = r**2 / 4 + r**3 / 12 + ...
    expected = ratio**2 / 4 + ratio**3 / 12
    np.testing.assert_allclose(distances.kl(found, target), [expected], rtol=3e-4)


@pytest.mark.parametrize("distance", ALL)
def test_one_target_serves_all_examples(distance):
    found, target = _posterior(3, 4, 6), _posterior(4, 1, 6)
    alone = [
        distance({name: value[k : k + 1] for name, value in found.items()}, target)[0]
        for k in range(4)
    ]
    np.testing.assert_allclose(distance(found, target), alone, rtol=1e-12)
