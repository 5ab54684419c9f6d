"""Adam in boxes against closed forms, SciPy's minima, and Adam of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks, models
from tfsemae.attacks import adam, lbfgsb, objectives


def _paraboloids(points, centers):
    away = points - centers
    return (away**2).sum(axis=1), 2 * away


def test_it_ends_where_the_box_is_nearest_to_the_minimum():
    centers = np.random.default_rng(0).uniform(-0.5, 1.5, (5, 4))
    minimize = attacks.BatchedAdam(steps=600, learning_rate=0.01, batch_size=2)
    found = minimize(_paraboloids, np.full((5, 4), 0.5), centers, bounds=(0, 1))
    # Near a minimum Adam goes back and forth by less than its rate.
    np.testing.assert_allclose(found.points, np.clip(centers, 0, 1), atol=1e-3)
    assert np.all((found.points >= 0) & (found.points <= 1))
    values, gradients = _paraboloids(found.points, centers)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.gradients, gradients)
    assert set(found.status) == {adam.ALL_STEPS}
    assert set(found.iterations) == {600}
    assert set(found.evaluations) == {601}


@pytest.mark.parametrize(("global_norm", "clip"), [(1e9, 1e9), (3.0, 1e9), (1e9, 0.5)])
def test_steps_are_those_of_keras(global_norm, clip):
    centers = np.array([[3.0, -2.0, 0.1]])
    minimize = attacks.BatchedAdam(
        steps=20, learning_rate=0.05, global_norm=global_norm, clip=clip
    )
    found = minimize(_paraboloids, np.zeros((1, 3)), centers)
    point = keras.Variable(np.zeros(3), dtype="float64")
    theirs = keras.optimizers.Adam(0.05, epsilon=1e-8)
    for _ in range(20):
        gradient = 2 * (point.numpy() - centers[0])
        gradient *= min(1, global_norm / np.linalg.norm(gradient))
        theirs.apply([tf.constant(gradient.clip(-clip, clip))], [point])
    # Still falling, so that the last point is the lowest. Keras' rate is float32, and
    # its epsilon stands beside moments that are not yet corrected.
    np.testing.assert_allclose(found.points[0], point.numpy(), rtol=1e-5)


def test_the_lowest_point_seen_is_kept():
    minimize = attacks.BatchedAdam(steps=3, learning_rate=1.0)
    found = minimize(_paraboloids, np.full((1, 2), 0.1), np.zeros((1, 2)))
    assert found.points.tolist() == [[0.1, 0.1]]  # all steps are too long
    assert found.values == pytest.approx(0.02)


def test_a_problem_that_is_not_finite_stops_alone():
    def walls(points, wall):
        values, gradients = _paraboloids(points, np.ones_like(points))
        return np.where(points[:, 0] > wall, np.nan, values), gradients

    minimize = attacks.BatchedAdam(steps=50, learning_rate=0.1)
    found = minimize(walls, np.zeros((3, 2)), np.array([9.0, 0.55, -1.0]))
    assert found.status.tolist() == [adam.ALL_STEPS, *[lbfgsb.NON_FINITE] * 2]
    np.testing.assert_allclose(found.points[0], 1, atol=0.05)
    assert 0.4 < found.points[1, 0] <= 0.55
    assert np.isnan(found.values[2])
    assert found.evaluations[2] == 1


def test_problems_do_not_depend_on_their_batch():
    centers = np.random.default_rng(1).uniform(size=(5, 3))
    start = np.zeros((5, 3))
    together, apart = (
        attacks.BatchedAdam(steps=30, batch_size=size)(_paraboloids, start, centers)
        for size in (5, 2)
    )
    np.testing.assert_array_equal(together.points, apart.points)


@pytest.mark.parametrize("option", ["steps", "batch_size"])
def test_none_at_all_is_refused(option):
    with pytest.raises(ValueError, match=f"{option}=0"):
        attacks.BatchedAdam(**{option: 0})


def test_it_agrees_with_lbfgsb_on_a_variational_autoencoder():
    network = models.build(
        "dense", (5, 5, 1), seed=0, latent=3, variational=True, hidden=(12,)
    )
    posterior = models.float64_copy(network.posterior())
    images = np.random.default_rng(0).uniform(size=(2, 5, 5, 1))
    target = {
        key: tf.repeat(value, 3, axis=0) for key, value in posterior(images[1:]).items()
    }
    start = np.repeat(images[:1], 3, axis=0)
    objective = objectives.posterior_kl(posterior)
    penalty = [0.03, 0.1, 1.0]  # of smaller ones the minimum is too flat for Adam
    reference = attacks.LBFGSB(objective, dtype="float64")(
        start, target, penalty=penalty
    )
    found = attacks.Adam(objective, steps=1500, learning_rate=2e-3, dtype="float64")(
        start, target, penalty=penalty
    )
    assert np.all((found.adversarial >= 0) & (found.adversarial <= 1))
    # SciPy stops at differences of 1e-15. Adam's oscillation of at most its rate, in
    # 25 entries, costs the square of it times a curvature near 1: below 1e-4.
    np.testing.assert_allclose(found.minimum, reference.minimum, atol=1e-4)
    assert np.all(found.minimum >= reference.minimum - 1e-9)
    assert not np.any(found.converged)
