"""Random numbers that do not depend on batches, of known distributions."""

import numpy as np
import pytest
import scipy.stats

from tfsemae.evaluation import draws

_STREAMS = [
    lambda seed: draws.normal(seed, (2, 3)),
    lambda seed: draws.uniform(seed, (2, 3)),
    lambda seed: draws.in_unit_ball(seed, (2, 3), "l2"),
    lambda seed: draws.in_unit_ball(seed, (2, 3), "linf"),
]


@pytest.mark.parametrize("begin", _STREAMS)
def test_an_example_has_the_same_numbers_in_any_batch(begin):
    whole = begin([5, 1])(100)
    stream = begin([5, 1])
    parts = np.concatenate([stream(count) for count in (1, 32, 7, 60)])
    np.testing.assert_array_equal(parts, whole)
    assert whole.shape == (100, 2, 3)
    assert whole.dtype == np.float32
    assert np.any(begin([5, 2])(100) != whole)


@pytest.mark.parametrize(
    ("begin", "distribution"),
    [
        (_STREAMS[0], scipy.stats.norm()),
        (_STREAMS[1], scipy.stats.uniform()),
        (_STREAMS[3], scipy.stats.uniform(-1, 2)),
    ],
)
def test_numbers_have_the_distribution(begin, distribution):
    found = begin([0])(500).ravel()
    assert scipy.stats.kstest(found, distribution.cdf).pvalue > 0.01


def test_points_of_the_l2_ball_have_uniform_lengths_and_directions():
    points = _STREAMS[2]([0])(2000).reshape(2000, 6)
    lengths = np.linalg.norm(points, axis=1)
    assert scipy.stats.kstest(lengths, scipy.stats.uniform().cdf).pvalue > 0.01
    # The square of one of 6 coordinates of a direction is Beta(1/2, 5/2).
    squares = (points[:, 0] / lengths) ** 2
    assert scipy.stats.kstest(squares, scipy.stats.beta(0.5, 2.5).cdf).pvalue > 0.01
