"""The square attack: corners of the box, its squares, and who is asked how often."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks


def _images(count=3, shape=(6, 5, 2), seed=0):
    random = np.random.default_rng(seed)
    return random.uniform(0.2, 0.8, (count, *shape)).astype("f")


def _wavy(images):
    return tf.reduce_sum(tf.sin(20 * images), axis=[1, 2, 3])


def _linear(shape, seed=1):
    weights = np.random.default_rng(seed).normal(size=shape).astype("f")
    return weights, lambda images: tf.reduce_sum(weights * images, axis=[1, 2, 3])


@pytest.mark.parametrize(("targeted", "sign"), [(False, 1), (True, -1)])
def test_corner_of_a_linear_objective(targeted, sign):
    weights, objective = _linear((4, 4, 1))
    start = _images(shape=(4, 4, 1))
    start[0, 0, 0, 0] = 0.9
    epsilon = np.float32([0.1, 0.2, 0.3])
    attack = attacks.Square(
        objective, epsilon=epsilon, targeted=targeted, bounds=(0, 1), steps=1500
    )
    result = attack(start)
    corner = start + sign * epsilon[:, None, None, None] * np.sign(weights)
    np.testing.assert_allclose(result.adversarial, np.clip(corner, 0, 1), atol=1e-6)
    np.testing.assert_allclose(result.objective, objective(result.adversarial))
    assert not np.any(result.converged)
    assert not np.any(result.flat)
    assert result.evaluations.numpy().tolist() == [1502] * 3


def _proposals(steps, shape=(12, 12, 2), share=0.8):
    """All images that are asked, where none is better than the stripes."""
    asked = []

    def record(images):
        asked.append(images.copy())
        return np.zeros(len(images), np.float32)

    def objective(images):
        return tf.ensure_shape(tf.numpy_function(record, [images], tf.float32), [None])

    attack = attacks.Square(objective, epsilon=0.25, steps=steps, share=share)
    result = attack(np.full((2, *shape), 0.5, np.float32))
    assert np.all(result.flat)
    return np.stack(asked) - 0.5


def _printed_share(step, steps, share):
    """The table of the released code."""
    done = int(step / steps * 10_000)
    for limit, divisor in [
        (10, 1),
        (50, 2),
        (200, 4),
        (500, 8),
        (1000, 16),
        (2000, 32),
        (4000, 64),
        (6000, 128),
        (8000, 256),
        (10_000, 512),
    ]:
        if done <= limit:
            return share / divisor
    raise AssertionError


def test_it_begins_with_itself_and_stripes():
    own, stripes = _proposals(1)[:2]
    assert not own.any()
    np.testing.assert_array_equal(np.abs(stripes), np.full(stripes.shape, 0.25))
    assert np.all(stripes == stripes[:, :1])
    assert np.any(stripes[:, 0] != stripes[:, 0, :1])


@pytest.mark.parametrize("share", [0.8, 0.3])
def test_squares_are_of_the_printed_sizes(share):
    steps = 200
    _, stripes, *proposals = _proposals(steps, share=share)
    places = set()
    for step, proposal in enumerate(proposals, start=1):
        side = max(1, round(math.sqrt(_printed_share(step, steps, share) * 144)))
        for image, before in zip(proposal, stripes, strict=True):
            for channel in range(2):
                changed = image[..., channel] != before[..., channel]
                rows, columns = map(np.flatnonzero, (changed.any(1), changed.any(0)))
                if len(rows):  # else stripes were there already
                    # All rows of the square, and columns where stripes differed.
                    assert rows.tolist() == list(range(rows[0], rows[0] + side))
                    assert np.ptp(columns) < side
                    places.add((int(rows[0]), side))
                    signs = image[..., channel][changed]
                    assert np.all(signs == signs[0])
    # Squares of one pixel reach both edges.
    assert {0, 11} <= {row for row, side in places if side == 1}


def test_images_have_squares_of_their_own():
    _, stripes, *proposals = _proposals(20)
    assert np.any(stripes[0] != stripes[1])
    assert any(
        np.any((each[0] != stripes[0]) != (each[1] != stripes[1])) for each in proposals
    )


def test_best_objective_never_falls():
    start, values = _images(), []
    for steps in (1, 10, 100, 1000):
        # The schedule depends on the steps: take a constant one, of one pixel.
        attack = attacks.Square(_wavy, epsilon=0.2, share=1e-6, steps=steps)
        values.append(attack(start).objective.numpy())
    assert np.all(np.diff(values, axis=0) >= 0)
    assert np.all(values[-1] > values[0] + 1)
    # Many steps find the best of +-epsilon for each pixel.
    both = np.stack([np.sin(20 * (start + d)) for d in (-0.2, 0.2)])
    np.testing.assert_allclose(values[-1], both.max(axis=0).sum((1, 2, 3)), rtol=1e-4)


def test_result_is_in_the_ball_and_within_the_bounds():
    start = _images(20)
    epsilon = np.linspace(0, 0.5, 20).astype("f")
    attack = attacks.Square(_wavy, epsilon=epsilon, bounds=(0, 1), steps=50)
    result = attack(start)
    moved = np.abs(np.asarray(result.adversarial, np.float64) - start).max((1, 2, 3))
    assert np.all(moved <= epsilon * (1 + 1e-6))
    assert np.all((result.adversarial >= 0) & (result.adversarial <= 1))
    np.testing.assert_array_equal(result.adversarial[0], start[0])
    np.testing.assert_allclose(result.objective, _wavy(result.adversarial), atol=1e-4)
    assert np.all(result.objective >= _wavy(start) - 1e-4)


def test_the_image_itself_is_kept_where_it_is_best():
    start = _images()

    def objective(images):
        return -tf.reduce_sum(tf.abs(images - start), axis=[1, 2, 3])

    result = attacks.Square(objective, epsilon=0.1, steps=20)(start)
    np.testing.assert_array_equal(result.adversarial, start)
    np.testing.assert_array_equal(result.objective, np.zeros(3))


def test_images_are_asked_until_they_are_beyond_the_limit():
    _, objective = _linear((4, 4, 1))
    start = _images(shape=(4, 4, 1))
    free = attacks.Square(objective, epsilon=0.2, steps=300)(start)
    own = objective(start).numpy()
    # At once, on the way, and never.
    lifted = np.float32([10, -(own[1] + free.objective[1]) / 2, -free.objective[2] - 1])

    def moved(images, lift):
        return objective(images) + lift

    attack = attacks.Square(moved, epsilon=0.2, steps=300, stop_above=0.0)
    result = attack(start, lifted)
    assert result.converged.numpy().tolist() == [True, True, False]
    first, second, third = result.evaluations.numpy()
    assert (first, third) == (1, 302)
    assert 2 <= second < 302
    np.testing.assert_array_equal(result.adversarial[0], start[0])
    assert float(result.objective[1]) > 0
    # The squares of one do not depend on when another is stopped.
    np.testing.assert_array_equal(result.adversarial[2], free.adversarial[2])
    assert float(result.objective[1]) < float(free.objective[1]) + lifted[1]


def test_it_ends_when_no_image_is_left():
    calls = []

    def objective(images):
        calls.append(1)
        return tf.reduce_sum(images, axis=[1, 2, 3])

    attack = attacks.Square(objective, epsilon=0.2, steps=50, stop_above=-1.0)
    tf.config.run_functions_eagerly(True)
    try:
        result = attack(_images())
    finally:
        tf.config.run_functions_eagerly(False)
    assert len(calls) == 2  # the images, and the stripes of nobody
    assert result.evaluations.numpy().tolist() == [1] * 3


def test_limit_of_a_targeted_attack_lies_below():
    _, objective = _linear((4, 4, 1))
    start = _images(shape=(4, 4, 1))
    limit = float(np.min(objective(start))) - 0.05
    attack = attacks.Square(
        objective, epsilon=0.3, steps=300, targeted=True, stop_above=limit
    )
    result = attack(start)
    assert np.all(result.converged)
    assert np.all(result.objective < limit)


def test_what_is_not_finite_is_reported_alone():
    start = _images()
    start[1, 0, 0, 0] = np.nan
    result = attacks.Square(_wavy, epsilon=0.1, steps=5)(start)
    assert result.finite.numpy().tolist() == [True, False, True]
    assert np.isnan(result.objective.numpy()).tolist() == [False, True, False]
    np.testing.assert_array_equal(result.adversarial[1], start[1])


def test_objective_need_not_be_differentiable():
    def objective(images):
        return tf.reduce_mean(tf.round(4 * images), axis=[1, 2, 3])

    result = attacks.Square(objective, epsilon=0.3, bounds=(0, 1), steps=300)(_images())
    best = np.round(4 * np.clip(_images() + 0.3, 0, 1)).mean((1, 2, 3))
    # The last pixel of 60 may be missed.
    np.testing.assert_allclose(result.objective, best, atol=0.3)
    assert np.all(result.objective <= best)


def test_it_may_be_called_in_a_graph_and_compiled():
    _, objective = _linear((3, 3, 1))
    attack = attacks.Square(objective, epsilon=0.2, bounds=(0, 1), steps=600)
    start = _images(shape=(3, 3, 1))
    expected = attack(start)
    signature = [tf.TensorSpec((None, 3, 3, 1), tf.float32)]
    graph = tf.function(lambda x: attack(x), input_signature=signature)
    # XLA draws other squares; all of them end in the same corner.
    compiled = tf.function(lambda x: attack(x), jit_compile=True)
    for found in (graph(start), compiled(tf.constant(start))):
        np.testing.assert_allclose(found.adversarial, expected.adversarial, atol=1e-6)
        np.testing.assert_array_equal(found.evaluations, expected.evaluations)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0.0}, "`share` must be finite and in"),
        ({"share": 1.5}, "Received: share=1.5"),
        ({"stop_above": math.nan}, "`stop_above` must be finite"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(options, message):
    with pytest.raises(ValueError, match=message):
        attacks.Square(_wavy, **{"epsilon": 0.1} | options)


def test_only_images_are_attacked():
    attack = attacks.Square(_wavy, epsilon=0.1)
    with pytest.raises(ValueError, match=r"shape \[B, H, W, C\]. Received: start"):
        attack(np.zeros((1, 4), np.float32))
