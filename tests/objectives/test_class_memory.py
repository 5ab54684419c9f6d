"""Memory of a teacher and its schedule, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import objectives


def test_schedule():
    progress = np.array([0, 0.25, 0.5, 0.75, 1])
    found = objectives.gaussian_ramp_up(progress)
    # Printed in the specification of Kuang et al. 2023, to 4 digits.
    expected = [0.00674, 0.0601, 0.2865, 0.7316, 1]
    np.testing.assert_allclose(found, expected, atol=5e-5)
    assert found.dtype == tf.float64
    assert float(objectives.gaussian_ramp_up(1)) == 1  # an integer
    assert np.all(np.diff(found) > 0)


def test_memory_of_a_constant_is_reached_geometrically():
    memory, means = tf.zeros([2, 3]), np.ones((2, 3))
    present = [True, False]
    for step in range(1, 5):
        memory = objectives.update_class_memory(memory, means, present, 0.5)
        np.testing.assert_array_equal(memory, [[1 - 0.5**step] * 3, [0.0] * 3])


@pytest.mark.parametrize(("momentum", "expected"), [(0, 5.0), (1, 2.0)])
def test_limits_of_the_momentum(momentum, expected):
    found = objectives.update_class_memory([[2.0]], [[5.0]], [True], momentum)
    assert found.numpy().tolist() == [[expected]]


def test_absent_class_keeps_its_memory_whatever_its_mean():
    means = [[np.nan], [1.0]]
    found = objectives.update_class_memory([[2.0], [3.0]], means, [False, True], 0.0)
    np.testing.assert_array_equal(found, [[2.0], [1.0]])


def test_no_gradient_flows_through_the_memory():
    memory, means = tf.ones([3, 2]), tf.constant([[0.0, 1.0], [2.0, 0.0], [1.0, 5.0]])
    student = tf.constant([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    with tf.GradientTape() as tape:
        tape.watch((student, means, memory))
        teacher = objectives.update_class_memory(memory, means, [True] * 3, 0.1)
        loss = objectives.rkd_structure(student, teacher)
    of_student, of_means, of_memory = tape.gradient(loss, (student, means, memory))
    assert np.any(of_student != 0)
    assert of_means is None
    assert of_memory is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0]], [[0.0, 1.0]], [True], 0.5), r"same shape.*\(1, 1\) and \(1, 2\)"),
        (([[0.0]], [[0.0]], [True, True], 0.5), r"truth values \[1\].*\(2,\)"),
        (([[0.0]], [[0.0]], [1], 0.5), r"truth values \[1\].*dtype=int32"),
        (([[0.0]], [[0.0]], [True], 1.5), r"`momentum` must be in \[0, 1\].*1.5"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        objectives.update_class_memory(*arguments)


@pytest.mark.parametrize("progress", [-0.1, 30, np.nan])
def test_progress_is_a_share(progress):
    with pytest.raises(ValueError, match=r"`progress` must be in \[0, 1\]"):
        objectives.gaussian_ramp_up(progress)
