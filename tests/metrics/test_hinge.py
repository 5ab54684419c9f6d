"""Fits of curves whose shape is known."""

import math

import numpy as np
import pytest

from tfsemae import metrics

X = np.linspace(0, 1, 41)


def _hinge(position, slope, level):
    return level + slope * np.minimum(X - position, 0)


@pytest.mark.parametrize(
    ("position", "slope", "level"), [(0.4, -2.0, 0.1), (0.05, -10.0, 0.0), (0.9, -1, 0)]
)
def test_a_hinge_is_found(position, slope, level):
    order = np.random.default_rng(0).permutation(len(X))
    y = _hinge(position, slope, level)
    found = metrics.fit_hinge(X[order], y[order])
    assert found.position == pytest.approx(position)
    assert found.slope == pytest.approx(slope)
    assert found.level == pytest.approx(level, abs=1e-12)
    assert found.rmse == pytest.approx(0, abs=1e-12)
    assert found.correlation == pytest.approx(-1)


def test_the_fit_is_the_least_squares_one():
    y = _hinge(0.5, -1.5, 0.2) + np.random.default_rng(0).normal(0, 0.05, len(X))
    found = metrics.fit_hinge(X, y)
    ramp = np.minimum(X - found.position, 0)
    slope, level = np.polyfit(ramp, y, 1)
    assert (found.slope, found.level) == pytest.approx((slope, level))
    error = np.sqrt(np.mean((level + slope * ramp - y) ** 2))
    assert found.rmse == pytest.approx(error)
    below = found.position >= X
    expected = np.corrcoef(X[below], y[below])[0, 1]
    assert found.correlation == pytest.approx(expected)
    # No other position of the grid is better.
    for position in (0.3, 0.45, 0.55, 0.7):
        ramp = np.minimum(X - position, 0)
        line = np.polyval(np.polyfit(ramp, y, 1), ramp)
        assert np.sqrt(np.mean((line - y) ** 2)) >= found.rmse


def test_points_outside_are_left_out():
    y = _hinge(0.4, -2.0, 0.1)
    x = np.concatenate([X, [1.5, -0.1]])
    assert metrics.fit_hinge(x, np.concatenate([y, [9.0, 9.0]])) == metrics.fit_hinge(
        X, y
    )


def test_a_level_has_no_slope():
    found = metrics.fit_hinge(X, np.full(len(X), 0.3))
    assert (found.slope, found.level, found.rmse) == pytest.approx((0, 0.3, 0))
    assert math.isnan(found.correlation)


def test_a_drop_is_fitted_by_the_logistic_curve_and_a_hinge_is_not():
    drop = 0.1 + 0.8 / (1 + np.exp((X - 0.45) / 0.03))
    assert metrics.logistic_rmse(X, drop) == pytest.approx(0, abs=1e-6)
    assert metrics.fit_hinge(X, drop).rmse > 0.05
    hinge = _hinge(0.5, -2.0, 0.0)
    assert metrics.logistic_rmse(X, hinge) > 0.005 > metrics.fit_hinge(X, hinge).rmse


def test_a_step_is_a_logistic_curve_of_no_width():
    step = np.where(X < 0.512, 1.0, 0.0)
    assert metrics.logistic_rmse(X, step) == pytest.approx(0, abs=1e-3)


def test_steepest_slope_is_that_of_the_bins():
    assert metrics.steepest_slope(X, 1 - X) == pytest.approx(1)
    step = np.where(X < 0.5, 1.0, 0.0)
    # Means of bins of 0.1 are 0.1 apart.
    assert metrics.steepest_slope(X, step) == pytest.approx(10)
    assert metrics.steepest_slope(X, step, width=2.0) == 0


@pytest.mark.parametrize(
    "fit", [metrics.fit_hinge, metrics.logistic_rmse, metrics.steepest_slope]
)
def test_what_cannot_be_fitted_is_refused(fit):
    with pytest.raises(ValueError, match=r"5 points in \[0, 1\]. Received: 4 of 5"):
        fit([0, 0.1, 0.2, 0.3, 1.1], np.zeros(5))
    with pytest.raises(ValueError, match="same shape"):
        fit(X, X[:3])
    with pytest.raises(ValueError, match="finite"):
        fit(X, np.full(len(X), np.nan))


def test_width_of_bins_is_checked():
    with pytest.raises(ValueError, match="`width` must be above 0"):
        metrics.steepest_slope(X, X, width=0)
