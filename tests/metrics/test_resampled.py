"""Measures of resampled latents against the measures of those latents."""

import numpy as np
import pytest

from tfsemae import metrics, statistics


def _latents(seed=0, n=60, shift=1.5, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return rng.normal(size=(n, 4)) + shift * labels[:, np.newaxis], labels


def _scatter_less_chance(latents, labels):
    classes = len(np.unique(labels))
    chance = (classes - 1) / (len(labels) - classes)
    return metrics.scatter_ratio(latents, labels) - chance


MEASURES = [
    (metrics.silhouette_statistic, metrics.silhouette),
    (metrics.scatter_ratio_statistic, _scatter_less_chance),
]


@pytest.mark.parametrize(("statistic", "measure"), MEASURES)
def test_each_example_once_is_the_measure_itself(statistic, measure):
    latents, labels = _latents()
    (found,) = statistic(latents, labels)(np.ones((1, 60)))
    assert found == pytest.approx(measure(latents, labels))


@pytest.mark.parametrize(("statistic", "measure"), MEASURES)
def test_counts_of_zero_and_one_select(statistic, measure):
    latents, labels = _latents()
    counts = np.random.default_rng(5).integers(0, 2, (3, 60))
    found = statistic(latents, labels)(counts.astype(float))
    expected = [measure(latents[row == 1], labels[row == 1]) for row in counts]
    np.testing.assert_allclose(found, expected)


def test_scatter_of_copies_is_that_of_the_repeated_latents():
    latents, labels = _latents()
    # As many copies of each: as many effective latents as there are.
    (found,) = metrics.scatter_ratio_statistic(latents, labels)(np.full((1, 60), 3.0))
    repeated = metrics.scatter_ratio(latents.repeat(3, 0), labels.repeat(3))
    assert found == pytest.approx(repeated - 2 / (60 - 3))


def test_silhouette_of_copies_by_hand():
    # Class 0 at 0 and 1, class 1 at 3 and 5; the first latent twice, the last never.
    latents, labels = np.array([[0.0], [1.0], [3.0], [5.0]]), np.array([0, 0, 1, 1])
    (found,) = metrics.silhouette_statistic(latents, labels)(np.array([[2.0, 1, 1, 0]]))
    # a = 1, b = 3, twice (its copy does not count); a = 1, b = 2; alone: 0.
    assert found == pytest.approx((2 * (2 / 3) + 1 / 2 + 0) / 4)


def test_silhouette_where_a_class_is_not_drawn():
    latents, labels = _latents(n=12)
    counts = (labels != 2)[np.newaxis].astype(float)
    (found,) = metrics.silhouette_statistic(latents, labels)(counts)
    expected = metrics.silhouette(latents[labels != 2], labels[labels != 2])
    assert found == pytest.approx(expected)
    (found,) = metrics.silhouette_statistic(latents, labels)(1.0 * (labels == 1)[None])
    assert found == 0  # there is no other class


@pytest.mark.parametrize(("statistic", "measure"), MEASURES)
def test_labels_of_one_class_are_refused(statistic, measure):
    del measure
    with pytest.raises(ValueError, match="at least 2 classes"):
        statistic(np.eye(3), [1, 1, 1])


@pytest.mark.parametrize(("statistic", "measure"), MEASURES)
@pytest.mark.parametrize("shift", [0.1, 1.0])
def test_intervals_hold_the_truth_about_as_often_as_they_say(statistic, measure, shift):
    # The truth is the measure of very many latents. Two classes: the nearest of several
    # others biases the silhouette. Where they hardly differ chance counts most.
    truth = measure(*_latents(seed=1, n=3000, shift=shift, classes=2))
    held = 0
    for seed in range(40):
        latents, labels = _latents(seed=100 + seed, n=150, shift=shift, classes=2)
        found = statistics.bootstrap_interval(
            statistic(latents, labels), 150, seed=0, resamples=200
        )
        held += found.low <= truth <= found.high
    # Of 40 at 95 %, 33 and more but once in 5,000 times.
    assert held >= 33
