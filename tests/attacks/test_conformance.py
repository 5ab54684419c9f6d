"""What attacks within a ball have in common; a new one joins by a line in `ATTACKS`."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks

SHAPE = (6, 5, 2)


def _strong(objective, **options):
    return attacks.StrongPGD(objective, lambda images: 2 * images, **options)


#: Name -> makes an attack on images of an objective and options.
ATTACKS = {
    "PGD": attacks.PGD,
    "StrongPGD": _strong,
    "APGD": attacks.APGD,
    "Square": attacks.Square,
}
every = pytest.mark.parametrize("make", ATTACKS.values(), ids=ATTACKS)


def _images(count=3):
    random = np.random.default_rng(0)
    return random.uniform(0.2, 0.8, (count, *SHAPE)).astype("f")


def _wavy(images):
    """Of many maxima."""
    return tf.reduce_sum(tf.sin(20 * images), axis=[1, 2, 3])


@every
def test_equal_seeds_give_equal_results(make):
    attack = make(_wavy, epsilon=0.3, steps=5, seed=(1, 2))
    first, again = attack(_images()), attack(_images())
    np.testing.assert_array_equal(first.adversarial, again.adversarial)
    assert np.any(first.adversarial != attack(_images(), seed=(1, 3)).adversarial)


@every
def test_one_trace_for_all_batches_epsilons_steps_and_seeds(make):
    traces = []

    def objective(images):
        traces.append(images.shape)
        return _wavy(images)

    attack = make(objective, epsilon=0.3)
    attack(_images(6), steps=3)
    first = len(traces)
    attack(_images(6), steps=9, epsilon=0.2, seed=(3, 4))
    assert len(traces) == first
    for count in (5, 7, 1):
        attack(_images(count), steps=3)
    assert len(traces) == 2 * first


@every
@pytest.mark.parametrize("targeted", [False, True])
def test_result_is_in_the_ball_and_within_the_bounds_and_no_worse(make, targeted):
    start = _images()
    epsilon = np.float32([0.0, 0.05, 0.4])
    options = {"targeted": targeted, "bounds": (0, 1), "steps": 5}
    attack = make(_wavy, epsilon=epsilon, **options)
    found = attack(start)
    change = found.adversarial.numpy() - start
    order = np.inf if make in (attacks.APGD, attacks.Square) else 2
    lengths = np.linalg.norm(change.reshape(len(start), -1), order, axis=1)
    assert np.all(lengths <= epsilon + 1e-6)  # rounding of pixels below 1
    np.testing.assert_array_equal(found.adversarial[0], start[0])
    assert np.min(found.adversarial) >= 0
    assert np.max(found.adversarial) <= 1
    gain = (found.objective - _wavy(start)) * (-1 if targeted else 1)
    assert np.all(gain >= -1e-4)  # sums of 60 sines in another order


@every
def test_adversarial_points_are_constants_of_a_loss(make):
    start = tf.constant(_images())
    with tf.GradientTape() as tape:
        tape.watch(start)
        found = make(_wavy, epsilon=0.3, steps=2)(start)
    gradient = tape.gradient(
        [found.adversarial, found.objective], start, unconnected_gradients="zero"
    )
    np.testing.assert_array_equal(gradient, np.zeros_like(start))


@every
def test_networks_are_freed_with_the_attack(make):
    def used():
        network = keras.Sequential(
            [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)]
        )
        attack = make(lambda x: network(x)[:, 0], epsilon=0.1, steps=2)
        attack(_images())
        return weakref.ref(network)

    reference = used()
    gc.collect()
    assert reference() is None


@every
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": -1.0}, "`epsilon` must be finite and at least 0"),
        ({"steps": 0}, "`steps` must be finite and at least 1. Received: steps=0"),
        ({"bounds": (1, 0)}, r"`bounds` must be \(low, high\)"),
        ({"seed": 1}, "`seed` must be two integers"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(_wavy, **{"epsilon": 0.1} | options)


@every
def test_call_that_does_not_fit_is_one_line(make):
    attack = make(_wavy, epsilon=0.1, bounds=(0, 1))
    with pytest.raises(ValueError, match="`start` must be floating"):
        attack(np.ones((1, *SHAPE), np.int32))
    with pytest.raises(ValueError, match="`start` must lie within the bounds"):
        attack(_images() + 1)
    with pytest.raises(ValueError, match=r"`epsilon` must be a number, or one for"):
        attack(_images(), epsilon=[0.1, 0.2])
    with pytest.raises(ValueError, match="Received: steps=0"):
        attack(_images(), steps=0)
    with pytest.raises(ValueError, match=r"must return a floating tensor \[B\]"):
        make(lambda x: x, epsilon=0.1)(_images())


@every
def test_error_of_an_objective_has_the_shapes_beside_it(make):
    def objective(x, target):
        raise TypeError("no such thing")

    attack = make(objective, epsilon=0.1)
    with pytest.raises(TypeError, match="no such thing") as caught:
        attack(_images(), np.zeros((5, 7), np.float32))
    (note,) = caught.value.__notes__
    shape = tuple(_images().shape)
    assert (
        note == f"`objective` received points of the shape {shape} and data of (5, 7)."
    )
