"""PGD against values known from elsewhere, and what must hold for any objective."""

import gc
import itertools
import weakref

import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from tfsemae import attacks

SCALE = tf.constant([3.0, 2.0, 1.0])
WEIGHTS = np.float32([3, -2, 0.5, 0])


def _damage(latent, clean):
    """Of the decoder z -> (3, 2, 1) z."""
    return tf.reduce_mean((SCALE * latent - clean) ** 2, axis=1)


def _linear(points):
    return tf.reduce_sum(WEIGHTS * points, axis=1)


def _squared_distance(points, target):
    axes = tf.range(1, tf.rank(points))
    return tf.reduce_sum((points - target) ** 2, axis=axes)


def _wavy(points):
    """Of many maxima, per example other ones of other heights."""
    return tf.reduce_sum(tf.sin(20 * points) + tf.cos(7 * points), axis=1)


def _distances(result, start, order=2):
    moved = np.asarray(result.adversarial, np.float64) - np.asarray(start, np.float64)
    return np.linalg.norm(moved.reshape(len(moved), -1), ord=order, axis=1)


# Values that were computed for the specification of Lu 2023.


@pytest.mark.parametrize(
    ("gradient", "tolerance"),
    # Differences of float32 values of 1, over a distance of 0.01, err by 1e-5.
    [("exact", 1e-6), ("finite_difference", 1e-5)],
)
def test_damage_to_a_linear_decoder(gradient, tolerance):
    latent = tf.constant([[0.3, -0.2, 1.0], [0.0, 0.0, 0.0]])
    near = latent + 0.007 / np.sqrt(3)
    attack = attacks.PGD(_damage, epsilon=0.7, gradient=gradient)
    for steps, damage in [(10, 1.459768), (50, 1.468050)]:
        result = attack(latent, SCALE * latent, initial=near, steps=steps)
        np.testing.assert_allclose(result.objective, [damage] * 2, atol=tolerance)
        assert np.all(np.asarray(result.objective) < 1.47)  # 0.7**2 * 3**2 / 3
        assert np.all(_distances(result, latent) <= 0.7 * (1 + 1e-6))


@pytest.mark.parametrize("gradient", ["exact", "finite_difference"])
def test_without_displacement_damage_has_no_gradient(gradient):
    latent = tf.constant([[0.0, 0.0, 0.0]])
    attack = attacks.PGD(_damage, epsilon=0.7, random_start=False, gradient=gradient)
    result = attack(latent, SCALE * latent)
    np.testing.assert_array_equal(result.adversarial, latent)
    np.testing.assert_array_equal(result.objective, [0])
    np.testing.assert_array_equal(result.flat, [True])
    np.testing.assert_array_equal(result.converged, [False])
    np.testing.assert_array_equal(result.finite, [True])


def test_targeted_attack_on_a_linear_decoder():
    latent = tf.ones([1, 3])
    attack = attacks.PGD(_damage, epsilon=0.7, targeted=True)
    result = attack(latent, 0.0)
    np.testing.assert_allclose(result.objective, [1.311108], atol=1e-6)
    assert _distances(result, latent)[0] <= 0.7 * (1 + 1e-6)
    # 2.5 * epsilon is the way of all steps: it ends before the optimum, whatever their
    # number; with steps that do not shrink it does not.
    attack = attacks.PGD(_damage, epsilon=0.7, targeted=True, step_size=0.1, steps=200)
    result = attack(latent, 0.0)
    np.testing.assert_allclose(result.objective, [1.310908], atol=1e-6)
    np.testing.assert_array_equal(result.converged, [True])


# Closed forms.

STARTS = np.float32([[0, 0, 0, 0], [1, -2, 30, 0.5], [0.1, 0.2, 0.3, 0.4]])


@pytest.mark.parametrize(("targeted", "sign"), [(False, 1), (True, -1)])
@pytest.mark.parametrize(
    ("norm", "vertex"),
    [("l2", WEIGHTS / np.linalg.norm(WEIGHTS)), ("linf", np.sign(WEIGHTS))],
)
def test_extremes_of_a_linear_objective(norm, vertex, targeted, sign):
    # From the start, since 2.5 epsilon is too short a way from some random points.
    attack = attacks.PGD(
        _linear, epsilon=0.5, norm=norm, targeted=targeted, random_start=False
    )
    # epsilon |w|_2 of the L2 ball, epsilon |w|_1 of the Linf ball.
    dual = np.linalg.norm(WEIGHTS, ord=2 if norm == "l2" else 1)
    for epsilon in (None, [0.0, 0.25, 3.0]):
        result = attack(STARTS, epsilon=epsilon)
        radii = np.broadcast_to(np.float32(epsilon or 0.5), 3)
        expected = STARTS + sign * radii[:, np.newaxis] * vertex
        np.testing.assert_allclose(result.adversarial, expected, atol=3e-6)
        gain = np.asarray(result.objective, np.float64) - STARTS @ WEIGHTS
        np.testing.assert_allclose(gain, sign * radii * dual, atol=1e-5)
        np.testing.assert_array_equal(result.converged, [True, True, True])


