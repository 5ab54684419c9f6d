"""Intervals against SciPy and printed quantiles."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tfsemae import statistics


@pytest.mark.parametrize(
    ("n", "quantile"), [(2, 12.706), (5, 2.776), (10, 2.262), (31, 2.042)]
)
def test_half_width_is_the_quantile_of_the_printed_table(n, quantile):
    # Scaled to a mean of 3 and a standard error of 1.
    sample = np.arange(n, dtype=float)
    sample = 3 + (sample - sample.mean()) / sample.std(ddof=1) * np.sqrt(n)
    interval = statistics.t_interval(sample)
    # The table has three decimals.
    np.testing.assert_allclose(interval, (3, 3 - quantile, 3 + quantile), atol=5.1e-4)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_interval_equals_scipys(confidence):
    random = np.random.default_rng(0)
    semantic, vanilla = random.normal(25.1, 0.3, 5), random.normal(24.9, 0.2, 5)
    interval = statistics.t_interval(semantic - vanilla, confidence=confidence)
    expected = scipy.stats.ttest_rel(semantic, vanilla).confidence_interval(confidence)
    # float64 in both.
    np.testing.assert_allclose((interval.low, interval.high), expected, rtol=1e-12)
    assert interval.effect == pytest.approx(np.mean(semantic - vanilla), rel=1e-12)


@given(value=st.floats(-1e6, 1e6, allow_subnormal=False), n=st.integers(2, 20))
def test_interval_of_equal_differences_is_their_value(value, n):
    # Exactly: a mean or a deviation that is rounded would open the interval.
    assert statistics.t_interval([value] * n) == (value, value, value)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_interval_holds_its_effect_and_mirrors_with_the_sign(differences):
    interval = statistics.t_interval(differences)
    assert interval.low <= interval.effect <= interval.high
    mirrored = statistics.t_interval([-d for d in differences])
    assert mirrored == (-interval.effect, -interval.high, -interval.low)
    wider = statistics.t_interval(differences, confidence=0.99)
    assert wider.low <= interval.low
    assert interval.high <= wider.high


def test_interval_covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(0)
    samples = random.normal(1.0, 2.0, size=(1000, 5))
    intervals = [statistics.t_interval(s, confidence=0.8) for s in samples]
    covered = np.mean([i.low <= 1.0 <= i.high for i in intervals])
    # Four binomial standard deviations: 4 * sqrt(0.8 * 0.2 / 1000).
    assert covered == pytest.approx(0.8, abs=0.051)


def test_bad_differences_and_confidence_are_refused():
    with pytest.raises(ValueError, match=r"n at least 2.*shape=\(1,\)"):
        statistics.t_interval([0.5])
    with pytest.raises(ValueError, match=r"Received: differences.shape=\(2, 2\)"):
        statistics.t_interval([[0.5, 1.0], [1.5, 2.0]])
    with pytest.raises(ValueError, match=r"must be finite.*nan"):
        statistics.t_interval([0.5, np.nan])
    for confidence in (0.0, 1.0, 95):
        with pytest.raises(ValueError, match=f"Received: confidence={confidence}"):
            statistics.t_interval([0.5, 1.0], confidence=confidence)


def test_p_value_is_scipys():
    values = [0.3, -0.1, 0.7, 0.2, 0.4]
    expected = scipy.stats.ttest_1samp(values, 0.1).pvalue
    assert statistics.t_test(values, 0.1) == pytest.approx(expected, rel=1e-12)


def test_p_value_and_interval_agree():
    values = [0.3, -0.1, 0.7, 0.2, 0.4]
    low, high = statistics.t_interval(values)[1:]
    for bound in (low, high):
        assert statistics.t_test(values, bound) == pytest.approx(0.05, rel=1e-9)


def test_equal_differences_are_the_bound_or_not():
    assert statistics.t_test([0.1, 0.1, 0.1], 0.1) == 1.0
    assert statistics.t_test([0.1, 0.1, 0.1], 0.2) == 0.0


def test_a_test_of_one_difference_is_refused():
    with pytest.raises(ValueError, match="n at least 2"):
        statistics.t_test([0.1], 0.0)
