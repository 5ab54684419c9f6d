"""Distortion-distortion curves and their areas against closed forms."""

import numpy as np
import pytest

from tfsemae import metrics

GRID = np.arange(13) * 0.25


def _ssim_like(examples=40, seed=0):
    """Scores `[13, N]` that fall from 1, each example at its own rate."""
    rates = np.random.default_rng(seed).uniform(0.2, 1.5, examples)
    return np.exp(-GRID[:, np.newaxis] * rates)


def _area(epsilons, scores, base, higher_is_better=True):
    return metrics.area_to_base_line(
        epsilons, scores, base, higher_is_better=higher_is_better
    )


def test_curve_is_mean_and_deviation_over_examples():
    curve = metrics.distortion_curve([0, 0.5], [[1, 1, 1, 1], [0, 0, 1, 1]])
    np.testing.assert_array_equal(curve.epsilons, [0, 0.5])
    np.testing.assert_array_equal(curve.mean, [1, 0.5])
    np.testing.assert_array_equal(curve.deviation, [0, 0.5])


def test_known_areas():
    ssim = _area([0, 1, 2], [1, 0.5, 0.25], 0.25)
    np.testing.assert_allclose(ssim, [0.625, 0.3125])
    lpips = _area([0, 1, 2], [0, 0.1, 0.3], 0.3, higher_is_better=False)
    np.testing.assert_allclose(lpips, [0.35, 0.175])


@pytest.mark.parametrize("epsilons", [[0, 3], [0, 0.1, 2.9, 3], GRID])
def test_area_of_a_straight_line_does_not_depend_on_the_grid(epsilons):
    # From 1 - 0.2 * 0 to 1 - 0.2 * 3: a mean height of 0.7, on a range of 3.
    line = 1 - 0.2 * np.asarray(epsilons)
    np.testing.assert_allclose(_area(epsilons, line, 0), [2.1, 0.7])
    # The distance of the line upwards to 1 is a triangle of height 0.6.
    np.testing.assert_allclose(_area(epsilons, line, 1, False), [0.9, 0.3])


def test_area_of_examples_is_that_of_their_mean():
    scores, grid = _ssim_like(), GRID**1.5  # not equidistant
    expected = np.trapezoid(scores.mean(axis=1) - 0.1, grid)
    assert _area(grid, scores, 0.1).raw == pytest.approx(expected)
    assert _area(grid, scores.mean(axis=1), 0.1).raw == pytest.approx(expected)


def test_area_beyond_the_base_line_is_negative():
    assert _area([0, 1, 2], [1, 1, 1], 2).raw == pytest.approx(-2)


def test_scaling_of_epsilon_and_score():
    scores = _ssim_like()
    found, scaled = _area(GRID, scores, 0.1), _area(10 * GRID, 3 * scores, 0.3)
    assert scaled.raw == pytest.approx(30 * found.raw)
    assert scaled.normalized == pytest.approx(3 * found.normalized)


def test_base_line_is_the_worst_point_of_all_models():
    a, b = [[0, 0], [0.2, 0.4]], [[0.1, 0.1], [0.9, 0.1]]
    assert metrics.base_line(a, b, higher_is_better=False) == pytest.approx(0.5)
    assert metrics.base_line(a, higher_is_better=False) == pytest.approx(0.3)
    assert metrics.base_line(b, higher_is_better=True) == pytest.approx(0.1)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_difference_of_models_does_not_depend_on_a_common_base_line(higher_is_better):
    a, b = _ssim_like(seed=0), _ssim_like(seed=1)
    differences = [
        _area(GRID, a, base, higher_is_better).raw
        - _area(GRID, b, base, higher_is_better).raw
        for base in (-1, 0.2, 7)
    ]
    np.testing.assert_allclose(differences, differences[0])
    found = metrics.area_difference_interval(
        GRID, a, b, higher_is_better=higher_is_better, seed=0
    )
    assert found.effect == pytest.approx(differences[0])


def test_infinite_psnr_at_epsilon_0_is_left_out():
    psnr = np.array([[np.inf, np.inf], [30, 40], [20, 30]])
    curve = metrics.distortion_curve([0, 1, 3], psnr)
    np.testing.assert_array_equal(curve.epsilons, [1, 3])
    np.testing.assert_array_equal(curve.mean, [35, 25])
    assert metrics.base_line(psnr, higher_is_better=True) == 25
    np.testing.assert_allclose(_area([0, 1, 3], psnr, 25), [10, 5])
    found = metrics.area_interval(
        [0, 1, 3], psnr, 25, higher_is_better=True, seed=0, resamples=50
    )
    assert found.effect == pytest.approx(10)
    # The other model is finite at 0, and is compared from 1 on.
    found = metrics.area_difference_interval(
        [0, 1, 3], psnr, psnr.clip(max=90) - 1, higher_is_better=True, seed=0
    )
    np.testing.assert_allclose(found, 2)