def test_random_starts_reach_the_maximum_too():
    attack = attacks.PGD(_linear, epsilon=0.5, step_size=0.5, steps=30)
    gain = np.asarray(attack(STARTS).objective) - STARTS @ WEIGHTS
    np.testing.assert_allclose(gain, 0.5 * np.linalg.norm(WEIGHTS), rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 4])
def test_steps_together_are_as_long_as_stated(steps):
    attack = attacks.PGD(
        _linear, epsilon=0.6, path_length=0.5, steps=steps, random_start=False
    )
    expected = STARTS + 0.3 * WEIGHTS / np.linalg.norm(WEIGHTS)
    np.testing.assert_allclose(attack(STARTS).adversarial, expected, rtol=1e-5)


def test_steps_along_the_sign_in_an_l2_ball():
    # A first step to where the ball is touched in the direction of the sign; there a
    # run ends. It is not the maximum of the ball.
    attack = attacks.PGD(
        _linear, epsilon=0.6, step_norm="linf", step_size=9.0, random_start=False
    )
    result = attack(STARTS)
    expected = STARTS + 0.6 * np.sign(WEIGHTS) / np.sqrt(3)
    np.testing.assert_allclose(result.adversarial, expected, rtol=1e-5)
    np.testing.assert_array_equal(result.converged, [True, True, True])


def test_steps_along_the_gradient_in_a_linf_ball():
    attack = attacks.PGD(
        _linear, epsilon=0.6, norm="linf", step_norm="l2", step_size=10.0, targeted=True
    )
    expected = STARTS - 0.6 * np.sign(WEIGHTS)
    np.testing.assert_allclose(attack(STARTS).adversarial, expected, rtol=1e-6)


def _best_gain(point, epsilon):
    """Of `_linear` in an L2 ball and [0, 1]: numbers move by a multiple of w."""

    def moved(factor):
        return np.clip(point + factor * WEIGHTS, 0, 1) - point

    def excess(factor):
        return np.linalg.norm(moved(factor)) - epsilon

    factor = 1e6
    if excess(factor) > 0:
        factor = scipy.optimize.brentq(excess, 0, factor)
    return moved(factor) @ WEIGHTS


def test_maximum_of_a_linear_objective_in_an_l2_ball_and_bounds():
    start = np.float32([[0.5, 0.5, 0.5, 0.5], [0.9, 0.05, 0.2, 0.0], [1, 0, 1, 0]])
    attack = attacks.PGD(_linear, epsilon=1.0, bounds=(0, 1), step_size=0.5, steps=100)
    for epsilon in (0.05, 0.3, 0.8, 5.0):
        result = attack(start, epsilon=epsilon)
        found = np.asarray(result.adversarial)
        assert np.all((found >= 0) & (found <= 1))
        assert np.all(_distances(result, start) <= epsilon * (1 + 1e-6))
        expected = [_best_gain(point, epsilon) for point in start.astype(np.float64)]
        gain = np.asarray(result.objective, np.float64) - start @ WEIGHTS
        np.testing.assert_allclose(gain, expected, rtol=1e-4, atol=1e-6)


def test_maximum_of_a_linear_objective_in_a_linf_ball_and_bounds():
    start = np.float32([[0.5, 0.5, 0.5, 0.5], [0.9, 0.05, 0.95, 0.0]])
    attack = attacks.PGD(
        _linear, epsilon=0.25, norm="linf", bounds=(0, 1), random_start=False
    )
    expected = np.clip(start + np.float32(0.25) * np.sign(WEIGHTS), 0, 1)
    np.testing.assert_array_equal(attack(start).adversarial, expected)


def test_nearest_point_of_the_ball_to_a_target():
    start = np.zeros((3, 2, 2, 1), np.float32)
    target = np.float32([[1, 2, 2, 0], [0, 0, 0, 0.01], [-2, 0, 1, 2]])
    target = target.reshape(start.shape)
    attack = attacks.PGD(
        _squared_distance, epsilon=1.5, targeted=True, step_size=0.01, steps=300
    )
    result = attack(start, target)
    expected = target / 2  # 1.5 of 3
    expected[1] = target[1]  # within the ball: no nearer than a step ends beside it
    np.testing.assert_allclose(result.adversarial[0::2], expected[0::2], atol=1e-5)
    np.testing.assert_allclose(result.adversarial[1], expected[1], atol=0.01)
    np.testing.assert_array_equal(result.converged, [True, False, True])


