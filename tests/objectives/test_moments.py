"""Mean and spread against values by hand and those of the prior."""

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import objectives


def test_by_hand():
    # Means 3 and 0; variances (4 + 0 + 4) / 2 and (1 + 1) / 2.
    codes = np.array([[1.0, -1.0], [3.0, 0.0], [5.0, 1.0]])
    found = objectives.moments_regularizer(codes)
    assert float(found) == pytest.approx(((9 + 1) + 0) / 2, rel=1e-11)


def test_scaled_and_moved_codes():
    codes = np.random.default_rng(0).normal(size=(50, 3))
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0, ddof=1)
    assert float(objectives.moments_regularizer(codes)) == pytest.approx(0, abs=1e-15)
    moved = objectives.moments_regularizer(3 * codes - 0.5)
    assert float(moved) == pytest.approx(0.25 + 4, rel=1e-11)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0])
def test_constant_codes_have_a_finite_gradient(value):
    codes = tf.fill([64, 2], value)
    with tf.GradientTape() as tape:
        tape.watch(codes)
        found = objectives.moments_regularizer(codes)
    # (0 - 1)**2, the root of 1e-12 aside.
    assert float(found) == pytest.approx(value**2 + 1, rel=1e-5)
    # That of the mean, over 64 rows and 2 features; rounding of the mean, 1e-8, is
    # enlarged by 1e6 / 64 / 2.
    np.testing.assert_allclose(
        tape.gradient(found, codes), np.full((64, 2), 2 * value / 128), atol=1e-3
    )
