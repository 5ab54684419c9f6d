"""Structure of classes: values by hand, motions that change nothing, absent classes."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfsemae import objectives

CORNER = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
EQUILATERAL = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
LOSSES = [
    objectives.rkd_distance,
    objectives.rkd_angle,
    objectives.rkd_structure,
    objectives.gram_structure,
]
each = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)


# Values that were computed for the specification of Kuang et al. 2023.


def test_right_angle_beside_an_equilateral_triangle():
    arguments = CORNER, EQUILATERAL
    assert float(objectives.rkd_distance(*arguments)) == pytest.approx(
        0.0098124, abs=5e-8
    )
    assert float(objectives.rkd_angle(*arguments)) == pytest.approx(0.0124365, abs=5e-8)
    assert float(objectives.rkd_structure(*arguments)) == pytest.approx(
        0.0569344, abs=1e-7
    )


def test_large_differences_count_linearly():
    # Distances 1, 1, 2 and angles 0, 180, 0 degrees, against 60 everywhere.
    line = np.array([[0.0], [1.0], [2.0]])
    distance = (4 * 0.5 * 0.25**2 + 2 * 0.5 * 0.5**2) / 9
    angle = 2 * (2 * 0.5 * 0.5**2 + (1.5 - 0.5)) / 27
    assert float(objectives.rkd_distance(line, EQUILATERAL)) == pytest.approx(distance)
    assert float(objectives.rkd_angle(line, EQUILATERAL)) == pytest.approx(angle)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    classes=st.integers(2, 6),
    width=st.integers(2, 5),
    scale=st.floats(1e-3, 1e3),
    offset=st.floats(-100, 100),
)
def test_teacher_that_is_turned_moved_and_scaled_is_reached(
    seed, classes, width, scale, offset
):
    random = np.random.default_rng(seed)
    teacher = random.normal(size=(classes, width))
    rotation = scipy.stats.ortho_group.rvs(width, random_state=seed)
    student = scale * teacher @ rotation + offset
    # An offset of 100 beside a scale of 1e-3 costs 5 digits, of 16; squares.
    found = objectives.rkd_structure(student, teacher)
    assert float(found) == pytest.approx(0, abs=1e-15)
    other = random.normal(size=(classes, width))
    moved = objectives.rkd_structure(student, other)
    assert float(moved) == pytest.approx(
        float(objectives.rkd_structure(teacher, other)), rel=1e-7, abs=1e-12
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), classes=st.integers(2, 6), width=st.integers(2, 5))
def test_gram_does_not_see_rotation_and_norms(seed, classes, width):
    random = np.random.default_rng(seed)
    words = random.normal(size=(classes, width))
    rotation = scipy.stats.ortho_group.rvs(width, random_state=seed)
    student = np.exp(random.normal(size=(classes, 1))) * words @ rotation
    assert float(objectives.gram_structure(student, words)) == pytest.approx(
        0, abs=1e-20
    )


def test_gram_by_hand():
    student = [[1.0, 0.0], [-2.0, 0.0], [0.0, 3.0]]  # cosines -1, 0, 0
    words = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]  # 1, 1, 1
    found = objectives.gram_structure(student, words)
    assert float(found) == pytest.approx((4 + 1 + 1) / 3, rel=1e-6)


@each
def test_absent_classes_are_left_out_of_both_sides(loss):
    random = np.random.default_rng(0)
    student, teacher = random.normal(size=(6, 4)), random.normal(size=(6, 5))
    present = np.array([True, False, True, True, False, True])
    expected = float(loss(student[present], teacher[present]))
    assert expected > 1e-3
    student[~present], teacher[~present] = np.nan, np.inf
    student, teacher = map(tf.constant, (student, teacher))
    with tf.GradientTape() as tape:
        tape.watch((student, teacher))
        found = loss(student, teacher, present)
    assert float(found) == pytest.approx(expected, rel=1e-12)
    for gradient in tape.gradient(found, (student, teacher)):
        assert np.all(np.isfinite(gradient))
        assert np.all(gradient.numpy()[~present] == 0)
        assert np.all(np.any(gradient.numpy()[present] != 0, axis=1))


@each
@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_classes_have_no_structure(loss, count):
    student, teacher = np.eye(3), np.eye(3)[::-1].copy()
    assert float(loss(student, teacher, np.arange(3) < count)) == 0


@each
def test_classes_that_coincide_have_a_finite_gradient(loss):
    student = tf.ones([4, 3])
    with tf.GradientTape() as tape:
        tape.watch(student)
        value = loss(student, np.eye(4))
    assert np.isfinite(value)
    assert np.all(np.isfinite(tape.gradient(value, student)))


def test_descent_takes_the_shape_of_the_teacher():
    student = tf.Variable(CORNER)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = objectives.rkd_structure(student, EQUILATERAL)
        student.assign_sub(tape.gradient(loss, student))
        return loss

    for _ in range(100):
        loss = step()
    assert float(loss) < 1e-6
    edges = student.numpy() - np.roll(student.numpy(), 1, axis=0)
    sides = np.linalg.norm(edges, axis=1)
    np.testing.assert_allclose(sides / sides.mean(), 1, atol=0.01)


def test_means_of_classes_by_hand():
    codes = np.array([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.0]])
    means, present = objectives.class_means(codes, [3, 0, 3], classes=4)
    assert means.dtype == tf.float64
    np.testing.assert_array_equal(means, [[3, 4], [0, 0], [0, 0], [0, 1]])
    np.testing.assert_array_equal(present, [True, False, False, True])


@each
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(3), np.eye(2)), r"equally many rows.*Received: 3 and 2"),
        ((np.eye(3), np.eye(3), [True]), r"truth values \[3\].*present.shape=\(1,\)"),
        ((np.eye(3), np.eye(3), [1, 0, 1]), r"present.dtype=int32"),
    ],
)
def test_what_does_not_fit_is_refused(loss, arguments, message):
    with pytest.raises(ValueError, match=message):
        loss(*arguments)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 4], 4, "must be 0 to 3. Received: 4"),
        ([0], 4, r"integers \[2\]"),
        ([0, 0], 0, "`classes` must be at least 1. Received: classes=0"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        objectives.class_means(np.eye(2), labels, classes)