def test_momentum_passes_a_minimum_by_hand():
    # Uphill until 0.15, then downhill, with the value of the point itself: the best is
    # the farthest point. Directions add up to 1, 2, 1, 0.
    @tf.custom_gradient
    def ridge(points):
        slope = tf.where(points < 0.15, 1.0, -1.0)
        return points[:, 0], lambda upstream: upstream[:, tf.newaxis] * slope

    options = {"epsilon": 1.0, "step_size": 0.1, "random_start": False, "steps": 9}
    for norm in ("l2", "linf"):
        attack = attacks.PGD(ridge, momentum=1.0, norm=norm, **options)
        np.testing.assert_allclose(attack([[0.0]]).objective, [0.3], rtol=1e-6)
    attack = attacks.PGD(ridge, **options)
    np.testing.assert_allclose(attack([[0.0]]).objective, [0.2], rtol=1e-6)


def test_momentum_adds_gradients_of_norm_one_in_l1():
    # First (3, 1) / 4, then (0, -5) / 5 at half of the former: (3, -7) / 8.
    @tf.custom_gradient
    def objective(points):
        first = points[:, :1] < 0.1
        slope = tf.where(first, [[3.0, 1.0]], [[0.0, -5.0]])
        return points[:, 0] ** 2, lambda upstream: upstream[:, tf.newaxis] * slope

    attack = attacks.PGD(
        objective,
        epsilon=100.0,
        step_size=1.0,
        steps=2,
        momentum=0.5,
        random_start=False,
    )
    expected = np.array([3, 1]) / np.sqrt(10) + np.array([3, -7]) / np.sqrt(58)
    np.testing.assert_allclose(attack([[0.0, 0.0]]).adversarial[0], expected, rtol=1e-6)


# What holds for any objective.


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("step_norm", ["l2", "linf"])
@pytest.mark.parametrize("bounds", [None, (-50.0, 50.0)])
def test_result_is_in_the_ball_and_within_the_bounds(norm, step_norm, bounds):
    attack = attacks.PGD(
        _wavy, epsilon=0.125, norm=norm, step_norm=step_norm, bounds=bounds, restarts=2
    )
    relative = np.random.default_rng(0).uniform(-1, 1, (64, 5)).astype(np.float32)
    for scale in (0.01, 50.0):
        start = scale * relative
        start[0] = 50 * np.sign(relative[0])  # on the bounds
        result = attack(start)
        order = 2 if norm == "l2" else np.inf
        assert np.all(_distances(result, start, order) <= 0.125 * (1 + 1e-6))
        found = np.asarray(result.adversarial)
        assert bounds is None or np.all(np.abs(found) <= 50)
        assert np.all(np.any(found != start, axis=1))


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("random_start", [False, True])
def test_result_is_never_worse_than_start_and_where_it_began(targeted, random_start):
    start = np.random.default_rng(1).normal(size=(200, 2)).astype(np.float32)
    begin = start + np.float32([[0.1, -0.1]])
    attack = attacks.PGD(
        _wavy, epsilon=0.5, targeted=targeted, random_start=random_start, steps=3
    )
    sign = -1 if targeted else 1
    before = sign * _wavy(start).numpy()
    found = sign * np.asarray(attack(start).objective)
    assert np.all(found >= before)
    assert np.any(found > before + 0.1)
    found = sign * np.asarray(attack(start, initial=begin).objective)
    assert np.all(found >= before)
    assert np.all(found >= sign * _wavy(begin).numpy() - 1e-5)


def test_best_point_may_be_the_start_itself_or_one_on_the_way():
    target = np.float32([[0.0], [0.25], [0.5]])
    attack = attacks.PGD(
        _squared_distance, epsilon=1.0, step_size=0.25, steps=9, targeted=True
    )
    result = attack(np.zeros((3, 1)), target)
    # Steps of 0.25 pass the target; the gradient there is zero.
    np.testing.assert_array_equal(result.adversarial, target)
    attack = attacks.PGD(
        _squared_distance, epsilon=1.0, step_size=0.3, steps=9, targeted=True
    )
    result = attack(np.zeros((3, 1)), target)
    np.testing.assert_allclose(result.adversarial, [[0], [0.3], [0.6]], rtol=1e-6)


def test_objective_is_that_of_the_adversarial_point():
    start = np.random.default_rng(2).normal(size=(50, 3)).astype(np.float32)
    for targeted in (False, True):
        attack = attacks.PGD(_wavy, epsilon=0.3, targeted=targeted, restarts=2)
        result = attack(start)
        np.testing.assert_allclose(
            result.objective, _wavy(result.adversarial), rtol=1e-5, atol=1e-5
        )


