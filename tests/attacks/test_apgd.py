"""APGD: closed forms, an implementation of its printed algorithm, and invariants."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks, objectives

WEIGHTS = np.float32([3, -2, 0.5, 0])


def _linear(points):
    return tf.reduce_sum(WEIGHTS * points, axis=1)


def _wavy(points):
    """Of many maxima, per example other ones of other heights."""
    return tf.reduce_sum(tf.sin(20 * points) + tf.cos(7 * points), axis=1)


def _squared_distance(points, target):
    return tf.reduce_sum((points - target) ** 2, axis=1)


def _points(count=6, width=4, seed=0):
    return np.random.default_rng(seed).uniform(0.2, 0.8, (count, width)).astype("f")


# Closed forms


@pytest.mark.parametrize(("targeted", "sign"), [(False, 1), (True, -1)])
@pytest.mark.parametrize(
    ("norm", "length"), [("linf", np.abs(WEIGHTS).sum()), ("l2", np.sqrt(13.25))]
)
def test_extremes_of_a_linear_objective(norm, length, targeted, sign):
    start = _points()
    epsilon = np.linspace(0.1, 0.6, 6).astype("f")
    attack = attacks.APGD(
        _linear, epsilon=epsilon, norm=norm, steps=10, targeted=targeted
    )
    result = attack(start)
    expected = start @ WEIGHTS + sign * epsilon * length
    np.testing.assert_allclose(result.objective, expected, rtol=1e-5)
    assert np.all(result.converged)
    assert np.all(result.finite)
    assert not np.any(result.flat)


def test_corner_of_ball_and_bounds():
    start = np.float32([[0.9, 0.1, 0.5, 0.5]])
    result = attacks.APGD(_linear, epsilon=0.25, bounds=(0, 1), steps=5)(start)
    np.testing.assert_array_equal(result.adversarial[:, :3], [[1, 0, 0.75]])


def test_l2_ball_and_bounds_at_once():
    def objective(points):
        return tf.linalg.matvec(points, [4.0, 3.0])

    attack = attacks.APGD(objective, epsilon=1.0, norm="l2", bounds=(-1, 0.75))
    result = attack(tf.zeros([1, 2]))
    # The first number is at its bound, the second where the sphere is.
    np.testing.assert_allclose(
        result.adversarial, [[0.75, np.sqrt(1 - 0.75**2)]], atol=1e-4
    )


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_halved_steps_find_an_optimum_inside_the_ball(norm):
    start = _points()
    target = start + np.random.default_rng(1).uniform(-0.05, 0.05, start.shape)
    attack = attacks.APGD(_squared_distance, epsilon=0.2, norm=norm, targeted=True)
    result = attack(start, target)
    # 100 steps of one size, 0.4, would stay at that distance from it.
    np.testing.assert_allclose(result.adversarial, target, atol=0.02)
    assert np.all(np.asarray(result.objective) < 1e-3)


# The algorithm


def _printed(objective, gradient, start, epsilon, norm, steps):
    """Algorithm 1 of Croce and Hein for one example, float64."""

    def project(x):
        d = x - start
        if norm == "linf":
            return start + np.clip(d, -epsilon, epsilon)
        return start + d * min(1, epsilon / max(np.linalg.norm(d), 1e-30))

    def unit(g):
        return np.sign(g) if norm == "linf" else g / np.linalg.norm(g)

    p = [0.0, 0.22]
    while p[-1] < 1:
        p.append(p[-1] + max(p[-1] - p[-2] - 0.03, 0.06))
    checkpoints = [math.ceil(round(each * steps, 6)) for each in p]
    step_size, x_old = 2 * epsilon, start
    x = project(start + step_size * unit(gradient(start)))
    values, points = [objective(start), objective(x)], [start, x]
    sizes, bests = [step_size], [max(values)]
    best = points[int(np.argmax(values))]
    top, last = max(values), 0
    halved_before = True
    for k in range(1, steps):
        if k in checkpoints:
            rises = sum(values[i + 1] > values[i] for i in range(last, k))
            stalled = rises < 0.75 * (k - last)
            stuck = not halved_before and top <= bests[-1]
            halved_before = stalled or stuck
            if halved_before:
                step_size, x = step_size / 2, best
                values[k] = top
            last = k
            bests.append(top)
            sizes.append(step_size)
        z = project(x + step_size * unit(gradient(x)))
        x, x_old = project(x + 0.75 * (z - x) + 0.25 * (x - x_old)), x
        values.append(objective(x))
        if values[-1] > top:
            top, best = values[-1], x
    return best, top, sizes


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("steps", [7, 50])
def test_it_is_the_printed_algorithm(norm, steps):
    start = _points()
    attack = attacks.APGD(
        _wavy, epsilon=0.3, norm=norm, steps=steps, random_start=False
    )
    result = attack(start)
    halvings = 0
    for row, point, value in zip(
        start, result.adversarial.numpy(), result.objective.numpy(), strict=True
    ):
        best, top, sizes = _printed(
            lambda x: np.sum(np.sin(20 * x) + np.cos(7 * x)),
            lambda x: 20 * np.cos(20 * x) - 7 * np.sin(7 * x),
            row.astype(np.float64),
            0.3,
            norm,
            steps,
        )
        halvings += sizes[-1] < 0.6
        # Rounding of float32, grown over the steps.
        assert value == pytest.approx(top, abs=1e-3)
        np.testing.assert_allclose(point, best, atol=1e-3)
    assert halvings > 0


# Invariants


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_result_is_in_the_ball_and_within_the_bounds(norm, bounds):
    start = _points(40)
    epsilon = np.linspace(0, 0.5, 40).astype("f")
    attack = attacks.APGD(
        _wavy, epsilon=epsilon, norm=norm, bounds=bounds, steps=12, restarts=1
    )
    result = attack(start)
    moved = np.asarray(result.adversarial, np.float64) - start
    order = 2 if norm == "l2" else np.inf
    distances = np.linalg.norm(moved, ord=order, axis=1)
    assert np.all(distances <= epsilon * (1 + 1e-6))
    assert distances.max() > 0.4
    if bounds:
        assert np.all((result.adversarial >= 0) & (result.adversarial <= 1))
    np.testing.assert_array_equal(result.adversarial[0], start[0])  # epsilon is 0
    np.testing.assert_allclose(
        result.objective, _wavy(result.adversarial), rtol=1e-5, atol=1e-5
    )
    assert np.all(result.objective >= _wavy(start) - 1e-5)


def test_more_restarts_are_never_worse_and_sometimes_better():
    start = _points(20)
    found = [
        attacks.APGD(_wavy, epsilon=0.3, steps=10, restarts=n)(start).objective.numpy()
        for n in (0, 1, 5)
    ]
    assert np.all(found[0] <= found[1])
    assert np.all(found[1] <= found[2])
    assert np.any(found[0] < found[2] - 0.1)


def test_it_is_stronger_than_steps_of_one_size():
    start = _points(40)
    ours = attacks.APGD(_wavy, epsilon=0.3, steps=40)(start).objective
    plain = attacks.PGD(_wavy, epsilon=0.3, norm="linf", steps=40, step_size=0.6)
    assert np.mean(ours) > np.mean(plain(start).objective)


def test_example_is_attacked_as_if_alone():
    start = _points()
    attack = attacks.APGD(_wavy, epsilon=0.3, steps=10, random_start=False)
    together = attack(start)
    for index in range(len(start)):
        alone = attack(start[index : index + 1])
        np.testing.assert_allclose(
            alone.adversarial[0], together.adversarial[index], atol=1e-5
        )


def test_what_is_not_finite_is_reported_alone():
    def objective(points):
        return tf.where(points[:, 0] > 0.5, math.nan, _linear(points))

    start = np.float32([[0.9, 0, 0, 0], [-3, 0, 0, 0], [0.45, 0, 0, 0]])
    result = attacks.APGD(objective, epsilon=0.1, steps=8, random_start=False)(start)
    assert np.isnan(result.objective[0])
    np.testing.assert_array_equal(result.adversarial[0], start[0])
    assert result.finite.numpy().tolist() == [False, True, False]
    # The third stays where it is finite, and gets something.
    assert float(result.objective[2]) > float(_linear(start)[2])
    assert np.all(np.isfinite(result.adversarial))


def test_objective_without_a_slope_is_called_flat():
    def objective(points):
        return 0 * tf.reduce_sum(points, axis=1)

    result = attacks.APGD(objective, epsilon=0.1, steps=3)(_points())
    assert np.all(result.flat)


def test_classifier_is_attacked_by_the_losses_of_logits():
    scores = np.random.default_rng(0).normal(size=(4, 5)).astype("f")
    start = _points(30)
    labels = np.argmax(start @ scores, axis=1)
    # Another class wins where the best corner for it outweighs its lead.
    differences = scores.T[labels][:, np.newaxis] - scores.T  # [30, 5, 4]
    lead = np.einsum("bd,bcd->bc", start, differences)
    can_fail = np.any(lead < 0.2 * np.abs(differences).sum(axis=2), axis=1)
    assert 10 < can_fail.sum() < 25
    for loss in (
        lambda z, y: tf.nn.sparse_softmax_cross_entropy_with_logits(y, z),
        objectives.dlr,
        objectives.cw_margin,
    ):
        attack = attacks.APGD(
            lambda x, y, loss=loss: loss(x @ scores, y), epsilon=0.2, steps=20
        )
        found = np.argmax(attack(start, labels).adversarial @ scores, axis=1)
        assert not np.any((found != labels) & ~can_fail)
        assert np.sum(found != labels) >= 0.9 * can_fail.sum()


def test_evaluations_are_those_that_were_made():
    calls = []

    def objective(points):
        calls.append(1)
        return _wavy(points)

    attack = attacks.APGD(objective, epsilon=0.3, steps=4, restarts=2)
    tf.config.run_functions_eagerly(True)
    try:
        result = attack(_points(2))
    finally:
        tf.config.run_functions_eagerly(False)
    assert result.evaluations.numpy().tolist() == [1 + 3 * 5] * 2
    assert len(calls) == 1 + 3 * 5


def test_it_may_be_called_in_a_graph_and_compiled():
    attack = attacks.APGD(_linear, epsilon=0.25, bounds=(0, 1), steps=8)
    start = _points()
    expected = attack(start)
    signature = [tf.TensorSpec((None, 4), tf.float32), tf.TensorSpec((), tf.float32)]
    graph = tf.function(
        lambda x, epsilon: attack(x, epsilon=epsilon), input_signature=signature
    )
    compiled = tf.function(lambda x: attack(x), jit_compile=True)
    for found in (graph(start, 0.25), compiled(tf.constant(start))):
        np.testing.assert_allclose(found.objective, expected.objective, rtol=1e-5)
        np.testing.assert_array_equal(found.evaluations, expected.evaluations)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "l1"}, "`norm` must be one of 'l2', 'linf'"),
        ({"restarts": -1}, "`restarts` must be"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(options, message):
    with pytest.raises(ValueError, match=message):
        attacks.APGD(_linear, **{"epsilon": 0.1} | options)
