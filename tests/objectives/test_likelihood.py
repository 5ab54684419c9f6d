"""Negative log-likelihoods: by hand, against SciPy, and where they are clipped."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfsemae import objectives


def _random(*shape):
    return np.random.default_rng(0).uniform(0.05, 0.95, shape)


def test_of_binary_numbers_it_is_that_of_scipy():
    p = _random(3, 4, 5, 1)
    x = np.round(np.random.default_rng(1).random(p.shape))
    expected = -scipy.stats.bernoulli.logpmf(x, p).sum((1, 2, 3))
    np.testing.assert_allclose(objectives.bernoulli_nll(x, p), expected, rtol=1e-12)


def test_it_is_the_mean_of_keras_times_the_number_of_pixels():
    x, p = np.float32(_random(2, 6, 5, 4, 1))
    keras_mean = np.mean(keras.losses.binary_crossentropy(x, p), axis=(1, 2))
    found = objectives.bernoulli_nll(x, p)
    # float32 sums of other order.
    np.testing.assert_allclose(found, 20 * keras_mean, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_are_clipped_at_a_millionth(dtype):
    x = np.array([[1], [0], [1], [0]], dtype)
    p = tf.constant([[0], [1], [1], [0]], dtype)
    with tf.GradientTape() as tape:
        tape.watch(p)
        found = objectives.bernoulli_nll(x, p)
    wrong, right = -np.log(1e-6), -np.log1p(-1e-6)
    # 1 - 1e-6 has two digits in float32.
    rtol = 0.05 if dtype is np.float32 else 1e-10
    np.testing.assert_allclose(found, [wrong, wrong, right, right], rtol=rtol)
    np.testing.assert_array_equal(tape.gradient(found, p), np.zeros((4, 1)))


def test_of_normal_numbers_it_is_that_of_scipy():
    x, mean, log_variance = np.random.default_rng(0).normal(size=(3, 2, 3, 4, 2))
    deviation = np.exp(log_variance / 2)
    expected = -scipy.stats.norm.logpdf(x, mean, deviation).sum((1, 2, 3))
    found = objectives.normal_nll(x, mean, log_variance, epsilon=0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_epsilon_is_added_to_twice_the_variance():
    # exp(-800) is 0: what is left is log(2 pi) / 2 - 400 + (1e-3)**2 / 1e-8.
    found = objectives.normal_nll(np.array([[1e-3]]), [[0.0]], [[-800.0]])
    np.testing.assert_allclose(found, [np.log(2 * np.pi) / 2 - 300], rtol=1e-12)


def test_other_units_change_it_by_a_constant():
    x, mean, log_variance = np.random.default_rng(0).normal(size=(3, 4, 6))
    first = objectives.normal_nll(x, mean, log_variance, epsilon=0.0)
    scaled = objectives.normal_nll(
        5 * x + 1, 5 * mean + 1, log_variance + 2 * np.log(5), epsilon=0.0
    )
    np.testing.assert_allclose(scaled - first, np.full(4, 6 * np.log(5)), rtol=1e-10)


@pytest.mark.parametrize(
    ("function", "others"), [("bernoulli_nll", 1), ("normal_nll", 2)]
)
def test_shapes_and_numbers_that_cannot_be_are_refused(function, others):
    found = getattr(objectives, function)
    ones = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"must have the same.*\(2, 3\).*\(1, 3\)"):
        found(ones, *[ones[:1]] * others)
    with pytest.raises(ValueError, match=r"`epsilon` must.*Received: epsilon=-1"):
        found(ones, *[ones] * others, epsilon=-1)