def test_more_restarts_are_never_worse_and_sometimes_better():
    start = np.random.default_rng(3).normal(size=(100, 2)).astype(np.float32)
    found = [
        np.asarray(attacks.PGD(_wavy, epsilon=0.5, restarts=n)(start).objective)
        for n in (0, 1, 3)
    ]
    for fewer, more in itertools.pairwise(found):
        assert np.all(more >= fewer)
        assert np.mean(more > fewer + 0.1) > 0.1


def test_runs_from_several_points_are_as_good_as_the_best_of_them():
    start = np.random.default_rng(4).normal(size=(30, 2)).astype(np.float32)
    initial = start + np.float32([[[0.2, 0]], [[0, -0.2]], [[-0.1, 0.1]]])
    attack = attacks.PGD(_wavy, epsilon=0.5)
    alone = [np.asarray(attack(start, initial=points).objective) for points in initial]
    together = attack(start, initial=initial)
    np.testing.assert_allclose(together.objective, np.max(alone, axis=0), rtol=1e-6)
    assert len({int(row) for row in np.argmax(alone, axis=0)}) == 3


def test_convergence_is_that_of_the_best_run():
    # One run begins at the maximum and stays there, one is on its way when it ends.
    attack = attacks.PGD(_linear, epsilon=0.5, step_size=0.01, steps=3)
    maximum = STARTS + 0.5 * WEIGHTS / np.linalg.norm(WEIGHTS)
    for initial in ([maximum, STARTS], [STARTS, maximum]):
        result = attack(STARTS, initial=initial)
        np.testing.assert_allclose(result.adversarial, maximum, atol=1e-5)
        np.testing.assert_array_equal(result.converged, [True, True, True])
    result = attack(STARTS, initial=[STARTS, STARTS])
    np.testing.assert_array_equal(result.converged, [False, False, False])


