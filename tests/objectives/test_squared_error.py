"""Half the squared error: by hand, and as the likelihood of SciPy."""

import numpy as np
import pytest
import scipy.stats

from tfsemae import objectives


def test_it_is_a_sum_over_all_numbers_of_an_example():
    images = np.zeros((2, 28, 28, 1), np.float32)
    reconstructions = np.full_like(images, 0.5)
    reconstructions[1] = 1
    found = objectives.half_squared_error(images, reconstructions)
    np.testing.assert_allclose(found, [784 / 8, 784 / 2], rtol=1e-6)


def test_with_a_constant_it_is_the_negative_logarithm_of_a_normal_density():
    x, mean = np.random.default_rng(0).normal(size=(2, 3, 7))
    expected = -np.sum(scipy.stats.norm.logpdf(x, mean), axis=1)
    found = objectives.half_squared_error(x, mean) + 7 / 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_shapes_that_differ_are_refused():
    ones = np.ones((2, 3), np.float32)
    message = r"`a` and `b` must have the same.*\(2, 3\).*\(1, 3\)"
    with pytest.raises(ValueError, match=message):
        objectives.half_squared_error(ones, ones[:1])
