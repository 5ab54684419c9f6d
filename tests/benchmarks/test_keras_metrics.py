import numpy as np
import pytest
import tensorflow as tf

from tfsemae import objectives
from tfsemae.benchmarks import keras_metrics


def test_discrepancy_of_differences_is_that_of_the_library():
    random = np.random.default_rng(0)
    codes = tf.constant(random.normal(0.3, 1, (7, 3)))  # float64
    prior_samples = tf.constant(random.normal(size=(5, 3)))
    found = []
    for function in (objectives.mmd, keras_metrics.mmd_of_differences):
        with tf.GradientTape() as tape:
            tape.watch(codes)
            value = function(codes, prior_samples)
        found.append((value, tape.gradient(value, codes)))
    (value, gradient), (expected, expected_gradient) = found
    assert float(value) == pytest.approx(float(expected), rel=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-9, atol=1e-14)
