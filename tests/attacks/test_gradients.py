"""Exact gradients and central differences of functions with known derivatives."""

import numpy as np
import pytest
import tensorflow as tf

from tfsemae.attacks import gradients

POINTS = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)


def _cubic(points, factor, offset):
    """Of the derivative `3 * factor * points**2`; factor per example, offset shared."""
    return tf.reduce_sum(factor[:, :, tf.newaxis] * points**3 + offset, axis=[1, 2])


FACTOR = tf.constant([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0], [0.5, 0.5], [-2.0, 4.0]])
DATA = (FACTOR, tf.constant(0.25))
EXPECTED = 3 * FACTOR.numpy()[:, :, np.newaxis] * POINTS**2


def _differences(objective, points, data, **options):
    options = {"width": 5e-3} | options
    points = tf.constant(points)
    return gradients.central_differences(objective, points, data, **options)


def test_exact_gradient_is_the_derivative():
    value, gradient = gradients.exact(_cubic, tf.constant(POINTS), DATA)
    np.testing.assert_allclose(gradient, EXPECTED, rtol=1e-6)
    np.testing.assert_allclose(value, _cubic(POINTS, *DATA), rtol=1e-6)


def test_exact_gradients_of_float64_are_float64():
    # A tenth and its square differ from those of float32 by 1e-9.
    points, data = (
        tf.constant([[[0.1]]], tf.float64),
        (tf.ones([1, 1], tf.float64), 0.0),
    )
    data = tf.nest.map_structure(lambda t: tf.cast(t, tf.float64), data)
    value, gradient = gradients.exact(_cubic, points, data)
    assert value.dtype == gradient.dtype == tf.float64
    np.testing.assert_allclose(value, [1e-3], rtol=1e-14)
    np.testing.assert_allclose(gradient, [[[3e-2]]], rtol=1e-14)


