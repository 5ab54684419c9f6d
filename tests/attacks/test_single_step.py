"""Single steps against the softmax of a linear classifier, and against differences."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks
from tfsemae.attacks import objectives

# Numbers that were computed for the specification of ECE 417, lecture 22.
WEIGHTS = np.float32([[1, 0], [0, 1], [-1, -1]])  # a row for each class
START, TRUE, FAKE = np.float32([[0.5, 0]]), [0], [1]
# They are given to 5 digits.
PRINTED = {"atol": 6e-6}


def _linear(points):
    return tf.matmul(points, WEIGHTS, transpose_b=True)


def _norms(result, start):
    return np.linalg.norm(np.asarray(result.adversarial) - start, axis=1)


def test_cross_entropy_and_its_gradient():
    points = tf.constant(START)
    with tf.GradientTape() as tape:
        tape.watch(points)
        loss = objectives.cross_entropy(_linear)(points, TRUE)
    np.testing.assert_allclose(loss, [0.68027], **PRINTED)
    np.testing.assert_allclose(
        tape.gradient(loss, points), [[-0.67984, 0.12087]], **PRINTED
    )


def test_plain_step_on_a_linear_softmax():
    result = attacks.step_plain(_linear, size=0.5)(START, TRUE)
    np.testing.assert_allclose(result.adversarial, [[0.16008, 0.06044]], **PRINTED)
    np.testing.assert_allclose(result.objective, [0.95112], **PRINTED)


def test_sign_step_on_a_linear_softmax():
    result = attacks.step_sign(_linear, size=0.5)(START, TRUE)
    np.testing.assert_array_equal(result.adversarial, [[0, 0.5]])
    np.testing.assert_allclose(result.objective, [1.18027], **PRINTED)
    probabilities = tf.nn.softmax(_linear(result.adversarial))
    np.testing.assert_allclose(probabilities, [[0.30720, 0.50648, 0.18632]], **PRINTED)


def test_step_to_a_fake_class_of_a_linear_softmax():
    # w_fake - w_true = (-1, 1), wherever it begins.
    result = attacks.step_fake(_linear, size=0.5)(START, TRUE, FAKE)
    np.testing.assert_array_equal(result.adversarial, [[0, 0.5]])
    np.testing.assert_allclose(result.objective, [0.5], rtol=1e-6)


@pytest.mark.parametrize(("true", "fake"), [(0, 1), (0, 2), (2, 1)])
def test_a_step_to_a_fake_class_raises_the_difference_of_logits(true, fake):
    start = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    way = WEIGHTS[fake] - WEIGHTS[true]
    before = _linear(start).numpy() @ (np.eye(3)[fake] - np.eye(3)[true])
    for options, rise in [
        ({}, np.sum(way**2)),
        ({"direction": "sign"}, np.sum(np.abs(way))),
        ({"norm": "l2"}, np.linalg.norm(way)),
    ]:
        attack = attacks.step_fake(_linear, size=0.25, **options)
        result = attack(start, true, fake)
        np.testing.assert_allclose(
            result.objective - before, np.full(6, 0.25 * rise), rtol=1e-5
        )
        assert np.all(result.converged)


def test_the_plain_step_stalls_where_the_classifier_is_sure_and_others_do_not():
    # 1 - y_true = 2e-9 at (20, 0), and so is the gradient but for a factor near 2.
    start = np.float32([[20, 0]])
    plain = attacks.step_plain(_linear, size=1.0)
    assert _norms(plain(start, TRUE), start)[0] < 1e-8
    assert _norms(attacks.step_sign(_linear, size=1.0)(start, TRUE), start)[0] > 1
    fake = attacks.step_fake(_linear, size=1.0)(start, TRUE, FAKE)
    np.testing.assert_allclose(_norms(fake, start), [np.sqrt(2)], rtol=1e-6)
    # Of norm 1 whatever the gradient.
    equal = attacks.step_plain(_linear, size=1.0, norm="l2")(start, TRUE)
    np.testing.assert_allclose(_norms(equal, start), [1], rtol=1e-6)


@pytest.mark.parametrize("size", [0.5, 1, 2, 4])
def test_steps_of_equal_norm(size):
    start = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
    for step, data in [
        (attacks.step_plain, (0,)),
        (attacks.step_sign, (0,)),
        (attacks.step_fake, (0, 2)),
    ]:
        result = step(_linear, size=size, norm="l2")(start, *data)
        np.testing.assert_allclose(_norms(result, start), size, rtol=1e-6)


def test_norm_holds_for_gradients_whose_squares_vanish():
    start = np.zeros((1, 2), np.float32)
    for factor in (1e-30, 1e30):
        attack = attacks.SingleStep(
            lambda x, f=factor: f * (3 * x[:, 0] + 4 * x[:, 1]), size=1.0, norm="l2"
        )
        result = attack(start)
        np.testing.assert_allclose(result.adversarial, [[0.6, 0.8]], rtol=1e-6)
        np.testing.assert_array_equal(result.flat, [factor < 1e-10])


def test_targeted_it_minimises():
    # |x|**2 has the gradient 2 x: a rate of 1/4 halves x.
    def squares(points):
        return tf.reduce_sum(points**2, axis=1)

    start = [[3.0, -4.0]]
    result = attacks.SingleStep(squares, size=0.25, targeted=True)(start)
    np.testing.assert_array_equal(result.adversarial, [[1.5, -2]])
    np.testing.assert_array_equal(result.converged, [True])
    # A rate of 2 goes to -3 x, which is worse; it is the point all the same.
    result = attacks.SingleStep(squares, size=2.0, targeted=True)(start)
    np.testing.assert_array_equal(result.adversarial, [[-9, 12]])
    np.testing.assert_array_equal(result.objective, [225])
    np.testing.assert_array_equal(result.converged, [False])


def test_bounds_are_off_unless_given():
    attack = attacks.step_sign(_linear, size=0.75)
    np.testing.assert_array_equal(attack(START, TRUE).adversarial, [[-0.25, 0.75]])
    attack = attacks.step_sign(_linear, size=0.75, bounds=(0, 0.625))
    np.testing.assert_array_equal(attack(START, TRUE).adversarial, [[0, 0.625]])


def test_size_zero_is_the_start_bit_for_bit():
    start = np.random.default_rng(2).normal(size=(4, 2)).astype(np.float32)
    for norm in (None, "l2"):
        result = attacks.step_plain(_linear, size=0, norm=norm)(start, 1)
        np.testing.assert_array_equal(result.adversarial, start)


def test_sizes_differ_by_example_and_call():
    size = tf.Variable([0.0, 0.5])
    start = np.zeros((2, 2), np.float32)
    attack = attacks.step_fake(_linear, size=size)
    expected = np.outer([0, 0.5], [-1, 1])
    np.testing.assert_allclose(attack(start, 0, 1).adversarial, expected)
    size.assign([1.0, 0.0])
    np.testing.assert_allclose(attack(start, 0, 1).adversarial, [[-1, 1], [0, 0]])
    found = attack(start, 0, 1, size=2.0)
    np.testing.assert_allclose(found.adversarial, [[-2, 2]] * 2)


def _convolutional(dtype="float64"):
    """A small classifier with logits, smooth, of 6 x 6 pixels."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), dtype=dtype),
            keras.layers.Conv2D(4, 3, activation="tanh", dtype=dtype),
            keras.layers.Flatten(dtype=dtype),
            keras.layers.Dense(5, dtype=dtype),
        ]
    )


