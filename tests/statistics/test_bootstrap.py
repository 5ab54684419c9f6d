"""Bootstrap intervals against the normal limit."""

import numpy as np
import pytest
from scipy import stats

from tfsemae import statistics


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


def test_what_cannot_be_is_refused():
    statistic = statistics.mean_statistic([1.0, 2.0])
    with pytest.raises(ValueError, match="`examples` must be at least 2"):
        statistics.bootstrap_interval(statistic, 1, seed=0)
    with pytest.raises(ValueError, match="`confidence` must be above 0"):
        statistics.bootstrap_interval(statistic, 2, seed=0, confidence=1)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 1.0])
def test_quantile_is_the_inverse_of_the_distribution(share):
    values = np.random.default_rng(2).permutation(40).astype(float)
    (found,) = statistics.quantile_statistic(values, share)(np.ones((1, 40)))
    assert found == np.quantile(values, share, method="inverted_cdf")


def test_quantile_follows_the_counts_and_takes_infinity():
    statistic = statistics.quantile_statistic([np.inf, 1.0, 3.0], 0.5)
    counts = np.array([[1.0, 1, 1], [2, 1, 0], [0, 2, 1]])
    np.testing.assert_array_equal(statistic(counts), [3, np.inf, 1])


def test_quantile_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"must not be NaN\. Received: 1 of 2"):
        statistics.quantile_statistic([1.0, np.nan], 0.5)
    with pytest.raises(ValueError, match="Received: share=0"):
        statistics.quantile_statistic([1.0], 0)
