"""Areas and intervals of attacked networks against numbers worked out by hand."""

import numpy as np
import pytest
from scipy import stats

from tfsemae import metrics, statistics
from tfsemae.experiments import intervals
from tfsemae.experiments.lu2023 import areas
from tfsemae.experiments.lu2023.areas import SCORES, Comparison, Measurements
from tfsemae.statistics import Interval


@pytest.fixture
def run(latent_attack, tmp_path):
    """Measurements of an attack of a slope, see `latent_attack`."""

    def make(slope, **options):
        name = f"{slope}_{len(list(tmp_path.iterdir()))}"
        return Measurements(latent_attack(tmp_path / name, slope, **options))

    return make


def _area(statistic, examples):
    return statistic(np.ones((1, examples))).item()


@pytest.mark.parametrize(
    ("score", "means", "base", "area"),
    # Lu 2023: curves at the radii 0, 1 and 2.
    [
        ("ssim", [1, 0.5, 0.25], 0.25, 0.625),
        ("lpips_squeeze", [0, 0.1, 0.3], 0.3, 0.35),
        # 20, 10 dB from radius 1 on: without error it is infinite.
        ("psnr", [0, 0.01, 0.1], 10.0, 5.0),
    ],
)
def test_areas_of_known_curves(score, means, base, area):
    scales = np.array([0.5, 1.0, 1.5])  # of the examples, 1 on average
    values = np.multiply.outer(means, scales)
    statistic = areas.area_statistic(np.arange(3.0), values, base, SCORES[score])
    assert _area(statistic, 3) == pytest.approx(area)


def test_psnr_is_of_the_error_over_all_images():
    errors = np.array([[0.0, 0.0], [0.001, 0.199], [0.1, 0.1]])
    statistic = areas.area_statistic(np.arange(3.0), errors, 0.0, SCORES["psnr"])
    assert _area(statistic, 2) == pytest.approx(10)  # 10 dB at both radii
    assert statistic(np.array([[2.0, 0.0]])).item() == pytest.approx((30 + 10) / 2)


def test_an_error_below_rounding_is_100_db_and_none_is_infinite_at_radius_0():
    errors = np.array([1e-12, 0.0, 0.01])
    assert areas.psnr(np.arange(3.0), errors).tolist() == [np.inf, 100, 20]
    assert areas.psnr(np.arange(1.0, 4.0), errors).tolist() == [100, 100, 20]


def test_damage_has_the_sign_of_the_difference_of_areas_on_the_same_resamples(run):
    networks = {"a": [run(0.1)], "b": [run(0.2)]}
    ends = ("a", "pgd"), ("b", "pgd")
    compared = Comparison(networks)
    found = compared.less_damage(*ends, "ssim", "absolute")
    radii, first = networks["a"][0].curve("ssim", "pgd", "absolute")
    _, second = networks["b"][0].curve("ssim", "pgd", "absolute")
    areas_apart = metrics.area_difference_interval(
        radii, first, second, higher_is_better=True, seed=0
    )
    damage = np.trapezoid(1 - second, radii, axis=0).mean()
    assert found.effect == pytest.approx(100 * areas_apart.effect / damage)
    # Of both the images count alike: half the damage in each resample.
    assert found == pytest.approx(Interval(50, 50, 50))
    reversed_ = compared.less_damage(*reversed(ends), "ssim", "absolute")
    assert reversed_ == pytest.approx(Interval(-100, -100, -100))


def test_damage_of_a_radius_is_that_of_its_images(run):
    compared = Comparison({"a": [run(0.1), run(0.15)], "b": [run(0.2), run(0.2)]})
    found = compared.less_damage(
        ("a", "noise"), ("b", "pgd"), "ssim", "absolute", radius=3.0
    )
    # By noise half as fast: 75 and 62.5 % less, joined over seeds.
    assert found == pytest.approx(Interval(68.75, 62.5, 75))


def test_paired_images_leave_no_interval_where_unpaired_ones_would(run):
    """What images do to both networks alike cancels in each resample."""
    compared = Comparison({"a": [run(0.1)], "b": [run(0.2)]})
    paired = compared.less_damage(("a", "pgd"), ("b", "pgd"), "ssim", "absolute")
    alone = compared.areas("a", "ssim", "absolute")[0]
    assert paired.high - paired.low < 1e-9 < alone.high - alone.low