@pytest.mark.parametrize(
    ("objective", "classes"),
    [(objectives.cross_entropy, [[3, 1]]), (objectives.log_odds, [[3, 1], [0, 4]])],
)
def test_gradient_of_a_convolutional_network_is_that_of_central_differences(
    objective, classes
):
    value = objective(_convolutional())
    images = np.random.default_rng(3).random((2, 6, 6, 1))
    points = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = value(points, *classes)
    gradient = tape.gradient(total, points).numpy().reshape(2, 36)
    moved = 1e-5 * np.eye(36).reshape(36, 1, 6, 6, 1)
    for image, found, *own in zip(images, gradient, *classes, strict=True):
        above, below = (
            value(np.reshape(image + sign * moved, (36, 6, 6, 1)), *own)
            for sign in (1, -1)
        )
        expected = (above - below).numpy() / 2e-5
        error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
        assert error < 1e-5


def test_images_are_attacked_through_a_keras_model():
    classifier = _convolutional("float32")
    images = np.random.default_rng(4).random((8, 6, 6, 1), np.float32)
    labels = np.argmax(classifier(images), axis=1)
    attack = attacks.step_sign(classifier, size=0.25, bounds=(0, 1))
    result = attack(images, labels)
    before = objectives.cross_entropy(classifier)(images, labels)
    assert np.all(result.objective > before)
    np.testing.assert_array_equal(result.converged, [True] * 8)
    changes = np.abs(result.adversarial - images)
    assert np.max(changes) <= 0.25 + 1e-6
    loss = keras.losses.sparse_categorical_crossentropy(
        labels, classifier(result.adversarial), from_logits=True
    )
    np.testing.assert_allclose(result.objective, loss, rtol=1e-5)


