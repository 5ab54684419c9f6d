"""The nearest point of a ball and a box, rounding, random points."""

import hypothesis
import hypothesis.extra.numpy
import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import tensorflow as tf
from hypothesis import strategies

from tfsemae.attacks import projections

_EIGHTHS = strategies.integers(-80, 80).map(lambda number: number / 8)


def _ball(center, epsilon, norm="l2", bounds=None):
    center = tf.constant(center, tf.float32)
    epsilon = tf.broadcast_to(tf.cast(epsilon, tf.float32), center.shape[:1])
    return projections.Ball(center, epsilon, norm, bounds)


def _project(displacement, epsilon, norm="l2", center=None, bounds=None):
    displacement = np.asarray(displacement, np.float32)
    center = np.zeros_like(displacement) if center is None else center
    ball = _ball(center, epsilon, norm, bounds)
    return ball.project(tf.constant(displacement)).numpy()


def _norms(vectors):
    vectors = np.asarray(vectors, np.float64)
    return np.linalg.norm(vectors.reshape(len(vectors), -1), axis=1)


def test_l2_ball_by_hand():
    found = _project([[3, 4], [3, 4], [0, 0]], [1, 10, 1])
    np.testing.assert_allclose(found, [[0.6, 0.8], [3, 4], [0, 0]], rtol=1e-6)


def test_linf_ball_by_hand():
    found = _project([[3, -4], [3, -0.5]], [3.5, 1], "linf")
    np.testing.assert_array_equal(found, [[3, -3.5], [1, -0.5]])


def test_linf_ball_and_bounds_by_hand():
    found = _project([[3, -4]], 2, "linf", [[0.25, 0.25]], (0, 1))
    np.testing.assert_array_equal(found, [[0.75, -0.25]])


def test_l2_ball_and_bounds_by_hand():
    # Clipping (3, 4) of norm 5 would give (1.5, 2), of norm 2.5; at the bound of 1 the
    # second number can still grow, up to a norm of 2.5.
    found = _project([[3, 4]], 2.5, "l2", [[0.0, 0.0]], (-1, 2.4))
    bounded = np.sqrt(2.5**2 - 2.0**2), 2.0  # nothing is at a bound: 2.5 * (3, 4) / 5
    np.testing.assert_allclose(found, [bounded], rtol=1e-6)
    found = _project([[3, 4]], 2.5, "l2", [[0.0, 0.0]], (-1, 1.8))
    np.testing.assert_allclose(found, [[np.sqrt(2.5**2 - 1.8**2), 1.8]], rtol=1e-6)
    found = _project([[3, 4]], 2.5, "l2", [[0.0, 0.0]], (-1, 1.0))
    np.testing.assert_array_equal(found, [[1, 1]])


@hypothesis.settings(deadline=None, max_examples=200)
@hypothesis.given(
    displacement=hypothesis.extra.numpy.arrays(np.float32, 6, elements=_EIGHTHS),
    share=strategies.floats(0, 1),
    epsilon=strategies.sampled_from([0.0, 0.01, 0.5, 3.0, 100.0]),
)
def test_no_point_of_ball_and_bounds_is_nearer(displacement, share, epsilon):
    low, high = -1.0, 3.0
    center = np.float32(low + (high - low) * share * np.linspace(0, 1, 6))
    found = _project([displacement], epsilon, "l2", [center], (low, high))[0]
    a, b = low - center.astype(np.float64), high - center.astype(np.float64)
    assert np.all((found >= a - 1e-6) & (found <= b + 1e-6))
    assert _norms([found])[0] <= epsilon * (1 + 1e-6)

    # The multiplier of the ball, by another method in float64.
    def nearest(scale):
        return np.clip(scale * displacement.astype(np.float64), a, b)

    def excess(scale):
        return _norms([nearest(scale)])[0] - epsilon

    scale = 1.0 if excess(1.0) <= 0 else scipy.optimize.brentq(excess, 0, 1, xtol=1e-14)
    np.testing.assert_allclose(found, nearest(scale), atol=1e-5 * max(1, epsilon))


def test_rows_are_projected_independently():
    rng = np.random.default_rng(0)
    displacement = rng.normal(size=(40, 7)).astype(np.float32)
    center = rng.random((40, 7), np.float32)
    epsilon = rng.random(40).astype(np.float32) * 3
    together = _project(displacement, epsilon, "l2", center, (0, 1))
    for row in range(40):
        one = slice(row, row + 1)
        alone = _project(displacement[one], epsilon[one], "l2", center[one], (0, 1))
        np.testing.assert_array_equal(together[one], alone)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e5])