def test_grids_count_radii_by_themselves_and_by_the_spread(run):
    measured = run(0.1, spread=4.0)
    radii, values = measured.curve("mse", "pgd", "relative")
    assert radii.tolist() == [0, 0.5, 1]
    radii, absolute = measured.curve("mse", "pgd", "absolute")
    assert radii.tolist() == [0, 1, 3]
    # Half a spread is a radius of 2, and damage grows with its square.
    np.testing.assert_allclose(values[1], 4 * absolute[1])


def test_base_line_is_the_worst_point_of_all_networks(run):
    compared = Comparison({"a": [run(0.1)], "b": [run(0.2), run(0.05)]})
    worst = compared.groups["b"][0].array("strong_epsilon3", "ssim").mean()
    assert compared.base("ssim", "absolute") == pytest.approx(worst)


def test_a_score_counts_where_all_runs_have_it(run):
    with_lpips = {"quantities": ("lpips_squeeze",)}
    assert Comparison({"a": [run(0.1)], "b": [run(0.2, **with_lpips)]}).scores == [
        *("ssim", "psnr")
    ]
    both = Comparison({"a": [run(0.1, **with_lpips)], "b": [run(0.2, **with_lpips)]})
    assert both.scores == ["lpips_squeeze", "ssim", "psnr"]


def test_other_images_are_refused(run):
    with pytest.raises(ValueError, match="compared on the same images"):
        Comparison({"a": [run(0.1)], "b": [run(0.1, examples=11)]})


def test_excess_is_in_percent_of_the_other_area(run):
    compared = Comparison({"a": [run(0.1)], "b": [run(0.2)]})
    first, second = (compared.areas(g, "ssim", "absolute")[0].effect for g in "ab")
    found = compared.excess("a", "b", 0, "ssim", "absolute")
    assert _area(found, 12) == pytest.approx(100 * (first / second - 1))


@pytest.mark.parametrize("score", ["ssim", "lpips_squeeze"])
def test_damage_in_percent_has_no_base_line(run, score):
    def attacked(slope):
        return run(slope, quantities=("lpips_squeeze",))

    groups = {"a": [attacked(0.1)], "b": [attacked(0.2)]}
    for further in ({}, {"worst": [attacked(0.3)]}):  # which is the base line
        compared = Comparison(groups | further)
        ends = ("a", "pgd"), ("b", "pgd")
        found = compared.damage_reduction(*ends, 0, score, "absolute")
        assert _area(found, 12) == pytest.approx(50)  # half the slope


def test_spearman_is_that_of_scipy_and_0_of_equal_numbers():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, (2, 20))
    assert areas.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert areas.spearman([1, 2], [3, 3]) == 0


def test_rank_correlation_of_weights_and_areas(run):
    compared = Comparison({slope: [run(slope)] for slope in (0.1, 0.2, 0.3)})
    weights = {0.1: [1.0], 0.2: [5.0], 0.3: [50.0]}
    # Larger slopes have smaller areas in each resample.
    assert compared.spearman(weights, "ssim", "relative") == Interval(-1, -1, -1)


def test_hull_lies_beyond_a_bound_where_each_seed_does():
    seeds = [Interval(1.0, 0.5, 1.5), Interval(2.0, 0.1, 2.1), Interval(3.0, 2.0, 4.0)]
    assert intervals.hull(seeds) == Interval(2.0, 0.1, 4.0)


def test_difference_of_independent_effects_has_the_normal_interval():
    # Half widths add like errors: 3, 4 and 5.
    found = intervals.independent_difference(Interval(10, 7, 13), Interval(2, -2, 6))
    assert found == pytest.approx(Interval(8, 3, 13))


def test_total_variance_of_resamples():
    from tfsemae.experiments.lu2023.table1_claims import total_variance

    points = np.random.default_rng(0).normal(5, 1, (6, 3))
    counts = np.array([[1.0] * 6, [2, 0, 1, 1, 2, 0]])
    expected = [
        np.repeat(points, row.astype(int), axis=0).var(axis=0).sum() for row in counts
    ]
    np.testing.assert_allclose(total_variance(points)(counts), expected)


def test_intervals_share_their_resamples():
    values = np.random.default_rng(0).normal(size=30)
    mean = statistics.mean_statistic(values)
    expected = statistics.bootstrap_interval(mean, 30, seed=0, resamples=1000)
    assert intervals.interval(mean, 30) == expected
