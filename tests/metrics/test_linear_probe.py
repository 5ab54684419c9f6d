"""The solver of the linear probe against scikit-learn's and its own definition."""

import numpy as np
import pytest
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from tfsemae import metrics
from tfsemae.metrics import linear_probe

CLASSES = 3


def correlated(count=400, features=12, seed=0):
    """Features of mean 0, some of them nearly equal; overlapping classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    latents = random.normal(size=(count, features)) @ np.vander(
        np.linspace(0.5, 1, features)
    )
    latents += 0.5 * np.eye(CLASSES, features)[labels]
    return latents - latents.mean(axis=0), labels


def newton(latents, labels):
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=1000)
    return model.fit(latents, labels)


def test_weights_are_those_of_newtons_method():
    latents, labels = correlated()
    expected = newton(latents, labels)
    weights, biases = linear_probe._fit(latents, labels)
    found, best = (
        latents @ w + b - (latents @ w + b).mean(axis=1, keepdims=True)
        for w, b in (
            (weights, biases),
            (expected.coef_.T, expected.intercept_),
        )
    )
    # A gradient of 1e-5, where the curvature is about a tenth.
    np.testing.assert_allclose(found, best, atol=2e-3)


def test_two_classes_are_binary_logistic_regression():
    latents, labels = correlated()
    kept = labels < 2
    latents, labels = latents[kept], labels[kept]
    expected = newton(latents, labels)
    weights, biases = linear_probe._fit(latents, labels)
    found = latents @ (weights[:, 1] - weights[:, 0]) + biases[1] - biases[0]
    best = latents @ expected.coef_[0] + expected.intercept_[0]
    # As above; the difference of two logits has twice the error.
    np.testing.assert_allclose(found, best, atol=4e-3)


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-6), (np.float32, 1e-4)])
def test_gradient_equals_differences(dtype, error):
    latents, labels = correlated(count=60)
    prior = np.diag(np.arange(1.0, 13.0))
    of_dtype = linear_probe._loss(latents.astype(dtype), labels, prior)
    exact = linear_probe._loss(latents, labels, prior)
    parameters = np.random.default_rng(1).normal(size=13 * CLASSES)
    differences = scipy.optimize.approx_fprime(parameters, lambda p: exact(p)[0])
    # Differences of 1.5e-8 lose half of the digits of float64.
    value, gradient = of_dtype(parameters)
    scale = np.abs(differences).max()
    np.testing.assert_allclose(gradient, differences, atol=error * scale)
    # 7 digits of float32, with a margin for sums over features.
    assert value == pytest.approx(exact(parameters)[0], rel=1e-5)


def test_loss_by_hand():
    # Logits 1 and 0 of class 0, then 0 and 0 of class 1; prior 2 on one weight.
    loss = linear_probe._loss(np.array([[1.0], [0.0]]), np.array([0, 1]), 2 * np.eye(1))
    value, gradient = loss(np.array([1.0, 0.0, 0.0, 0.0]))
    share = 1 / (1 + np.exp(-1))
    assert value == pytest.approx((-np.log(share) + np.log(2)) / 2 + 1)
    expected = [(share - 1) / 2 + 2, (1 - share) / 2]
    expected += [(share - 0.5) / 2, (0.5 - share) / 2]
    np.testing.assert_allclose(gradient, expected)


def test_labels_need_not_count_from_zero():
    latents, labels = correlated()
    names = np.array([40, -3, 7])
    expected = metrics.linear_probe_predictions(latents, labels, latents)
    named = metrics.linear_probe_predictions(latents, names[labels], latents)
    # Other columns of the matrices: rounding decides between close classes.
    assert np.mean(named == names[expected]) >= 0.99


def test_more_features_than_latents():
    random = np.random.default_rng(0)
    labels = np.arange(30) % CLASSES
    latents = random.normal(size=(30, 200))
    # Random points in so many dimensions are linearly separable.
    assert metrics.linear_probe_accuracy(latents, labels, latents, labels) == 1.0
    expected = newton((latents - latents.mean(0)) / latents.std(0), labels)
    new = random.normal(size=(300, 200))
    found = metrics.linear_probe_predictions(latents, labels, new)
    same = found == expected.predict((new - latents.mean(0)) / latents.std(0))
    assert np.mean(same) >= 0.99


def test_the_result_repeats_bit_for_bit():
    latents, labels = correlated()
    first, second = (linear_probe._fit(latents, labels)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_fit_that_does_not_converge_says_so(monkeypatch):
    monkeypatch.setattr(linear_probe, "_ITERATIONS", 2)
    latents, labels = correlated()
    with pytest.warns(ConvergenceWarning, match="The linear probe did not converge"):
        metrics.linear_probe_accuracy(latents, labels, latents, labels)
