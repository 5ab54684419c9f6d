"""A probe with a hidden layer: what it can tell, and what nobody can."""

import numpy as np
import pytest

from tfsemae import metrics

RANDOM = np.random.default_rng(0)
POINTS = RANDOM.uniform(-1, 1, (1_500, 2))
QUADRANTS = (POINTS[:, 0] > 0).astype(int) + 2 * (POINTS[:, 1] > 0)
STATES = RANDOM.integers(4, size=1_500)


def _split(points, labels):
    return points[:1_000], labels[:1_000], points[1_000:], labels[1_000:]


def test_it_finds_what_is_not_linear():
    odd = (POINTS[:, 0] * POINTS[:, 1] > 0).astype(int)
    sets = _split(POINTS, odd)
    assert metrics.mlp_probe_accuracy(*sets, seed=0, passes=100) > 0.9
    assert metrics.linear_probe_accuracy(*sets) < 0.65


def test_it_finds_what_is_linear():
    sets = _split(1e3 + POINTS, QUADRANTS)
    assert metrics.mlp_probe_accuracy(*sets, seed=0) > 0.95


def test_of_features_that_tell_nothing_it_guesses():
    # 5 standard deviations of a share of 500.
    chance = pytest.approx(0.25, abs=5 * np.sqrt(3 / 16 / 500))
    assert metrics.mlp_probe_accuracy(*_split(POINTS, STATES), seed=0) == chance
    constant = np.ones_like(POINTS)
    assert metrics.mlp_probe_accuracy(*_split(constant, STATES), seed=0) == chance


def test_the_seed_gives_the_result():
    sets = _split(POINTS, QUADRANTS)
    first, again, other = (
        metrics.mlp_probe_accuracy(*sets, seed=seed, passes=2) for seed in (0, 0, 1)
    )
    assert first == again != other


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="train_labels"):
        metrics.mlp_probe_accuracy(*_split(POINTS, np.zeros(1_500, int)), seed=0)
