"""KL divergence to the prior: closed forms, quadrature, limits."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf

from tfsemae import objectives
from tfsemae.models import distributions


def test_by_hand():
    # (1 + 0 + 4 - 1 - log(4)) / 2 = (4 - log 4) / 2, from mean 1 and variance 4.
    found = objectives.kl_to_standard_normal(
        np.array([[1.0, 0.0]]), np.log([[1.0, 4.0]])
    )
    np.testing.assert_allclose(found, [(4 - np.log(4)) / 2], rtol=1e-14)
    assert float(found[0]) == pytest.approx(1.306853, abs=5e-7)


@pytest.mark.parametrize(
    ("mean", "deviation", "divergence"),
    [(0.0, 1.0, 0.0), (1.0, 1.0, 0.5), (0.0, 2.0, 0.806853)],  # of ECE 417
)
def test_known_values_and_gradients(mean, deviation, divergence):
    means, logarithms = tf.constant([[mean]]), tf.math.log([[deviation]])
    with tf.GradientTape() as tape:
        tape.watch([means, logarithms])
        found = objectives.kl_to_standard_normal(means, 2 * logarithms)
    np.testing.assert_allclose(found, [divergence], atol=1e-6)
    normal = distributions.posterior(means, 2 * logarithms)
    np.testing.assert_allclose(
        found, normal.kl_divergence(distributions.prior(1)), atol=1e-6
    )
    by_mean, by_logarithm = tape.gradient(found, [means, logarithms])
    np.testing.assert_allclose(by_mean, [[mean]], atol=1e-6)
    np.testing.assert_allclose(by_logarithm, [[deviation**2 - 1]], atol=1e-6)


@pytest.mark.parametrize(
    ("mean", "deviation"), [(0.0, 0.3), (1.5, 1.0), (-0.7, 2.5), (3.0, 0.1)]
)
def test_one_feature_equals_the_integral(mean, deviation):
    q, p = scipy.stats.norm(mean, deviation), scipy.stats.norm()
    expected, _ = scipy.integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)),
        mean - 12 * deviation,
        mean + 12 * deviation,
        epsabs=1e-12,
    )
    found = objectives.kl_to_standard_normal(
        np.array([[mean]]), np.array([[2 * np.log(deviation)]])
    )
    np.testing.assert_allclose(found, [expected], rtol=1e-9)


def test_the_prior_is_at_zero_and_all_else_above():
    zeros = np.zeros((3, 4), np.float32)
    np.testing.assert_array_equal(objectives.kl_to_standard_normal(zeros, zeros), 0)
    near = np.geomspace(1e-6, 1e-2, 100, dtype=np.float32)[:, np.newaxis]
    for log_variance in (near, -near):
        found = objectives.kl_to_standard_normal(np.zeros_like(near), log_variance)
        assert np.all(found >= 0)
        # v**2 / 4 + v**3 / 12. Of expm1(v) - v remains what rounding of expm1 leaves,
        # 6e-8 of v, up to some units in the last place.
        near64 = log_variance[:, 0].astype(float)
        np.testing.assert_allclose(
            found, near64**2 / 4 + near64**3 / 12, rtol=1e-4, atol=2e-9
        )


def test_features_and_axes_add_up():
    random = np.random.default_rng(0)
    mean, log_variance = random.normal(size=(2, 3, 2, 4))
    found = objectives.kl_to_standard_normal(mean, log_variance)
    single = objectives.kl_to_standard_normal(
        mean.reshape(-1, 1), log_variance.reshape(-1, 1)
    )
    np.testing.assert_allclose(found, np.reshape(single, (3, 8)).sum(axis=1))


def test_its_minimum_along_the_mean_and_the_variance_is_the_prior():
    mean, log_variance = tf.Variable([[3.0, -2.0]]), tf.Variable([[2.0, -3.0]])
    for _ in range(200):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(objectives.kl_to_standard_normal(mean, log_variance))
        for variable, gradient in zip(
            (mean, log_variance),
            tape.gradient(total, (mean, log_variance)),
            strict=True,
        ):
            variable.assign_sub(0.2 * gradient)
    # The curvatures there are 1 and 1 / 2: 0.9**200 = 7e-10 of the start.
    np.testing.assert_allclose(mean, [[0.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(log_variance, [[0.0, 0.0]], atol=1e-6)


def test_shapes_that_differ_are_refused():
    ones = np.ones((2, 3), np.float32)
    message = r"`mean` and `log_variance` must have the same.*\(2, 3\).*\(1, 3\)"
    with pytest.raises(ValueError, match=message):
        objectives.kl_to_standard_normal(ones, ones[:1])
    compiled = tf.function(
        objectives.kl_to_standard_normal,
        input_signature=[tf.TensorSpec([None, 3])] * 2,
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="must_have_the_same"):
        compiled(ones, ones[:1])
