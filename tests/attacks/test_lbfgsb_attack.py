"""The attack against closed forms and plain SciPy, and what must hold for any."""

import gc
import weakref

import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf
import threadpoolctl

from tfsemae import attacks
from tfsemae.attacks import distances, lbfgsb, objectives


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _pixels(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype(np.float32)


def _squares(points, target):
    return tf.reduce_sum((points - target) ** 2, axis=tf.range(1, tf.rank(points)))


def _distances(result, start):
    moved = np.asarray(result.adversarial, np.float64) - np.asarray(start, np.float64)
    return np.linalg.norm(moved.reshape(len(moved), -1), axis=1)


# Closed forms.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weighted_mean_of_example_and_target(dtype):
    start, target = _pixels(5, 2, 3, 1), 2 * _random(5, 2, 3, 1, seed=1)
    penalty = np.float32([0, 0.25, 1, 4, 100])
    result = attacks.LBFGSB(_squares, dtype=dtype)(start, target, penalty=penalty)
    weight = penalty[:, np.newaxis, np.newaxis, np.newaxis]
    expected = np.clip((target + weight * start) / (1 + weight), 0, 1)
    assert result.adversarial.dtype == result.objective.dtype == dtype
    # Values of float32 tell points apart that are 3e-4 away, and gradients more.
    tolerance = 1e-4 if dtype == "float32" else 1e-6
    np.testing.assert_allclose(result.adversarial, expected, atol=tolerance)
    np.testing.assert_allclose(
        result.objective, _squares(result.adversarial, target), rtol=1e-6
    )
    total = _squares(expected, target) + penalty * _squares(expected, start)
    np.testing.assert_allclose(result.minimum, total, rtol=1e-6)
    assert np.all(result.finite)
    assert not np.any(result.flat)


def test_plain_norm_moves_by_the_distance_less_half_the_penalty():
    # The minimum of (D - r)^2 + C r; from C = 2 D on it is the example itself.
    start, target = np.full((4, 3), 0.5), np.array([[0.5, 0.9, 0.2]] * 4)
    penalty = np.float32([0.1, 0.5, 1.01, 30])
    result = attacks.LBFGSB(_squares, squared=False, dtype="float64")(
        start, target, penalty=penalty
    )
    expected = [0.45, 0.25, 0, 0]
    # It converges where the gradient, of the slope 2, is below 1e-5.
    np.testing.assert_allclose(_distances(result, start), expected, atol=1e-5)
    halfway = (start[1] + target[1]) / 2
    np.testing.assert_allclose(result.adversarial[1], halfway, atol=1e-5)


def test_untargeted_attack_maximises():
    def height(points, slope):
        return tf.reduce_sum(slope * points, axis=1)

    slope = np.float32([[1, -2, 0.1, 0]])
    result = attacks.LBFGSB(height, targeted=False, penalty=5.0)(
        np.full((2, 4), 0.5), slope
    )
    # The maximum of s d - 5 d^2 is at s / 10.
    expected = 0.5 + np.array([[0.1, -0.2, 0.01, 0]] * 2)
    np.testing.assert_allclose(result.adversarial, expected, atol=1e-5)
    np.testing.assert_allclose(result.objective, expected @ slope[0], atol=1e-5)
    minimum = 5 * np.sum((expected - 0.5) ** 2, axis=1) - expected @ slope[0]
    np.testing.assert_allclose(result.minimum, minimum, rtol=1e-5)


def test_untargeted_attack_leaves_the_example_where_a_distance_has_no_gradient():
    start = np.full((3, 4), 0.5)
    attack = attacks.LBFGSB(_squares, targeted=False, penalty=0.01)
    result = attack(start, start)
    # All corners of the box are as far away as can be.
    np.testing.assert_allclose(result.objective, [1] * 3, rtol=1e-6)
    assert set(np.ravel(result.adversarial)) == {0, 1}


# Against SciPy.


def _encoder(dtype, size=30, latent=3):
    """An encoder of means and log-variances."""
    keras.utils.set_random_seed(0)
    image = keras.Input((size,), dtype=dtype)
    hidden = keras.layers.Dense(16, activation="tanh", dtype=dtype)(image)
    outputs = {
        "mean": keras.layers.Dense(latent, dtype=dtype)(hidden),
        "log_variance": keras.layers.Dense(latent, dtype=dtype)(hidden),
    }
    return keras.Model(image, outputs)


def _scipy(encoder, distance, start, target, penalty, begin):
    """The attack on one example, by a compiled function of one row."""

    @tf.function
    def compiled(point):
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = distance(encoder(point[tf.newaxis]), target)[0]
            value += penalty * tf.reduce_sum((point - start) ** 2)
        return value, tape.gradient(value, point)

    def function(point):
        value, gradient = compiled(tf.constant(point))
        return float(value), gradient.numpy()

    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        return scipy.optimize.minimize(
            function,
            begin,
            method="L-BFGS-B",
            jac=True,
            bounds=scipy.optimize.Bounds(np.zeros(len(start)), np.ones(len(start))),
            options={
                "maxcor": 25,
                "ftol": 10 * np.finfo(np.float64).eps,
                "gtol": 1e-5,
            },
        )


@pytest.mark.parametrize("distance", [distances.kl, distances.released])
def test_attack_on_an_encoder_is_that_of_scipy(distance):
    encoder = _encoder("float64")
    start, other = _pixels(6, 30).astype(np.float64), _pixels(6, 30, seed=1)
    target = encoder(tf.constant(other, tf.float64))
    penalty = np.float32([0.001, 0.01, 0.1, 0.3, 1, 10])
    attack = attacks.LBFGSB(
        objectives.posterior_distance(encoder, distance),
        dtype="float64",
        start_radius=0.0,
    )
    result = attack(start, target, penalty=penalty)
    for k in range(6):
        row = {name: value[k : k + 1] for name, value in target.items()}
        alone = _scipy(encoder, distance, start[k], row, float(penalty[k]), start[k])
        assert result.status[k] == alone.status == 0
        # A product of a matrix of one row is summed in another order: the paths part,
        # and both end within pgtol.
        np.testing.assert_allclose(result.minimum[k], alone.fun, rtol=1e-6)
        np.testing.assert_allclose(result.adversarial[k], alone.x, atol=1e-3)
    # A larger penalty gives a smaller distortion of the same example.
    same = {name: tf.repeat(value[:1], 6, axis=0) for name, value in target.items()}
    result = attack(np.tile(start[:1], (6, 1)), same, penalty=penalty)
    assert np.all(np.diff(_distances(result, start[:1])) < 0)
    assert np.all(np.diff(result.objective) > 0)


def test_float32_networks_end_near_the_minimum_of_float64():
    start, other = _pixels(6, 30), _pixels(6, 30, seed=1)
    found = []
    weights = _encoder("float32").get_weights()
    for dtype in ("float32", "float64"):
        encoder = _encoder(dtype)
        encoder.set_weights(weights)
        attack = attacks.LBFGSB(objectives.posterior_kl(encoder), dtype=dtype)
        found.append(attack(start, encoder(tf.cast(other, dtype)), penalty=0.1))
    coarse, fine = found
    np.testing.assert_allclose(coarse.minimum, fine.minimum, rtol=1e-4)
    np.testing.assert_array_equal(fine.status, [0] * 6)
    assert np.all(np.asarray(coarse.status) != lbfgsb.NON_FINITE)


# Starts, bounds and seeds.


def _constant(points):
    return tf.reduce_sum(0 * points, axis=1)


def test_runs_begin_near_the_example_and_within_the_box():
    start = np.tile([[0.0, 0.5, 1.0]], (50, 1))
    attack = attacks.LBFGSB(_constant, penalty=0.0, dtype="float64")
    result = attack(start)  # without a gradient it ends where it begins
    moved = result.adversarial - start
    assert np.all((moved >= [0, -1e-8, -1e-8]) & (moved <= [1e-8, 1e-8, 0]))
    assert 0 < np.mean(moved[:, 0] == 0) < 1
    assert np.max(np.abs(moved[:, 1])) > 9e-9
    np.testing.assert_array_equal(result.flat, [True] * 50)
    np.testing.assert_array_equal(result.converged, [True] * 50)
    np.testing.assert_array_equal(result.evaluations, [1] * 50)
    np.testing.assert_array_equal(result.iterations, [0] * 50)
    again = attack(start, seed=(0, 0))
    np.testing.assert_array_equal(again.adversarial, result.adversarial)
    other = attack(start, seed=(0, 1))
    assert np.all(other.adversarial[:, 1] != result.adversarial[:, 1])


def test_bounds_have_the_type_of_the_start():
    # Of standardised SVHN: float32 rounds the lower one down, and the upper one up.
    bounds = (-115.11177966923525 / 50.819267906232888, 139.88822033076475 / 50.8193)
    start = np.float32([bounds])
    for dtype in ("float32", "float64"):
        attack = attacks.LBFGSB(_squares, bounds=bounds, dtype=dtype, penalty=0.0)
        result = attack(start, np.float32([[-9, 9]]))
        # The projected gradient is as small as the first step.
        np.testing.assert_allclose(result.adversarial, start, rtol=0, atol=1e-8)


def test_without_bounds_there_are_none():
    attack = attacks.LBFGSB(_squares, bounds=None, penalty=1.0)
    result = attack(np.zeros((1, 2)), np.array([[-8.0, 6.0]]))
    np.testing.assert_allclose(result.adversarial, [[-4, 3]], rtol=1e-4)


def test_an_example_outside_of_the_box_is_named():
    start = np.full((3, 2), 0.5)
    start[2, 1] = 1.25
    with pytest.raises(ValueError, match=r"start\[2, 1\]=1.25 .* in problem 2"):
        attacks.LBFGSB(_constant)(start)


# Data, traces and memory.


def test_data_have_a_row_per_example_or_one_for_all():
    def objective(points, nest, factor):
        return factor * _squares(points, nest["target"] + nest["shift"])

    start, target = _pixels(5, 3), _pixels(5, 3, seed=1)
    attack = attacks.LBFGSB(objective, penalty=0.0, batch_size=2)
    nest = {"target": target / 2, "shift": np.float32([[0.1, 0.2, 0.3]])}
    result = attack(start, nest, 2.0)
    expected = target / 2 + [[0.1, 0.2, 0.3]]
    np.testing.assert_allclose(result.adversarial, expected, atol=1e-4)
    with pytest.raises(
        ValueError, match=r"`data` must have a row per.*\(4, 3\).* 5 ex"
    ):
        attack(start, nest | {"target": target[:4]}, 2)


def test_one_trace_for_all_batches():
    traced = []

    def objective(points, target):
        traced.append(points.shape)
        return _squares(points**2, target)

    attack = attacks.LBFGSB(objective, batch_size=4, maxiter=20)
    for count in (7, 1, 3, 64):
        target = _pixels(count, 3)
        result = attack(
            _pixels(count, 3, seed=1), target, penalty=1e-3 * count, seed=(1, count)
        )
        # They ended at different times, in batches of different sizes.
        assert count < 7 or len(set(result.evaluations.numpy())) > 1
    assert traced == [[None, 3]]


def test_networks_are_freed_with_the_attack():
    seen = []
    for _ in range(2):
        encoder = _encoder("float32")
        attack = attacks.LBFGSB(objectives.posterior_kl(encoder), maxiter=3)
        attack(_pixels(2, 30), encoder(_pixels(2, 30, seed=1)))
        seen += [weakref.ref(encoder), weakref.ref(attack)]
        seen += [weakref.ref(weight) for weight in encoder.weights]
        del encoder, attack
    for _ in range(3):  # what a function of TensorFlow holds goes after it
        gc.collect()
    assert [reference() for reference in seen] == [None] * len(seen)


def test_stochastic_reconstructions_are_attacked_with_common_draws():
    def posterior(points):
        return {"mean": points, "log_variance": points - 1}

    def distance(draws):
        return objectives.expected_squared_distance(posterior, lambda z: 2 * z, draws)

    draws = tf.random.stateless_normal([200, 2], seed=(0, 1))
    start, target = np.zeros((2, 2)), np.float32([[1, 1.6], [0.5, 0.2]])
    attack = attacks.LBFGSB(distance(draws), penalty=0.0)
    result = attack(start, target)
    assert np.all(result.finite)
    # Of its own draws it is the least: moving away costs.
    for way in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        points = np.clip(result.adversarial + np.float32(way), 0, 1)
        assert np.all(distance(draws)(points, target) >= result.objective - 1e-5)
    fresh = distance(tf.random.stateless_normal([200, 2], seed=(0, 2)))
    report = fresh(result.adversarial, target)
    # E|2 (x + s e) - t|^2 = |2 x - t|^2 + 4 |s|^2; sd of a mean of 200 is below 10 %.
    points = np.asarray(result.adversarial)
    expected = np.sum((2 * points - target) ** 2 + 4 * np.exp(points - 1), axis=1)
    np.testing.assert_allclose(report, expected, rtol=0.3)


# What is not finite, and errors.


def test_an_example_that_is_not_finite_ends_alone():
    def objective(points, target, factor):
        return _squares(points, target) * factor

    start, target = _pixels(3, 4), _pixels(3, 4, seed=1)
    attack = attacks.LBFGSB(objective, penalty=0.5)
    result = attack(start, target, np.float32([1, np.nan, 1]))
    np.testing.assert_array_equal(result.finite, [True, False, True])
    assert result.status[1] == lbfgsb.NON_FINITE
    assert not result.converged[1]
    np.testing.assert_array_equal(result.adversarial[1], start[1])
    np.testing.assert_array_equal(np.isnan(result.objective), [False, True, False])
    expected = (target + 0.5 * start) / 1.5
    np.testing.assert_allclose(result.adversarial[::2], expected[::2], atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty": -1.0}, "`penalty` must be finite and at least 0.*penalty=-1"),
        ({"bounds": (1, 0)}, r"`bounds` must be \(low, high\), low below high"),
        ({"dtype": "float16"}, "`dtype` must be one of 'float32', 'float64'.*float16"),
        ({"seed": 3}, "`seed` must be two integers"),
        ({"start_radius": -0.1}, "`start_radius` must be finite and at least 0"),
        ({"maxcor": 0}, "`maxcor` must be finite and at least 1"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(options, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.LBFGSB(_constant, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("objective", "start", "options", "message"),
    [
        (_constant, np.zeros((2, 3), int), {}, "`start` must be floating"),
        (_constant, 0.5, {}, r"`start` must have the shape \[B, ...\]"),
        (_constant, np.zeros((2, 3)), {"penalty": [1.0]}, "`penalty` must be a number"),
        (lambda x: x, np.zeros((2, 3)), {}, "`objective` must return a floating ten"),
        (
            lambda x: tf.zeros(tf.shape(x)[:1]),
            np.zeros((2, 3)),
            {},
            "`objective` must be differentiable",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(objective, start, options, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.LBFGSB(objective)(start, **options)
    assert "\n" not in str(error.value)


def test_a_call_inside_of_a_function_of_tensorflow_is_refused():
    attack = attacks.LBFGSB(_constant)
    with pytest.raises(ValueError, match=r"call it outside of tf.function"):
        tf.function(attack, autograph=False)(tf.zeros([1, 2]))