@pytest.mark.parametrize(("norm", "momentum"), [("l2", 0.9), ("linf", 0.0)])
def test_each_example_is_attacked_as_if_alone(norm, momentum):
    rng = np.random.default_rng(5)
    start = rng.random((12, 3), np.float32)
    initial = start + rng.uniform(-0.2, 0.2, (12, 3)).astype(np.float32)
    epsilon = np.linspace(0, 0.6, 12, dtype=np.float32)
    attack = attacks.PGD(
        _wavy, epsilon=0.1, norm=norm, momentum=momentum, bounds=(0, 1), steps=5
    )
    start[3] = np.nan
    together = attack(start, initial=initial, epsilon=epsilon)
    for row in range(12):
        one = slice(row, row + 1)
        alone = attack(start[one], initial=initial[one], epsilon=epsilon[one])
        for field, whole in zip(alone, together, strict=True):
            # Sums of another batch may be rounded otherwise.
            np.testing.assert_allclose(field, whole[one], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("targeted", [False, True])
def test_epsilon_zero_is_the_start_bit_for_bit(norm, targeted):
    start = np.random.default_rng(6).random((8, 4)).astype(np.float32)
    start[1::2] = 0.5
    attack = attacks.PGD(
        _linear, epsilon=[0, 1] * 4, norm=norm, targeted=targeted, bounds=(0, 1)
    )
    result = attack(start)
    found = np.asarray(result.adversarial)
    np.testing.assert_array_equal(found[::2], start[::2])
    assert np.all(np.any(found[1::2] != start[1::2], axis=1))


# Random starts.


@pytest.mark.parametrize(("norm", "order"), [("l2", 2), ("linf", np.inf)])
def test_random_starts_are_equal_for_equal_seeds_whatever_epsilon(norm, order):
    start = np.zeros((100, 3), np.float32)
    # The farther the better, and no step: the result is where a run began.
    attack = attacks.PGD(
        _squared_distance, epsilon=1.0, step_size=0.0, norm=norm, seed=(5, 6)
    )
    found = np.asarray(attack(start, start).adversarial)
    # Powers of two are exact.
    larger = attack(start, start, epsilon=8.0, steps=3)
    np.testing.assert_array_equal(larger.adversarial, 8 * found)
    other = np.asarray(attack(start, start, seed=(5, 7)).adversarial)
    assert np.all(other != found)
    again = attack(start, start, seed=(5, 6))
    np.testing.assert_array_equal(again.adversarial, found)
    assert len(np.unique(found)) == 300
    lengths = np.linalg.norm(found, ord=order, axis=1)
    assert np.all((lengths > 0) & (lengths <= 1))


@pytest.mark.parametrize(("targeted", "moved"), [(False, True), (True, False)])
def test_only_attacks_without_a_target_begin_at_random(targeted, moved):
    begun = []

    def objective(points):
        tf.numpy_function(lambda x: begun.append(x.copy()), [points], [])
        return tf.reduce_sum(points, axis=1)

    attacks.PGD(objective, epsilon=1.0, step_size=0.0, targeted=targeted)([[0.5]])
    gathered = np.unique(np.concatenate(begun))
    assert (len(gathered) > 1) == moved


# What is not finite.


def test_examples_that_are_not_finite_are_reported_alone():
    def objective(points, offset):
        return tf.reduce_sum(tf.math.log(points + offset), axis=1)

    start = np.float32([[1, 1], [1, 1], [1, 1], [np.nan, 1]])
    # Finite everywhere in the ball; nowhere; only beyond 0.95; start not a number.
    offset = np.float32([[0], [-9], [-0.95], [0]])
    for gradient in ("exact", "finite_difference"):
        attack = attacks.PGD(
            objective, epsilon=0.5, targeted=True, gradient=gradient, restarts=1
        )
        result = attack(start, offset)
        np.testing.assert_array_equal(result.finite, [True, False, False, False])
        np.testing.assert_array_equal(
            np.isfinite(result.objective), [True, False, True, False]
        )
        # The one that is finite ends on the diagonal of the ball around (1, 1).
        lowest = 2 * np.log(1 - 0.5 / np.sqrt(2))
        assert float(result.objective[0]) == pytest.approx(lowest, rel=1e-5)
        np.testing.assert_array_equal(result.adversarial[1], start[1])
        assert float(result.objective[2]) <= 2 * np.log(0.05) + 1e-5


def test_gradients_that_are_not_finite_are_left_out():
    # The square root has an infinite slope at 0, where the first number stays.
    def objective(points):
        return tf.sqrt(tf.abs(points[:, 0])) + points[:, 1]

    attack = attacks.PGD(objective, epsilon=0.5, random_start=False)
    result = attack([[0.0, 0.0]])
    assert not result.finite[0]
    assert float(result.objective[0]) >= 0.5


def test_gradients_that_are_tiny_are_called_flat():
    attack = attacks.PGD(
        lambda x, factor: factor * tf.reduce_sum(x, axis=1),
        epsilon=1.0,
        random_start=False,
    )
    for factor, flat in [(1e-12, True), (1e-8, False), (1e25, False)]:
        result = attack(np.zeros((2, 4)), factor)
        np.testing.assert_array_equal(result.flat, [flat, flat])
        # Below 1e-10 a step is shorter by their ratio: here 2.5 * 2e-12 / 1e-10.
        length = 0.05 if flat else 1.0
        expected = [2 * factor * length] * 2
        np.testing.assert_allclose(result.objective, expected, rtol=1e-4)


# Networks, traces, memory.


def _decoder(seed=0):
    keras.utils.set_random_seed(seed)
    latent = keras.Input((3,))
    x = keras.layers.Dense(16, activation="tanh")(latent)
    x = keras.layers.Dense(12, activation="sigmoid")(x)
    return keras.Model(latent, keras.layers.Reshape((2, 3, 2))(x))


def _attack_on(decoder, **options):
    def damage(latent, clean):
        return tf.reduce_mean((decoder(latent) - clean) ** 2, axis=[1, 2, 3])

    return attacks.PGD(damage, **({"epsilon": 1.0} | options))


LATENTS = np.random.default_rng(7).normal(size=(6, 3)).astype(np.float32)


def test_finite_differences_are_as_good_as_exact_gradients():
    decoder = _decoder()
    clean = decoder(LATENTS)
    exact = _attack_on(decoder)(LATENTS, clean)
    queried = _attack_on(decoder, gradient="finite_difference")(LATENTS, clean)
    np.testing.assert_allclose(queried.objective, exact.objective, rtol=1e-3)
    np.testing.assert_allclose(queried.adversarial, exact.adversarial, atol=1e-2)


def test_few_random_directions_find_their_share_of_a_gradient():
    # One step of the length 1 from the example itself, of a linear objective: the part
    # of its gradient in 16 of 64 dimensions, of a squared length of 1 / 4 on average.
    slopes = np.random.default_rng(8).normal(size=(500, 64)).astype(np.float32)
    slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
    attack = attacks.PGD(
        lambda points, slope: tf.reduce_sum(points * slope, axis=1),
        epsilon=1.0,
        steps=1,
        random_start=False,
        gradient="finite_difference",
        directions=16,
    )
    found = attack(tf.zeros([500, 64]), slopes)
    np.testing.assert_allclose(np.mean(found.objective**2), 0.25, atol=0.02)
    # The directions are those of all examples: none depends on its batch.
    few = attack(tf.zeros([3, 64]), slopes[:3])
    np.testing.assert_allclose(few.adversarial, found.adversarial[:3], atol=1e-5)
    other = attack(tf.zeros([3, 64]), slopes[:3], seed=(1, 0))
    assert np.abs(other.adversarial - few.adversarial).max() > 0.1


def test_steps_take_other_directions():
    # Two directions of eight hold a part of the slope; together those of all steps
    # hold nearly all.
    def damage(points):
        return tf.reduce_sum(points, axis=1)

    options = {"gradient": "finite_difference", "directions": 2, "random_start": False}
    for steps, least in ((1, 0.0), (40, 0.9)):
        found = attacks.PGD(damage, epsilon=1.0, steps=steps, **options)
        values = found(tf.zeros([1, 8])).objective / np.sqrt(8)
        assert values > least
        assert (values < 0.9) == (steps == 1)


def test_decoder_may_be_a_black_box():
    decoder = _decoder()
    box = _decoder()
    assert box is not decoder

    def damage(latent, clean):
        image = tf.numpy_function(
            lambda z: keras.ops.convert_to_numpy(box(z)), [latent], tf.float32
        )
        image = tf.ensure_shape(image, [None, 2, 3, 2])
        return tf.reduce_mean((image - clean) ** 2, axis=[1, 2, 3])

    clean = decoder(LATENTS)
    with pytest.raises(ValueError, match='gradient="finite_difference"'):
        attacks.PGD(damage, epsilon=1.0)(LATENTS, clean)
    queried = attacks.PGD(damage, epsilon=1.0, gradient="finite_difference")
    expected = _attack_on(decoder)(LATENTS, clean).objective
    np.testing.assert_allclose(queried(LATENTS, clean).objective, expected, rtol=1e-3)


def test_endpoint_of_a_saved_model_is_attacked_as_the_model_itself(tmp_path):
    decoder = _decoder()
    archive = keras.export.ExportArchive()
    archive.track(decoder)
    signature = [tf.TensorSpec((None, 3), tf.float32)]
    archive.add_endpoint("decode", decoder.call, input_signature=signature)
    archive.write_out(tmp_path, verbose=False)
    loaded = tf.saved_model.load(tmp_path)
    clean = decoder(LATENTS)
    expected = _attack_on(decoder)(LATENTS, clean)
    found = _attack_on(loaded.decode)(LATENTS, clean)
    np.testing.assert_allclose(found.objective, expected.objective, rtol=1e-5)
    np.testing.assert_allclose(found.adversarial, expected.adversarial, atol=1e-5)
    assert np.all(np.asarray(found.objective) > 1e-3)


def test_input_space_through_encoder_and_decoder():
    decoder = _decoder()
    image = keras.Input((2, 3, 2))
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model(image, keras.layers.Dense(3)(flat))
    images = np.random.default_rng(8).random((4, 2, 3, 2)).astype(np.float32)

    def damage(images, clean):
        return _squared_distance(decoder(encoder(images)), clean)

    attack = attacks.PGD(
        damage, epsilon=8 / 255, norm="linf", step_size=2 / 255, bounds=(0, 1)
    )
    clean = decoder(encoder(images))
    result = attack(images, clean)
    assert np.all(_distances(result, images, np.inf) <= 8 / 255 * (1 + 1e-6))
    noise = np.sign(np.random.default_rng(9).normal(size=images.shape))
    noisy = np.clip(images + np.float32(8 / 255 * noise), 0, 1)
    assert np.all(result.objective > damage(noisy, clean))


def test_one_trace_for_all_batches_epsilons_steps_and_seeds():
    traced = []

    def objective(points, target, weight):
        traced.append(points.shape)
        return weight * _squared_distance(points, target)

    attack = attacks.PGD(objective, epsilon=0.5, restarts=1)
    target = np.zeros((4, 2))
    attack(np.zeros((4, 2)), target, 1.0)
    first = len(traced)
    for number in range(1, 4):
        start = np.full((4, 2), number, np.float32)
        attack(start, target + number, 2.0 * number)
        attack(start, target, np.float32(number), epsilon=float(number))
        attack(start, target, 1.0, epsilon=np.arange(4), steps=number)
        attack(tf.cast(start, tf.float64), target, 1.0, seed=(number, 0))
        attack(start, target, 1.0, steps=np.int64(number), seed=np.array([1, number]))
    assert len(traced) == first
    # One more for all other sizes.
    for rows in (3, 1, 7):
        attack(np.zeros((rows, 2)), np.zeros((rows, 2)), 1.0)
    assert len(traced) == 2 * first
    assert traced[-1] == (None, 2)


def test_epsilon_and_steps_may_be_variables():
    epsilon, steps = tf.Variable(0.5), tf.Variable(1)
    attack = attacks.PGD(_linear, epsilon=epsilon, steps=steps, random_start=False)
    start, norm = np.zeros((1, 4)), np.linalg.norm(WEIGHTS)
    result = attack(start)
    np.testing.assert_allclose(result.objective, [0.5 * norm], rtol=1e-6)
    assert result.evaluations[0] == 2
    epsilon.assign(2.0)
    steps.assign(3)
    result = attack(start)
    np.testing.assert_allclose(result.objective, [2 * norm], rtol=1e-6)
    assert result.evaluations[0] == 4


@pytest.mark.parametrize(
    ("options", "initial", "evaluations"),
    [
        ({"random_start": False}, None, 8),  # 7 steps, the last point
        ({}, None, 1 + 8),  # and the start
        ({"restarts": 2}, None, 1 + 3 * 8),
        ({"restarts": 2}, 2, 1 + 4 * 8),
        ({"random_start": False, "restarts": 1}, None, 2 * 8),
        ({"gradient": "finite_difference"}, None, 1 + 8 + 7 * 2 * 3),
        (
            {"gradient": "finite_difference", "directions": 2},
            None,
            1 + 8 + 7 * 2 * 2,
        ),
    ],
)
def test_evaluations_are_those_that_were_made(options, initial, evaluations):
    made = tf.Variable(0)

    def objective(points):
        made.assign_add(tf.shape(points)[0])
        return tf.reduce_sum(points, axis=1)

    start = np.zeros((5, 3))
    if initial:
        initial = np.zeros((initial, 5, 3))
    attack = attacks.PGD(objective, epsilon=1.0, steps=7, **options)
    result = attack(start, initial=initial)
    np.testing.assert_array_equal(result.evaluations, [evaluations] * 5)
    # Rows of zeros fill up the last batch of finite differences.
    surplus = 0 if "gradient" not in options else int(made) - 5 * evaluations
    assert int(made) == 5 * evaluations + surplus
    assert surplus in (0, 7 * 2 * 5 * (512 // 10 - 3))


def test_it_may_be_called_in_a_graph_and_compiled():
    attack = attacks.PGD(_wavy, epsilon=0.5, bounds=(-1, 1), random_start=False)
    start = np.random.default_rng(10).uniform(-1, 1, (6, 3)).astype(np.float32)
    expected = attack(start)
    signature = [tf.TensorSpec((None, 3), tf.float32), tf.TensorSpec((), tf.float32)]
    graph = tf.function(
        lambda x, epsilon: attack(x, epsilon=epsilon), input_signature=signature
    )
    compiled = tf.function(lambda x: attack(x), jit_compile=True)
    for found in (graph(start, 0.5), compiled(tf.constant(start))):
        np.testing.assert_allclose(found.objective, expected.objective, rtol=1e-3)
        np.testing.assert_array_equal(found.evaluations, expected.evaluations)


def test_adversarial_points_are_constants_of_a_loss():
    weight = tf.Variable([1.0, -2.0])
    attack = attacks.PGD(
        lambda x: tf.reduce_sum(weight * x, axis=1), epsilon=1.0, random_start=False
    )
    with tf.GradientTape() as tape:
        result = attack([[0.0, 0.0]])
        loss = tf.reduce_sum(weight * result.adversarial)
    expected = np.array([[1, -2]]) / np.sqrt(5)
    gradient = tape.gradient(loss, weight)
    np.testing.assert_allclose(gradient, expected[0], rtol=1e-5)


def test_weights_that_changed_since_are_used():
    weight = tf.Variable(1.0)
    attack = attacks.PGD(
        lambda x: weight * x[:, 0], epsilon=1.0, random_start=False, steps=3
    )
    assert attack([[0.0]]).adversarial[0, 0] == 1
    weight.assign(-1.0)
    assert attack([[0.0]]).adversarial[0, 0] == -1


@pytest.mark.parametrize(
    "options",
    [{}, {"restarts": 1, "bounds": (-9, 9)}, {"gradient": "finite_difference"}],
    ids=["plain", "bounds", "finite_difference"],
)
def test_networks_are_freed_with_the_attack(options):
    seen = []
    for seed in range(2):
        decoder = _decoder(seed)
        attack = _attack_on(decoder, **options)
        attack(LATENTS, decoder(LATENTS))
        seen += [weakref.ref(decoder), weakref.ref(attack)]
        seen += [weakref.ref(weight) for weight in decoder.weights]
        del decoder, attack
    for _ in range(3):  # what a function of TensorFlow holds goes after it
        gc.collect()
    assert [reference() for reference in seen] == [None] * len(seen)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_floating_type_gives_float32(dtype):
    start = tf.cast([[0.5, 0.25]], dtype)
    target = tf.cast([[1.0, 0.25]], dtype)
    attack = attacks.PGD(_squared_distance, epsilon=0.25, targeted=True)
    result = attack(start, target)
    np.testing.assert_allclose(result.adversarial, [[0.75, 0.25]], rtol=1e-6)
    types = [field.dtype.name for field in result]
    assert types == ["float32", "float32", "int32", "bool", "bool", "bool"]


# Bad input.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": -0.5}, "`epsilon` must be finite and at least 0.*epsilon=-0.5"),
        ({"epsilon": [0.5, np.nan]}, "`epsilon` must be finite.*epsilon=nan"),
        ({"epsilon": np.inf}, "`epsilon` must be finite.*epsilon=inf"),
        ({"epsilon": "large"}, "`epsilon` must be a number.*epsilon='large'"),
        ({"steps": 0}, "`steps` must be finite and at least 1.*steps=0"),
        ({"steps": 2.5}, "`steps` must be an integer.*steps=2.5"),
        ({"step_size": -1}, "`step_size` must be .*at least 0.*step_size=-1"),
        ({"path_length": -1}, "`path_length` must be .*at least 0.*path_length=-1"),
        ({"momentum": 1.5}, r"`momentum` must be .*in \[0, 1\].*momentum=1.5"),
        ({"restarts": -1}, "`restarts` must be .*at least 0.*restarts=-1"),
        ({"norm": "l1"}, "`norm` must be one of 'l2', 'linf'.*norm='l1'"),
        ({"step_norm": 2}, "`step_norm` must be one of None, 'l2'.*step_norm=2"),
        ({"gradient": "none"}, "`gradient` must be one of 'exact'.*'none'"),
        ({"bounds": (1, 0)}, r"`bounds` must be \(low, high\).*\(1, 0\)"),
        ({"bounds": (0, np.nan)}, r"`bounds` must be \(low, high\)"),
        ({"directions": 0}, "`directions` must be .*at least 1.*directions=0"),
        ({"width": 0.0}, "`width` must be .*at least 1e-06.*width=0.0"),
        ({"seed": 3}, "`seed` must be two integers.*seed=3"),
        ({"seed": (0.5, 1)}, "`seed` must be two integers"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(options, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.PGD(_linear, **({"epsilon": 1.0} | options))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("start", "options", "message"),
    [
        (np.zeros((3, 4), np.uint8), {}, "`start` must be floating.*by 255.*uint8"),
        (0.5, {}, r"`start` must have the shape \[B, ...\].*\(\)"),
        (STARTS, {"epsilon": [1.0, 2.0]}, r"`epsilon` must .*\[B\].*\(2,\) for 3"),
        (STARTS, {"epsilon": np.ones((3, 4))}, r"`epsilon` must .*\(3, 4\) for 3"),
        (STARTS, {"epsilon": -1}, "`epsilon` must .*epsilon=-1"),
        (STARTS, {"steps": 0}, "`steps` must .*steps=0"),
        (STARTS, {"seed": (1, 2, 3)}, r"`seed` must be two.*\(1, 2, 3\)"),
        (STARTS, {"initial": STARTS[:2]}, r"`initial` must .*\(2, 4\).*\(3, 4\)"),
        (STARTS, {"initial": STARTS[:, :3]}, r"`initial` must .*\(3, 3\).*\(3, 4\)"),
        (STARTS, {"initial": [0.5]}, r"`initial` must .*\(1,\).*\(3, 4\)"),
        (STARTS, {"initial": [[1, 2]]}, "`initial` must be floating.*int32"),
    ],
)
def test_call_that_does_not_fit_is_one_line(start, options, message):
    attack = attacks.PGD(_linear, epsilon=1.0)
    with pytest.raises(ValueError, match=message) as error:
        attack(start, **options)
    assert "\n" not in str(error.value)


def test_start_outside_of_the_bounds_is_refused():
    attack = attacks.PGD(_linear, epsilon=1.0, bounds=(0, 1))
    message = r"`start` must lie within the bounds \[0, 1\].*-2.0 among"
    with pytest.raises(ValueError, match=message):
        attack(STARTS)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (lambda x: tf.reduce_mean(x), r"`objective` must return .*shape=\(\)"),
        (lambda x: x, r"`objective` must return .*shape=\(3, 4\)"),
        (lambda x: tf.round(x)[:, 0], "`objective` must be differentiable"),
    ],
)
def test_objective_that_does_not_fit_is_one_line(objective, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.PGD(objective, epsilon=1.0)(STARTS)
    assert "\n" not in str(error.value)


def test_unknown_number_of_values_is_found_when_it_runs():
    attack = attacks.PGD(lambda x, keep: tf.boolean_mask(x[:, 0], keep), epsilon=1.0)
    assert attack(STARTS, [True, True, True]).objective.shape == (3,)
    with pytest.raises(tf.errors.InvalidArgumentError):
        attack(STARTS, [True, False, True])
