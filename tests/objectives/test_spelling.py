"""The loss of a speller against NumPy."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tfsemae import objectives

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(3, 4, 5)).astype(np.float32)
SYMBOLS = np.array([[1, 2, 3, 0], [4, 0, -1, -1], [0, -1, -1, -1]])


def test_it_is_the_sum_over_letters_that_are_no_padding():
    logs = special.log_softmax(LOGITS.astype(np.float64), axis=2)
    expected = [
        -sum(logs[row, t, symbol] for t, symbol in enumerate(word) if symbol >= 0)
        for row, word in enumerate(SYMBOLS)
    ]
    found = objectives.spelling_nll(SYMBOLS, LOGITS)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    # Keras hands targets over as floating numbers.
    again = objectives.spelling_nll(SYMBOLS.astype(np.float32), LOGITS)
    np.testing.assert_array_equal(found, again)


def test_of_a_guess_each_letter_costs_ln_of_their_number():
    found = objectives.spelling_nll(SYMBOLS, np.zeros((3, 4, 5)))
    np.testing.assert_allclose(found, math.log(5) * np.array([4, 2, 1]), rtol=1e-12)


def test_padding_has_no_gradient():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = objectives.spelling_nll(SYMBOLS, logits)
    slopes = tape.gradient(loss, logits).numpy()
    counted = SYMBOLS >= 0
    assert np.all(slopes[~counted] == 0)
    shares = special.softmax(LOGITS, axis=2)[counted]
    shares[np.arange(len(shares)), SYMBOLS[counted]] -= 1
    np.testing.assert_allclose(slopes[counted], shares, atol=1e-6)


def test_other_ranks_are_refused():
    with pytest.raises(ValueError, match=r"must be \[B, L, A\].*\(4, 5\)"):
        objectives.spelling_nll(SYMBOLS[0], LOGITS[0])
