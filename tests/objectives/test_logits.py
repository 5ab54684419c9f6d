"""Losses of logits: values by hand, SciPy, and changes of logits that are not seen."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfsemae import objectives

LOGITS = np.random.default_rng(0).normal(size=(20, 6))
OTHERS = np.random.default_rng(1).normal(size=(20, 6))
LABELS = np.arange(20) % 6
TARGETS = (LABELS + 1 + np.arange(20) % 5) % 6


def test_kl_equals_scipy():
    p, q = (scipy.special.softmax(each, axis=1) for each in (LOGITS, OTHERS))
    expected = scipy.special.rel_entr(p, q).sum(axis=1)
    found = objectives.kl_of_logits(LOGITS, OTHERS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_kl_of_certain_classes_is_finite():
    # The probability of the second class, exp(-200), is 0 in float32.
    found = objectives.kl_of_logits([[200.0, 0.0]], [[0.0, 200.0]])
    assert float(found[0]) == 200


def test_gradients_of_the_kl_flow_to_both_arguments():
    p, q = (scipy.special.softmax(each, axis=1) for each in (LOGITS, OTHERS))
    logits, others = tf.constant(LOGITS), tf.constant(OTHERS)
    with tf.GradientTape() as tape:
        tape.watch((logits, others))
        kl = objectives.kl_of_logits(logits, others)
    of_logits, of_others = tape.gradient(kl, (logits, others))
    np.testing.assert_allclose(of_others, q - p, atol=1e-14)
    difference = np.log(p / q)
    expected = p * (difference - kl.numpy()[:, np.newaxis])
    np.testing.assert_allclose(of_logits, expected, atol=1e-14)


def _lead(logits, labels):
    rows, rest = np.arange(len(logits)), logits.copy()
    rest[rows, labels] = -np.inf
    return logits[rows, labels] - rest.max(axis=1)


@pytest.mark.parametrize(
    ("logits", "loss"),
    [
        ([3, 1, 2], -51),  # a lead of 1, and 50
        ([0, 49, 2], -1),
        ([0, 50, 2], 0),
        ([0, 80, 2], 0),
    ],
)
def test_margin_by_hand(logits, loss):
    assert float(objectives.cw_margin(np.float64([logits]), [0])[0]) == loss


def test_margin_without_confidence_is_that_of_right_answers():
    found = objectives.cw_margin(LOGITS, LABELS, kappa=0.0)
    np.testing.assert_allclose(found, -np.maximum(_lead(LOGITS, LABELS), 0))


def test_ratio_equals_its_formula():
    ordered = -np.sort(-LOGITS, axis=1)
    expected = -_lead(LOGITS, LABELS) / (ordered[:, 0] - ordered[:, 2])
    np.testing.assert_allclose(objectives.dlr(LOGITS, LABELS), expected, rtol=1e-12)


def test_targeted_ratio_equals_its_formula():
    rows, ordered = np.arange(20), -np.sort(-LOGITS, axis=1)
    spread = ordered[:, 0] - ordered[:, 2:4].mean(axis=1)
    expected = (LOGITS[rows, TARGETS] - LOGITS[rows, LABELS]) / spread
    found = objectives.targeted_dlr(LOGITS, LABELS, TARGETS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_ratio_tells_right_from_wrong_answers():
    found = objectives.dlr(LOGITS, LABELS).numpy()
    right = LOGITS.argmax(axis=1) == LABELS
    assert 0 < right.sum() < 20
    assert np.all((found[right] >= -1) & (found[right] < 0))
    assert np.all(found[~right] > 0)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-3, 1e3), offset=st.floats(-100, 100))
def test_ratios_do_not_see_offset_and_scale_of_logits(scale, offset):
    moved = scale * LOGITS + offset
    # An offset of 100 beside a scale of 1e-3 costs 5 digits of 16.
    for found, expected in [
        (objectives.dlr(moved, LABELS), objectives.dlr(LOGITS, LABELS)),
        (
            objectives.targeted_dlr(moved, LABELS, TARGETS),
            objectives.targeted_dlr(LOGITS, LABELS, TARGETS),
        ),
    ]:
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


def test_equal_logits_give_no_ratio_that_is_not_finite():
    logits, labels = tf.ones([1, 5]), [2]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = [
            objectives.dlr(logits, labels),
            objectives.targeted_dlr(logits, labels, [1]),
        ]
    assert [float(value[0]) for value in values] == [0, 0]
    assert np.all(np.isfinite(tape.gradient(values, logits)))


@pytest.mark.parametrize(
    ("function", "least"),
    [(objectives.cw_margin, 2), (objectives.dlr, 3)],
)
def test_classes_and_labels_that_do_not_fit_are_refused(function, least):
    with pytest.raises(ValueError, match=f"at least {least} classes. Received: log"):
        function(np.zeros((2, least - 1)), [0, 0])
    function(np.zeros((2, least)), [0, 0])
    with pytest.raises(ValueError, match=f"`labels` must be 0 to {least - 1}"):
        function(np.zeros((2, least)), [0, least])


def test_targets_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least 4 classes"):
        objectives.targeted_dlr(np.zeros((1, 3)), [0], [1])
    with pytest.raises(ValueError, match=r"`targets` must be 0 to 3. Received: 4"):
        objectives.targeted_dlr(np.zeros((1, 4)), [0], [4])


def test_logits_of_two_numbers_of_classes_are_refused():
    with pytest.raises(ValueError, match="`logits` and `others` must have the same"):
        objectives.kl_of_logits(np.zeros((1, 3)), np.zeros((1, 4)))
