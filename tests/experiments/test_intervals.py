"""Standard errors of seeds and images, against sums of known variances."""

import numpy as np
import pytest

from tfsemae.experiments import intervals

OF_SEED = np.array([1.0, 2.0, 6.0])  # variance 7
OF_EXAMPLE = np.array([-1.0, 0.0, 0.0, 1.0])  # variance 2/3


@pytest.mark.parametrize(
    ("values", "variance"),
    [
        (np.tile(OF_SEED[:, np.newaxis], 4), 7 / 3),
        (np.tile(OF_EXAMPLE, (3, 1)), (2 / 3) / 4),
        (OF_SEED[:, np.newaxis] + OF_EXAMPLE, 7 / 3 + (2 / 3) / 4),
        (np.ones((3, 4)), 0.0),
    ],
)
def test_standard_error_of_sums(values, variance):
    found = intervals.standard_error(values)
    assert found.effect == pytest.approx(values.mean())
    assert found.high - found.effect == pytest.approx(variance**0.5, abs=1e-12)
    assert found.effect - found.low == pytest.approx(variance**0.5, abs=1e-12)


def test_standard_error_of_noise_is_that_of_a_mean():
    noise = np.random.default_rng(0).normal(size=(100, 1000))
    found = intervals.standard_error(noise)
    # Of 100 seeds the error of the error is 7 %.
    assert found.high - found.effect == pytest.approx(100_000**-0.5, rel=0.2)