def test_examples_that_are_not_finite_are_reported_alone():
    attack = attacks.SingleStep(
        lambda x: tf.reduce_sum(tf.sqrt(x), axis=1), size=0.1, bounds=(0, 9)
    )
    start = np.float32([[1, 4], [0, 1], [np.nan, 1]])
    result = attack(start)
    np.testing.assert_array_equal(result.finite, [True, False, False])
    np.testing.assert_allclose(result.adversarial[0], [1.05, 4.025], rtol=1e-6)
    # The slope at 0 is infinite: that number stays.
    np.testing.assert_allclose(result.adversarial[1], [0, 1.05], rtol=1e-6)
    np.testing.assert_array_equal(np.isfinite(result.objective), [True, True, False])


def test_an_objective_that_is_constant_moves_nothing():
    attack = attacks.SingleStep(lambda x: 0 * x[:, 0], size=1.0, norm="l2")
    result = attack(START)
    np.testing.assert_array_equal(result.adversarial, START)
    np.testing.assert_array_equal(result.flat, [True])
    np.testing.assert_array_equal(result.converged, [False])


def test_one_trace_for_all_batches_sizes_and_classes():
    traced = []

    def classifier(points):
        traced.append(points.shape)
        return _linear(points)

    attack = attacks.step_fake(classifier, size=1.0)
    attack(np.zeros((4, 2)), [0, 1, 2, 0], 1)
    first = len(traced)
    for number in range(3):
        start = np.full((4, 2), number, np.float32)
        attack(start, [number] * 4, 2, size=float(number))
        attack(start, [2, 1, 0, 1], number, size=[1.0, 2.0, 3.0, number])
    assert len(traced) == first


def test_evaluations_and_types():
    made = tf.Variable(0)

    def objective(points):
        made.assign_add(tf.shape(points)[0])
        return tf.reduce_sum(points, axis=1)

    result = attacks.SingleStep(objective, size=1.0)(tf.zeros([5, 3], tf.float64))
    np.testing.assert_array_equal(result.evaluations, [2] * 5)
    assert int(made) == 10
    types = [field.dtype.name for field in result]
    assert types == ["float32", "float32", "int32", "bool", "bool", "bool"]


def test_adversarial_points_are_constants_of_a_loss():
    weight = tf.Variable([1.0, -2.0])
    attack = attacks.SingleStep(lambda x: tf.reduce_sum(weight * x, axis=1), size=1.0)
    with tf.GradientTape() as tape:
        result = attack([[0.0, 0.0]])
        loss = tf.reduce_sum(weight * result.adversarial) + result.objective[0]
    np.testing.assert_allclose(tape.gradient(loss, weight), [1, -2])


def test_classifiers_are_freed_with_the_attack():
    classifier = _convolutional("float32")
    attack = attacks.step_plain(classifier, size=1.0)
    attack(np.zeros((1, 6, 6, 1), np.float32), 0)
    seen = [weakref.ref(classifier), weakref.ref(attack)]
    del classifier, attack
    for _ in range(3):  # as in the tests of PGD
        gc.collect()
    assert [reference() for reference in seen] == [None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": -1}, "`size` must be finite and at least 0.*size=-1"),
        ({"direction": "up"}, "`direction` must be one of 'gradient', 'sign'.*'up'"),
        ({"norm": "linf"}, "`norm` must be one of None, 'l2'.*norm='linf'"),
        ({"bounds": (1, 0)}, r"`bounds` must be \(low, high\).*\(1, 0\)"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(options, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.step_plain(_linear, **{"size": 1.0} | options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("start", "options", "message"),
    [
        (np.zeros((3, 2), np.uint8), {}, "`start` must be floating.*by 255.*uint8"),
        (np.zeros((3, 2)), {"size": [1.0, 2.0]}, r"`size` must .*\[B\].*\(2,\) for 3"),
        (np.full((3, 2), 2.0), {}, r"`start` must lie within the bounds \[0, 1\]"),
    ],
)
def test_call_that_does_not_fit_is_one_line(start, options, message):
    attack = attacks.step_plain(_linear, size=1.0, bounds=(0, 1))
    with pytest.raises(ValueError, match=message) as error:
        attack(start, 0, **options)
    assert "\n" not in str(error.value)