def test_rounding_takes_no_point_out_of_its_ball(norm, scale):
    rng = np.random.default_rng(1)
    center = (scale * rng.normal(size=(500, 8))).astype(np.float32)
    ball = _ball(center, 0.01, norm)
    displacement = ball.project(tf.constant(rng.normal(size=(500, 8)), tf.float32))
    moved = ball.point(displacement).numpy().astype(np.float64) - center
    # Each number on its own is moved by at most as much as it should be ...
    assert np.all(np.abs(moved) <= np.abs(displacement))
    # ... and by less by at most the distance of two floats.
    missing = np.abs(displacement) - np.abs(moved)
    assert np.all(missing <= np.spacing(np.abs(center) + np.float32(0.01)))
    if norm == "l2":
        assert np.all(_norms(moved) <= 0.01 * (1 + 1e-6))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_points_are_the_floats_next_to_the_exact_ones(scale):
    rng = np.random.default_rng(4)
    center = rng.normal(size=(500, 8)).astype(np.float32)
    ball = _ball(center, scale, "linf")
    displacement = ball.project(tf.constant(rng.normal(size=(500, 8)), tf.float32))
    exact = center + displacement.numpy().astype(np.float64)
    nearest = exact.astype(np.float32)
    beyond = np.abs(nearest - center.astype(np.float64)) > np.abs(displacement)
    expected = np.where(beyond, np.nextafter(nearest, center), nearest)
    assert 0 < beyond.mean() < 1
    np.testing.assert_array_equal(ball.point(displacement), expected)


def test_what_is_not_a_number_stays_so():
    found = _ball(np.float32([[np.nan, 1.0]]), 1.0).point(tf.constant([[1.0, np.nan]]))
    assert np.isnan(found).all()


def test_examples_are_chosen():
    a, b = np.zeros((3, 2, 2), np.float32), np.ones((3, 2, 2), np.float32)
    mask = tf.constant([True, False, True])
    found = projections.choose(mask, tf.constant(a), tf.constant(b))
    np.testing.assert_array_equal(found, np.stack([a[0], b[1], a[2]]))
    found = projections.choose(mask, tf.zeros(3), tf.ones(3))
    np.testing.assert_array_equal(found, [0, 1, 0])


def test_rounding_to_nearest_would_leave_the_ball():
    # What the test above rests on: its points are not all representable anyway.
    rng = np.random.default_rng(1)
    center = (1e3 * rng.normal(size=(500, 8))).astype(np.float32)
    ball = _ball(center, 0.01)
    displacement = ball.project(tf.constant(rng.normal(size=(500, 8)), tf.float32))
    nearest = (center + displacement.numpy()).astype(np.float64) - center
    assert np.max(_norms(nearest)) > 0.01 * (1 + 1e-4)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_without_displacement_a_point_is_the_center_bit_for_bit(norm):
    center = np.float32([[0.1, -0.0, 2e-38], [1e30, -0.7, 3.0]])
    found = _ball(center, 0.0, norm).point(tf.zeros([2, 3]))
    np.testing.assert_array_equal(found, center)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_points_are_within_the_bounds_exactly(norm):
    rng = np.random.default_rng(2)
    center = rng.random((200, 5), np.float32)
    ball = _ball(center, 10.0, norm, (0.1, 0.9))
    displacement = ball.project(tf.constant(5 * rng.normal(size=(200, 5)), tf.float32))
    found = ball.point(displacement).numpy()
    assert found.min() == np.float32(0.1)
    assert found.max() == np.float32(0.9)


def test_random_points_of_l2_have_the_length_and_direction_that_are_promised():
    count = 4000
    found = _ball(np.zeros((count, 3)), 2.0).random(tf.constant([0, 1])).numpy()
    lengths = _norms(found)
    # Seeded: either both hold on each machine or neither.
    assert scipy.stats.kstest(lengths / 2, "uniform").pvalue > 0.01
    # A coordinate of a uniform point of the sphere in three dimensions is uniform.
    coordinates = found / lengths[:, np.newaxis]
    for axis in range(3):
        scaled = (coordinates[:, axis] + 1) / 2
        assert scipy.stats.kstest(scaled, "uniform").pvalue > 0.01


def test_random_points_of_linf_are_uniform_in_the_ball():
    found = _ball(np.zeros((2000, 2)), 3.0, "linf").random(tf.constant([0, 1]))
    for axis in range(2):
        scaled = (found.numpy()[:, axis] + 3) / 6
        assert scipy.stats.kstest(scaled, "uniform").pvalue > 0.01


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_random_points_scale_with_epsilon(norm):
    seed = tf.constant([3, 4])
    one = _ball(np.ones((9, 2, 2)), 1.0, norm).random(seed)
    two = _ball(np.ones((9, 2, 2)), 2.0, norm).random(seed)
    np.testing.assert_array_equal(two, 2 * one)
    other = _ball(np.ones((9, 2, 2)), 1.0, norm).random(seed + 1)
    assert np.all(np.abs(one - other) > 0)


def test_unit_by_hand():
    vectors = [[3.0, 4.0], [0.0, 0.0], [3e-12, 4e-12], [3e25, -4e25]]
    found = projections.unit(tf.constant(vectors))
    expected = [[0.6, 0.8], [0, 0], [0.03, 0.04], [0.6, -0.8]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    found = projections.unit(tf.constant([[3.0, -1.0]]), order=1)
    np.testing.assert_allclose(found, [[0.75, -0.25]], rtol=1e-6)