def test_resampling_is_paired_and_repeats_with_the_seed():
    a = _ssim_like(seed=0)
    arguments = {"higher_is_better": False, "resamples": 200}
    found = metrics.area_difference_interval(GRID, a, a - 0.1, seed=3, **arguments)
    # Lower is better: the first is worse by 0.1 on a range of 3, whatever the sample.
    np.testing.assert_allclose(found, -0.3)
    b = _ssim_like(seed=1)
    first, again, other = (
        metrics.area_difference_interval(GRID, a, b, seed=seed, **arguments)
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other
    assert first.effect == other.effect


def test_band_has_the_mean_and_equal_resamples_at_each_epsilon():
    scores = _ssim_like()
    band = metrics.curve_band(GRID, scores, seed=0, resamples=200)
    effects = [interval.effect for interval in band]
    np.testing.assert_allclose(effects, scores.mean(axis=1))
    assert band[0] == (1, 1, 1)
    assert all(interval.low < interval.effect < interval.high for interval in band[1:])
    shifted = metrics.curve_band(
        GRID, 2 * scores[[5] * len(GRID)] + 1, seed=0, resamples=200
    )
    for interval in shifted:
        np.testing.assert_allclose(interval, 2 * np.array(band[5]) + 1)


def test_intervals_of_areas_cover_the_truth():
    # Standard normal scores over epsilons 0 and 2: areas are normal with a mean of 0.
    rng = np.random.default_rng(0)
    trials = 400
    covered = 0
    for trial in range(trials):
        found = metrics.area_interval(
            [0, 2],
            rng.normal(size=(2, 40)),
            0,
            higher_is_better=True,
            seed=trial,
            resamples=200,
            confidence=0.9,
        )
        covered += found.low <= 0 <= found.high
    # The share of 400 trials has a standard deviation of 0.015. Percentile intervals
    # of 40 examples fall short by about 0.01.
    assert covered / trials == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("epsilons", "message"),
    [
        ([-0.5, 1], r"not negative\. Received: \[-0\.5, 1\.0\]"),
        ([0, np.nan], r"finite and not negative\. Received: \[0\.0, nan\]"),
        ([0, np.inf], "finite and not negative"),
        ([1, 0], r"must increase, without repetition\. Received: \[1\.0, 0\.0\]"),
        ([1, 1], "must increase, without repetition"),
        ([], r"not be empty\. Received: epsilons\.shape=\(0,\)"),
        ([[0, 1]], r"shape \[E\].*Received: epsilons\.shape=\(1, 2\)"),
        ([0, 1, 2], r"row for each of the 3 epsilons\. Received: 2 rows"),
    ],
)
def test_epsilons_that_are_no_grid_are_refused(epsilons, message):
    scores = [[1.0, 1.0], [0.5, 0.5]]
    with pytest.raises(ValueError, match=message):
        metrics.distortion_curve(epsilons, scores)
    with pytest.raises(ValueError, match=message):
        _area(epsilons, scores, 0)


def test_a_single_epsilon_has_no_area():
    with pytest.raises(ValueError, match=r"at least two.*Received: \[1\.0\]"):
        _area([1], [[0.5, 0.5]], 0)
    with pytest.raises(ValueError, match=r"at least two.*Received: \[1\.0\]"):
        _area([0, 1], [[np.inf, 9], [8, 8]], 0)


def test_scores_that_are_none_are_refused():
    nan = np.ones((3, 4))
    nan[1, 2] = nan[2, 0] = np.nan
    message = r"`scores` must not be NaN\. Received: 2 of 12 .* first in row 1"
    with pytest.raises(ValueError, match=message):
        _area([0, 1, 2], nan, 0)
    with pytest.raises(ValueError, match=message):
        metrics.base_line(nan, higher_is_better=True)
    with pytest.raises(ValueError, match=r"`other_scores` must not be NaN"):
        metrics.area_difference_interval(
            [0, 1, 2], np.ones((3, 4)), nan, higher_is_better=True, seed=0
        )
    infinite = r"`scores` must not be infinite\. Received: 1 of 4 "
    for value, epsilons, row, higher_is_better in (
        (np.inf, [0, 1], 1, True),
        (np.inf, [0.5, 1], 0, True),  # only an attack of epsilon 0 has no error
        (-np.inf, [0, 1], 0, True),
        (np.inf, [0, 1], 0, False),
    ):
        scores = np.ones((2, 2))
        scores[row, 0] = value
        with pytest.raises(ValueError, match=infinite):
            _area(epsilons, scores, 0, higher_is_better)
    with pytest.raises(ValueError, match=r"must not be infinite"):
        metrics.distortion_curve([0], [[np.inf]])


def test_shapes_and_base_lines_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"\[E, N\] or \[E\].*=\(1, 2, 1\)"):
        _area([0], np.ones((1, 2, 1)), 0)
    with pytest.raises(ValueError, match=r"shape \[E, N\] and .*shape=\(2,\)"):
        metrics.area_interval([0, 1], [1, 1], 0, higher_is_better=True, seed=0)
    with pytest.raises(ValueError, match=r"not be empty.*shape=\(2, 0\)"):
        metrics.distortion_curve([0, 1], np.ones((2, 0)))
    with pytest.raises(ValueError, match=r"`base` must be finite\. Received: base=nan"):
        _area([0, 1], [1, 1], np.nan)
    with pytest.raises(ValueError, match="at least one model"):
        metrics.base_line(higher_is_better=True)
    with pytest.raises(ValueError, match="Received: 3 and 2 examples"):
        metrics.area_difference_interval(
            [0, 1], np.ones((2, 3)), np.ones((2, 2)), higher_is_better=True, seed=0
        )
    with pytest.raises(ValueError, match="`examples` must be at least 2"):
        metrics.curve_band([0, 1], np.ones((2, 1)), seed=0)
