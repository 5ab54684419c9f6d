"""The rules that choose, on cases decided by hand."""

import numpy as np
import pytest

from tfsemae.experiments.ming2022 import choices, claims, plan
from tfsemae.statistics import Interval


def _psnr(vanilla, semantic):
    return {"vanilla": np.array(vanilla), "semantic": np.array(semantic)}


def test_form_with_the_highest_mean_of_those_off_the_plateau():
    psnr = {
        ("a", "x"): _psnr([30.0, 17.9], [30.0, 30.0]),  # one seed on the plateau
        ("b", "x"): _psnr([19.0, 20.0], [19.0, 20.0]),
        ("b", "y"): _psnr([21.0, 22.0], [18.1, 19.0]),
    }
    assert choices.choose_form(psnr) == ("b", "y")


def test_form_with_the_highest_mean_where_all_stay_on_the_plateau():
    psnr = {("a", "x"): _psnr([11.0], [12.0]), ("b", "x"): _psnr([11.0], [13.0])}
    assert choices.choose_form(psnr) == ("b", "x")


def _effects(psnr, silhouette=0.1, ssim=0.0, knn=1.0, width=0.01):
    values = {"psnr": psnr, "ssim": ssim, "silhouette": silhouette, "knn_accuracy": knn}
    return {
        key: Interval(value, value - width, value + width)
        for key, value in values.items()
    }


def test_smallest_weight_at_which_both_claims_hold():
    effects = {
        0.01: _effects(0.0, silhouette=-0.1),  # free, but no tighter
        0.1: _effects(-0.3),
        1.0: _effects(-0.1),
        10.0: _effects(-4.0),
    }
    assert choices.choose_weight(effects) == 0.1


def test_weight_that_breaks_claim_1_least_where_none_keeps_it():
    effects = {
        0.01: _effects(0.0, silhouette=-0.1),
        0.1: _effects(-2.0),
        # 1 dB is twice its margin, 3 points are three times theirs.
        1.0: _effects(-1.0, ssim=-3.0),
        10.0: _effects(-6.0),
    }
    assert choices.choose_weight(effects) == 1.0


@pytest.mark.parametrize(
    ("found", "claim", "verdict"),
    [
        (_effects(0.48), 1, "holds"),
        (_effects(0.5), 1, "undecided"),
        (_effects(0.52), 1, "does not hold"),
        (_effects(0.0, ssim=-1.5), 1, "does not hold"),
        (_effects(9.0), 2, "holds"),
        (_effects(0.0, silhouette=0.005), 2, "undecided"),
        (_effects(0.0, knn=0.0), 2, "holds"),
        (_effects(0.0, knn=-0.005), 2, "undecided"),
        (_effects(0.0, knn=-0.5), 2, "does not hold"),
    ],
)
def test_verdicts_at_the_margins(found, claim, verdict):
    # Margins of 0.5 dB and 1 point; the intervals reach 0.01 to either side.
    assert claims.verdict(found, claim) == verdict


def test_effects_are_paired_by_seed():
    vanilla = {key: np.array([1.0, 5.0, 9.0]) for key in claims.TESTS}
    semantic = {key: values + 2 for key, values in vanilla.items()}
    # Equal differences leave no width, however far the seeds lie apart.
    assert set(claims.effects(semantic, vanilla).values()) == {Interval(2, 2, 2)}


def test_at_least_six_weights_logarithmic():
    weights = plan.SCALES["full"].weights
    assert len(weights) >= 6
    steps = np.diff(np.log10(weights))
    # Each four times the one before, rounded to two digits.
    np.testing.assert_allclose(steps, np.log10(4), atol=0.01)