def test_central_differences_are_the_derivative_and_its_known_error():
    # ((x + h)**3 - (x - h)**3) / 2h = 3 x**2 + h**2.
    value, gradient = _differences(_cubic, POINTS, DATA, width=0.5)
    error = 0.25 * FACTOR.numpy()[:, :, np.newaxis]
    np.testing.assert_allclose(gradient, EXPECTED + error, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(value, _cubic(POINTS, *DATA), rtol=1e-6)


def test_central_differences_of_the_default_width_are_near():
    _, gradient = _differences(_cubic, POINTS, DATA)
    # Values of about 20 have float32 errors of 2e-6, over a distance of 0.01.
    np.testing.assert_allclose(gradient, EXPECTED, atol=1e-3)


@pytest.mark.parametrize("at_once", [1, 20, 30, 10_000])
def test_axes_are_put_together_in_any_number(monkeypatch, at_once):
    # 10 points per axis and 6 axes: one, two, three or all at once.
    monkeypatch.setattr(gradients, "_AT_ONCE", at_once)
    batches = []

    def seen(points, *data):
        batches.append(len(points))
        return _cubic(points, *data)

    _, gradient = _differences(seen, POINTS, DATA)
    np.testing.assert_allclose(gradient, EXPECTED, atol=1e-3)
    axes = min(6, max(1, at_once // 10))
    assert max(batches) == 10 * axes
    assert len(batches) == -(-6 // axes) + 1


@pytest.mark.parametrize("at_once", [1, 30, 10_000])
def test_differences_along_directions_are_the_projection_onto_them(
    monkeypatch, at_once
):
    monkeypatch.setattr(gradients, "_AT_ONCE", at_once)
    rows = gradients.random_directions(4, 6, (1, 2)).numpy()
    np.testing.assert_allclose(rows @ rows.T, np.eye(4), atol=1e-6)
    _, gradient = _differences(_cubic, POINTS, DATA, directions=tf.constant(rows))
    projected = EXPECTED.reshape(5, 6) @ rows.T @ rows
    # The error of the default width, of four differences.
    np.testing.assert_allclose(gradient, projected.reshape(5, 2, 3), atol=4e-3)


def test_random_directions_are_uniform_and_at_most_as_many_as_numbers():
    rows = [gradients.random_directions(3, 12, (seed, 0)) for seed in range(400)]
    # Of a unit vector, 3 of 12 dimensions hold 1 / 4 on average.
    shares = np.sum(np.square(np.stack(rows)), axis=1)
    np.testing.assert_allclose(shares.mean(axis=0), np.full(12, 0.25), atol=0.04)
    square = gradients.random_directions(9, 2, (0, 0)).numpy()
    np.testing.assert_allclose(np.abs(np.linalg.det(square)), 1, rtol=1e-6)


def test_distance_is_what_float32_leaves_of_the_width():
    # At 4096 floats are 2**-11 apart: 5e-3 becomes 10 or 11 of these steps.
    points = np.float32([[4096.0, 4097.0]])
    _, gradient = _differences(lambda x: tf.reduce_sum(x, axis=1), points, ())
    np.testing.assert_allclose(gradient, [[1, 1]], rtol=0.2)
    _, gradient = _differences(lambda x: x[:, 0] - 4096, points, ())
    np.testing.assert_array_equal(gradient, [[1, 0]])


def test_points_of_differences_stay_within_bounds():
    seen = []

    def objective(points):
        seen.append(points.numpy())
        return tf.reduce_sum(points, axis=1)

    points = [[0.0, 1.0, 0.5]]
    _, gradient = _differences(objective, points, (), width=0.125, bounds=(0, 1))
    np.testing.assert_array_equal(gradient, [[1, 1, 1]])
    assert min(batch.min() for batch in seen) == 0
    assert max(batch.max() for batch in seen) == 1


def test_shared_data_are_passed_as_they_are():
    shapes = []

    def objective(points, per_example, row, number):
        shapes.append((per_example.shape[0], row.shape, number.shape))
        return tf.reduce_sum((points - per_example) * row, axis=1) * number

    data = tf.zeros([4, 3]), tf.constant([[1.0, 2.0, 3.0]]), tf.constant(2.0)
    _, gradient = _differences(objective, np.zeros((4, 3), np.float32), data)
    np.testing.assert_allclose(gradient, [[2, 4, 6]] * 4, rtol=1e-5)
    assert {shape[1:] for shape in shapes} == {((1, 3), ())}


def test_data_with_another_number_of_rows_are_refused():
    data = (tf.zeros([3, 2]),)
    with pytest.raises(ValueError, match=r"`data` must .* \(3, 2\) .* \(5, 2, 3\)"):
        _differences(lambda x, d: x[:, 0, 0], POINTS, data)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (tf.reduce_sum, r"shape=\(\), dtype=float32"),
        (lambda x: tf.reduce_sum(x, axis=2), r"shape=\(5, 2\)"),
        (lambda x: x[:2, 0, 0], r"shape=\(2,\)"),
        (lambda x: tf.argmax(x[:, 0], axis=1), "dtype=int64"),
        (lambda x: None, "NoneType"),
        (lambda x: [1.0] * 5, "list"),
    ],
)
@pytest.mark.parametrize("gradient", [gradients.exact, _differences])
def test_objective_without_a_value_per_example_is_refused(objective, message, gradient):
    with pytest.raises(ValueError, match=f"`objective` must .*{message}") as error:
        gradient(objective, tf.constant(POINTS), ())
    assert "\n" not in str(error.value)


def test_objective_without_a_gradient_is_refused():
    def rounded(points):
        return tf.reduce_sum(tf.stop_gradient(points), axis=[1, 2])

    with pytest.raises(ValueError, match='use gradient="finite_difference"'):
        gradients.exact(rounded, tf.constant(POINTS), ())
    _, gradient = _differences(rounded, POINTS, ())
    np.testing.assert_allclose(gradient, np.ones_like(POINTS), rtol=1e-3)


def test_gradient_of_a_gather_is_dense():
    _, gradient = gradients.exact(
        lambda x: tf.gather(x, [0, 1, 2, 3, 4])[:, 0, 0], tf.constant(POINTS), ()
    )
    expected = np.zeros_like(POINTS)
    expected[:, 0, 0] = 1
    np.testing.assert_array_equal(gradient, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_values_of_every_floating_type_become_float32(dtype):
    value, gradient = gradients.exact(
        lambda x: tf.reduce_sum(tf.cast(x, dtype), axis=[1, 2]), tf.ones([2, 2, 2]), ()
    )
    np.testing.assert_array_equal(value, np.float32([4, 4]), strict=True)
    np.testing.assert_array_equal(gradient, np.ones((2, 2, 2), np.float32), strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_not_finite_of_a_gradient_is_not_followed(dtype):
    given = np.array(
        [[3.0, np.nan, -4.0], [np.inf, -np.inf, 1e-30], [1e-12, -0.0, 0.0]], dtype
    )
    gradient, whole, flat = gradients.examined(tf.constant(given))
    assert gradient.dtype == dtype
    np.testing.assert_array_equal(
        gradient, np.where(np.isfinite(given), given, np.array(0, dtype))
    )
    assert whole.numpy().tolist() == [False, False, True]
    assert flat.numpy().tolist() == [False, True, True]
