"""Losses of GANs: values by hand, gradients by the logit, the best discriminator."""

import numpy as np
import pytest
import scipy.optimize
import scipy.spatial.distance
import tensorflow as tf

from tfsemae import objectives


def _logit(probability):
    return np.log(probability) - np.log1p(-np.asarray(probability))


def _slopes(loss, logits):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = loss(logits)
    return tape.gradient(total, logits)


def test_an_undecided_discriminator():
    found = objectives.gan_discriminator_loss([0.0], [0.0])
    np.testing.assert_allclose(found, [2 * np.log(2)], rtol=1e-6)


def test_values_by_hand():
    real, fake = _logit(np.array([0.9, 0.5])), _logit(np.array([0.2, 0.5]))
    found = objectives.gan_discriminator_loss(real, fake)
    np.testing.assert_allclose(found, -np.log([0.9 * 0.8, 0.25]))
    minimax = objectives.gan_generator_loss(fake)
    np.testing.assert_allclose(minimax, np.log([0.8, 0.5]))
    nonsat = objectives.gan_generator_loss(fake, kind="nonsat")
    np.testing.assert_allclose(nonsat, -np.log([0.2, 0.5]))


def test_only_one_generator_loss_has_a_gradient_where_the_discriminator_is_sure():
    logits = _logit(np.array([0.01, 0.5, 0.99]))
    minimax = _slopes(objectives.gan_generator_loss, logits)
    np.testing.assert_allclose(minimax, [-0.01, -0.5, -0.99])
    nonsat = _slopes(lambda x: objectives.gan_generator_loss(x, kind="nonsat"), logits)
    np.testing.assert_allclose(nonsat, [-0.99, -0.5, -0.01])


def test_logits_may_be_large():
    extreme = np.float32([-200, 200])
    found = objectives.gan_discriminator_loss(extreme, extreme)
    np.testing.assert_array_equal(found, [200, 200])
    for kind in ("minimax", "nonsat"):
        loss = objectives.gan_generator_loss(extreme, kind=kind)
        expected = {"minimax": [0, -200], "nonsat": [200, 0]}[kind]
        np.testing.assert_allclose(loss, expected, atol=1e-30)


@pytest.mark.parametrize(
    ("p", "q"), [([0.2, 0.3, 0.5], [0.6, 0.1, 0.3]), ([0.25, 0.75], [0.25, 0.75])]
)
def test_the_best_discriminator(p, q):
    """D = p / (p + q), and the loss there is ln 4 - 2 JSD."""
    p, q = np.array(p), np.array(q)

    def mean(logits):
        logits = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            of_real = objectives.gan_discriminator_loss(logits, logits)
            # Of each value the part of a real and of a generated image.
            fake = -objectives.gan_generator_loss(logits)
            total = tf.reduce_sum(p * (of_real - fake) + q * fake)
        return total.numpy(), tape.gradient(total, logits).numpy()

    found = scipy.optimize.minimize(mean, np.zeros(len(p)), jac=True, tol=1e-10)
    np.testing.assert_allclose(1 / (1 + np.exp(-found.x)), p / (p + q), atol=1e-5)
    divergence = scipy.spatial.distance.jensenshannon(p, q) ** 2
    assert found.fun == pytest.approx(np.log(4) - 2 * divergence, abs=1e-9)


def test_densities_that_overlap_in_part():
    # D* = (1, 1 / 2, 0); 1 and 0 are the limit of large logits.
    p, q, logits = np.array([0.5, 0.5, 0]), np.array([0, 0.5, 0.5]), [40.0, 0.0, -40.0]
    fake = -objectives.gan_generator_loss(tf.constant(logits, tf.float64)).numpy()
    both = objectives.gan_discriminator_loss(tf.constant(logits, tf.float64), logits)
    value = -np.sum(p * (both - fake) + q * fake)
    divergence = scipy.spatial.distance.jensenshannon(p, q) ** 2
    assert divergence == pytest.approx(0.346574, abs=1e-6)
    assert value == pytest.approx(-np.log(4) + 2 * divergence, abs=1e-12)
    assert value == pytest.approx(-0.693147, abs=1e-6)


def test_further_axes_are_averaged():
    patches = np.random.default_rng(0).normal(size=(3, 4, 4, 1))
    found = objectives.gan_generator_loss(patches, kind="nonsat")
    expected = np.mean(np.log1p(np.exp(-patches)), axis=(1, 2, 3))
    np.testing.assert_allclose(found, expected)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"`kind` must be one of minimax, nonsat.*'w'"):
        objectives.gan_generator_loss([0.0], kind="w")
    message = r"`real_logits` and `fake_logits` must have the same.*\(2,\).*\(3,\)"
    with pytest.raises(ValueError, match=message):
        objectives.gan_discriminator_loss(np.zeros(2), np.zeros(3))
