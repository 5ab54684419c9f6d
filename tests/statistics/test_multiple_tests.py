"""Holm's correction against a table by hand and its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsemae import statistics


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        # 4 * 0.005, 3 * 0.01, 2 * 0.03, then 0.04, which must not be below 0.06.
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        # 3 * 0.02; 2 * 0.02 and 0.9 follow.
        ([0.02, 0.9, 0.02], [0.06, 0.9, 0.06]),
        ([0.4, 0.5], [0.8, 0.8]),
        ([0.7, 0.8], [1.0, 1.0]),
        ([0.03], [0.03]),
    ],
)
def test_holm_by_hand(p_values, adjusted):
    # Products of float64.
    np.testing.assert_allclose(statistics.holm(p_values), adjusted, rtol=1e-12)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.floats(0.001, 0.5),
)
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values, alpha):
    # The procedure as Holm words it: reject from the smallest p-value on, until one
    # exceeds alpha over the number of hypotheses that are left.
    rejected = set()
    for left, i in zip(
        range(len(p_values), 0, -1), np.argsort(p_values, kind="stable"), strict=True
    ):
        if left * p_values[i] > alpha:
            break
        rejected.add(i)
    # Exactly: both compare the same products.
    assert set(np.flatnonzero(statistics.holm(p_values) <= alpha)) == rejected


def test_bad_p_values_are_refused():
    with pytest.raises(ValueError, match=r"Received: p_values.shape=\(0,\)"):
        statistics.holm([])
    with pytest.raises(ValueError, match=r"Received: p_values.shape=\(1, 1\)"):
        statistics.holm([[0.5]])
    for bad in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
            statistics.holm([0.5, bad])
