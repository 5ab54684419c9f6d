"""Linear autoencoders against eigenvalues, and numerical minima of their losses."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from tfsemae import metrics
from tfsemae.models import linear

DIAGONAL = np.diag([4.0, 2.0, 1.0])


def _covariance(size=6, seed=0):
    factor = np.random.default_rng(seed).normal(size=(size, size))
    return factor @ factor.T


# Numbers of the specification of ECE 417, lecture 22.


@pytest.mark.parametrize(("row", "error"), [(0, 3), (1, 5), (2, 6)])
def test_single_eigenvectors_are_stationary(row, error):
    encoder = tf.constant(np.eye(3)[row : row + 1])
    with tf.GradientTape() as tape:
        tape.watch(encoder)
        found = linear.error(encoder, DIAGONAL)
    assert found == error
    np.testing.assert_array_equal(tape.gradient(found, encoder), np.zeros((1, 3)))
    assert linear.principal(DIAGONAL, 1).error == 3


@pytest.mark.parametrize("factor", [0, 0.5, 0.9, 1, 1.5])
def test_error_along_the_first_eigenvector(factor):
    expected = 7 - 8 * factor**2 + 4 * factor**4
    found = linear.error([[factor, 0.0, 0.0]], DIAGONAL.astype(np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_gradient_is_that_of_the_formula():
    covariance = _covariance()
    u = np.random.default_rng(1).normal(size=(2, 6))
    weights = tf.constant(u)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        found = linear.error(weights, covariance)
    expected = -4 * u @ covariance
    expected += 2 * u @ covariance @ u.T @ u + 2 * u @ u.T @ u @ covariance
    np.testing.assert_allclose(tape.gradient(found, weights), expected, rtol=1e-10)


@pytest.mark.parametrize("tied", [True, False])
def test_error_is_that_of_the_data(tied):
    random = np.random.default_rng(2)
    data = random.normal(size=(6, 50)) * np.arange(1, 7)[:, np.newaxis]
    data -= data.mean(axis=1, keepdims=True)
    encoder = random.normal(size=(2, 6))
    decoder = encoder.T if tied else random.normal(size=(6, 2))
    expected = np.mean(np.sum((data - decoder @ encoder @ data) ** 2, axis=0))
    found = linear.error(encoder, data @ data.T / 50, None if tied else decoder)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_no_rotation_of_the_latent_changes_the_error():
    covariance = _covariance()
    best = linear.principal(covariance, 3)
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    for encoder in (best.encoder, rotation @ best.encoder):
        found = linear.error(encoder, covariance)
        np.testing.assert_allclose(found, best.error, rtol=1e-10)
    assert best.error == pytest.approx(np.sum(np.linalg.eigvalsh(covariance)[:3]))


EIGENVALUES = np.array([10, 8, 6, 4, 2, *np.linspace(0.5, 0.1, 15)])


def test_descent_finds_the_span_of_the_largest_eigenvalues():
    rotation = np.linalg.qr(np.random.default_rng(4).normal(size=(20, 20)))[0]
    covariance = rotation @ np.diag(EIGENVALUES) @ rotation.T
    covariance = (covariance + covariance.T) / 2
    best = linear.principal(covariance, 5)
    assert best.error == pytest.approx(4.5, abs=1e-12)
    encoders, decoders = linear.descend(covariance, 5, steps=800, seeds=50)
    assert encoders.shape == (50, 5, 20)
    np.testing.assert_array_equal(decoders, tf.linalg.matrix_transpose(encoders))
    excess = linear.error(encoders, covariance).numpy() - 4.5
    assert np.max(np.abs(excess)) < 1e-8
    angles = metrics.principal_angles(encoders, best.encoder)
    assert np.max(angles) < 1e-4
    # The rows are orthonormal, but no eigenvectors.
    gram = tf.matmul(encoders, encoders, transpose_b=True).numpy()
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(5), gram.shape), atol=1e-6)
    latent = (encoders @ covariance @ decoders).numpy()
    off = latent * (1 - np.eye(5))
    assert np.min(np.max(np.abs(off), axis=(1, 2))) > 0.1


def test_untied_weights_find_the_same_span_but_are_not_orthonormal():
    covariance = np.diag(EIGENVALUES)
    best = linear.principal(covariance, 5)
    encoders, decoders = linear.descend(covariance, 5, steps=6000, seeds=4, tied=False)
    found = linear.error(encoders, covariance, decoders)
    np.testing.assert_allclose(found, 4.5, atol=1e-6)
    spans = tf.linalg.matrix_transpose(decoders)
    assert np.max(metrics.principal_angles(spans, best.encoder)) < 1e-3
    gram = tf.matmul(encoders, encoders, transpose_b=True) - np.eye(5)
    assert np.all(np.max(np.abs(gram), axis=(1, 2)) > 0.01)


# The variational one.


def test_the_linear_variational_autoencoder_of_the_specification():
    found = linear.variational(np.diag([5, 3, 0.5]), 3)
    np.testing.assert_allclose(found.column_norms, [2, 1.41421, 0], atol=5e-6)
    np.testing.assert_allclose(found.posterior_variances, [0.2, 1 / 3, 1])
    np.testing.assert_allclose(found.divergences, [0.80472, 0.54931, 0], atol=5e-6)
    assert found.error == pytest.approx(1.304719 + 1.049306 + 0.25, abs=1e-6)


@pytest.mark.parametrize("latent", [1, 2, 3])
def test_its_minimum_is_found_by_scipy(latent):
    values = np.array([5, 3, 0.5])

    def loss(flat):
        encoder, decoder = np.reshape(flat[: 6 * latent], (2, latent, 3))
        log_variance = flat[6 * latent :]
        variance = np.exp(log_variance)
        rest = np.eye(3) - decoder.T @ encoder
        reconstruction = np.sum(rest**2 @ values)
        reconstruction += np.sum(variance * np.sum(decoder**2, axis=1))
        spread = np.sum(encoder**2 @ values)  # mean of |mean|**2
        divergence = spread + np.sum(variance - log_variance - 1)
        return 0.5 * (reconstruction + divergence)

    start = np.random.default_rng(latent).normal(size=7 * latent)
    found = scipy.optimize.minimize(loss, start, method="BFGS", tol=1e-9)
    expected = linear.variational(np.diag(values), latent)
    assert found.fun == pytest.approx(expected.error, abs=1e-6)
    variances = np.sort(np.exp(found.x[6 * latent :]))
    np.testing.assert_allclose(variances, expected.posterior_variances, atol=1e-3)


def test_without_variance_above_that_of_the_noise_nothing_is_kept():
    found = linear.variational(np.diag([1.0, 0.9, 0.1]), 2)
    np.testing.assert_array_equal(found.column_norms, [0, 0])
    np.testing.assert_array_equal(found.divergences, [0, 0])
    assert found.error == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("covariance", "latent", "message"),
    [
        (np.ones(3), 1, r"`covariance` must be symmetric.*\(3,\)"),
        (np.ones((2, 3)), 1, r"`covariance` must be symmetric.*\(2, 3\)"),
        ([[1, 2], [0, 1]], 1, "`covariance` must be symmetric"),
        (DIAGONAL, 0, "`latent` must be in 1 to 3. Received: latent=0"),
        (DIAGONAL, 4, "`latent` must be in 1 to 3. Received: latent=4"),
    ],
)
def test_what_does_not_fit_is_refused(covariance, latent, message):
    for function in (linear.principal, linear.variational):
        with pytest.raises(ValueError, match=message):
            function(covariance, latent)
