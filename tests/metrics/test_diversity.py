import itertools

import numpy as np
import pytest

from tfsemae import metrics


def test_it_is_the_mean_over_all_pairs():
    examples = np.random.default_rng(0).normal(size=(9, 3, 2))
    pairs = itertools.combinations(examples, 2)
    expected = np.mean([np.linalg.norm(a - b) for a, b in pairs])
    assert metrics.mean_pairwise_distance(examples) == pytest.approx(expected)


def test_equal_examples_have_none():
    assert metrics.mean_pairwise_distance(np.full((5, 4), 0.3)) == 0


def test_of_independent_normal_numbers_it_is_known():
    # A difference has the variance 2 in each of 400 numbers; the mean of a chi
    # distribution of 400 is sqrt(399.5) up to 1e-3.
    examples = np.random.default_rng(0).normal(size=(200, 400))
    found = metrics.mean_pairwise_distance(examples)
    assert found == pytest.approx(np.sqrt(2 * 399.5), rel=0.01)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (np.zeros((1, 3)), "`examples` must be at least 2. Received: 1 of them"),
        (np.array([[0.0], [np.nan]]), "finite"),
    ],
)
def test_what_has_no_distance_is_refused(examples, message):
    with pytest.raises(ValueError, match=message):
        metrics.mean_pairwise_distance(examples)
