"""Two sets of latents: their spread, and whether a classifier tells them apart."""

import math

import numpy as np
import pytest

from tfsemae import metrics
from tfsemae.metrics import two_samples


def _normal(count, seed, width=3):
    return np.random.default_rng(seed).normal(size=(count, width))


@pytest.mark.parametrize("factor", [0.5, 2.0, 10.0])
def test_scaling_adds_the_logarithm_of_its_square(factor):
    latents = _normal(50, 0)
    moved = factor * latents + 7
    found = metrics.log_variance_ratio(moved, latents)
    assert found == pytest.approx(2 * math.log(factor), abs=1e-12)
    assert metrics.log_variance_ratio(latents, moved) == pytest.approx(-found)


def test_variances_add_over_features():
    # Two points at distance d have total variance d**2 / 4: here (9 + 16) / 4, 1 / 4.
    latents, reference = [[0.0, 0.0], [3.0, 4.0]], [[5.0, 5.0], [5.0, 6.0]]
    found = metrics.log_variance_ratio(latents, reference)
    assert found == pytest.approx(math.log(25))


def test_sets_of_equal_latents():
    point, cloud = np.full((4, 3), 0.1), _normal(4, 0)
    assert metrics.log_variance_ratio(point, cloud) == -math.inf
    assert metrics.log_variance_ratio(cloud, point) == math.inf
    assert math.isnan(metrics.log_variance_ratio(point, 2 * point))


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_no_square_leaves_the_range(scale):
    latents = _normal(50, 0)
    found = metrics.log_variance_ratio(3 * scale * latents, scale * latents)
    assert found == pytest.approx(math.log(9))


def test_sets_that_are_apart_are_told():
    found = metrics.two_sample_accuracy(
        _normal(40, 0), _normal(40, 1) + 100, _normal(10, 2), _normal(10, 3) + 100
    )
    assert found == 1.0


def test_sets_of_one_distribution_are_not_told():
    # The share of 4,000 guesses has a standard deviation of 0.008.
    sets = [_normal(2000, seed) for seed in range(4)]
    assert metrics.two_sample_accuracy(*sets) == pytest.approx(0.5, abs=0.04)


def test_equal_sets_are_right_by_half():
    train, tested = _normal(40, 0), _normal(10, 1)
    assert metrics.two_sample_accuracy(train, train, tested, tested) == 0.5


def test_it_is_the_probe_with_sets_as_classes():
    parts = [_normal(60, 0), _normal(60, 1) + 0.5, _normal(30, 2), _normal(30, 3) + 0.5]
    expected = metrics.linear_probe_accuracy(
        np.concatenate(parts[:2]),
        np.repeat([0, 1], 60),
        np.concatenate(parts[2:]),
        np.repeat([0, 1], 30),
    )
    assert metrics.two_sample_accuracy(*parts) == expected


def test_shapes_that_disagree_are_refused():
    with pytest.raises(ValueError, match=r"equally many features\. Received: 3 and 2"):
        metrics.log_variance_ratio(_normal(4, 0), _normal(4, 0, 2))
    four, three = _normal(4, 0), _normal(3, 0)
    with pytest.raises(ValueError, match="`train_latents` and `train_others`"):
        metrics.two_sample_accuracy(four, three, four, four)
    with pytest.raises(ValueError, match=r"`latents` and `others`.*\(4, 3\) and \(3"):
        metrics.two_sample_accuracy(four, four, four, three)
    bad = four.copy()
    bad[1] = np.nan
    with pytest.raises(ValueError, match="`others` must be finite"):
        metrics.two_sample_accuracy(four, four, four, bad)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 7.7])
def test_deviations_of_equal_latents_are_exactly_zero(value):
    latents = np.full((1000, 2, 3), value, np.float32)
    np.testing.assert_array_equal(two_samples.deviations(latents), np.zeros((2, 3)))


def test_deviations_far_from_the_origin():
    # Half of the numbers are 1 above the others.
    latents = 2e6 + np.arange(1000, dtype=np.float32)[:, np.newaxis] % 2
    np.testing.assert_allclose(two_samples.deviations(latents), [0.5], rtol=1e-12)
