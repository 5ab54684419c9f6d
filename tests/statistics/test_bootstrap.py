import numpy as np
import pytest
from scipy import stats

from tfsemae import metrics, statistics


def _latents(seed=0, n=60, shift=1.5, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return rng.normal(size=(n, 4)) + shift * labels[:, np.newaxis], labels


def test_interval_of_a_mean_is_that_of_the_normal_limit():
    values = np.random.default_rng(1).normal(5, 2, 2000)
    found = statistics.bootstrap_interval(
        statistics.mean_statistic(values), len(values), seed=0, resamples=4000
    )
    assert found.effect == pytest.approx(values.mean())
    half = stats.norm.ppf(0.975) * values.std() / np.sqrt(len(values))
    # 4,000 resamples place a percentile to about 3 % of the half width.
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_interval_widens_with_confidence_and_repeats_with_seed():
    statistic = statistics.mean_statistic(np.arange(50.0))
    narrow, wide, again = (
        statistics.bootstrap_interval(statistic, 50, seed=3, confidence=c)
        for c in (0.5, 0.99, 0.5)
    )
    assert wide.low < narrow.low < 24.5 < narrow.high < wide.high
    assert narrow == again


def test_pairing_cancels_what_both_share():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=300)
    a, b = statistics.mean_statistic(shared + 0.5), statistics.mean_statistic(shared)
    found = statistics.bootstrap_interval(lambda w: a(w) - b(w), 300, seed=0)
    np.testing.assert_allclose(found, 0.5)


def test_mean_is_over_what_is_finite():
    statistic = statistics.mean_statistic([1.0, np.nan, 3.0, np.inf])
    np.testing.assert_allclose(
        statistic(np.array([[1.0, 5, 1, 2], [3, 0, 1, 0]])), [2, 1.5]
    )


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


def test_what_can_not_be_is_refused():
    statistic = statistics.mean_statistic([1.0, 2.0])
    with pytest.raises(ValueError, match="`examples` must be at least 2"):
        statistics.bootstrap_interval(statistic, 1, seed=0)
    with pytest.raises(ValueError, match="`confidence` must be above 0"):
        statistics.bootstrap_interval(statistic, 2, seed=0, confidence=1)
    for make in (metrics.silhouette_statistic, metrics.scatter_ratio_statistic):
        with pytest.raises(ValueError, match="at least 2 classes"):
            make(np.eye(3), [1, 1, 1])


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
