"""Claims 1 and 2, and what settles loss, initialiser and weight, decided by hand."""

import numpy as np
import pytest
from scipy import stats

from tfsemae.experiments import artefacts
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ming2022 import plateau, runs, section3, table2, weight
from tfsemae.statistics import Interval


class Effects:
    """Differences to the vanilla network: weight -> key -> interval."""

    def __init__(self, effects):
        self._effects = effects

    def difference(self, first, second):
        (weight, key), other = first, second
        assert other == (None, key)
        assert key != "linear_probe_error"  # which is judged relative to itself
        return self._effects[weight][key]

    def relative_difference(self, first, second):
        (weight, key), other = first, second
        assert key == other[1] == "linear_probe_error"
        return self._effects[weight][key]


def _effects(psnr, *, ssim=0.0, probe=-50.0, nmi=0.2, map_=0.3, width=0.01):
    values = {"psnr": psnr, "ssim": ssim, "linear_probe_error": probe}
    values |= {"kmeans_nmi": nmi, "map_silhouette": map_}
    return {
        key: Interval(value, value - width, value + width)
        for key, value in values.items()
    }


def _psnr(vanilla, semantic):
    return {"vanilla": np.array(vanilla), "semantic": np.array(semantic)}


def test_form_with_the_highest_mean_of_those_off_the_plateau():
    psnr = {
        ("a", "x"): _psnr([30.0, 17.9], [30.0, 30.0]),  # one seed on the plateau
        ("b", "x"): _psnr([19.0, 20.0], [19.0, 20.0]),
        ("b", "y"): _psnr([21.0, 22.0], [18.1, 19.0]),
    }
    assert plateau.choose_form(psnr) == ("b", "y")


def test_forms_that_differ_by_next_to_nothing_count_as_equal():
    psnr = {
        ("a", "x"): _psnr([23.0], [23.0]),  # 0.75 dB below the highest
        ("b", "x"): _psnr([23.5], [23.25]),
        ("b", "y"): _psnr([23.75], [23.75]),
    }
    assert plateau.choose_form(psnr) == ("b", "x")


def test_form_with_the_highest_mean_where_all_stay_on_the_plateau():
    psnr = {("a", "x"): _psnr([11.0], [12.0]), ("b", "x"): _psnr([11.0], [14.0])}
    assert plateau.choose_form(psnr) == ("b", "x")


def test_the_largest_weight_at_which_claim_1_holds():
    effects = {
        0.01: _effects(0.0),
        0.1: _effects(-0.3, nmi=0.0),  # whatever becomes of claim 2
        1.0: _effects(-0.495),  # undecided
        10.0: _effects(-4.0),
    }
    assert weight.choose_weight(Effects(effects), list(effects)) == 0.1


def test_the_smallest_weight_where_claim_1_holds_at_none():
    effects = {0.1: _effects(-2.0), 1.0: _effects(-1.0, ssim=-3.0)}
    assert weight.choose_weight(Effects(effects), list(effects)) == 0.1


@pytest.mark.parametrize(
    ("found", "claim", "verdict"),
    [
        (_effects(0.48), 1, "holds"),
        (_effects(0.5), 1, "undecided"),
        (_effects(0.52), 1, "does not hold"),
        (_effects(0.0, ssim=-1.5), 1, "does not hold"),
        (_effects(9.0), 2, "holds"),
        (_effects(0.0, probe=-25.02), 2, "holds"),
        (_effects(0.0, probe=-25.0), 2, "undecided"),
        (_effects(0.0, probe=-24.0), 2, "does not hold"),
        (_effects(0.0, nmi=0.11), 2, "undecided"),
        (_effects(0.0, nmi=0.08), 2, "does not hold"),
        (_effects(0.0, map_=0.165), 2, "holds"),
        (_effects(0.0, map_=0.15), 2, "undecided"),
        (_effects(0.0, map_=0.13), 2, "does not hold"),
    ],
)
def test_verdicts_at_the_margins(found, claim, verdict):
    # 0.5 dB and 1 point; a quarter of the error, 0.1 of NMI and 0.15 of the map's
    # silhouette. The intervals reach 0.01 to either side.
    assert section3.verdict(Effects({1: found}), 1, claim) == verdict


def test_at_least_six_weights_logarithmic():
    weights = runs.WEIGHTS["full"]
    assert len(weights) >= 6
    steps = np.diff(np.log10(weights))
    # Each four times the one before, rounded to two digits.
    np.testing.assert_allclose(steps, np.log10(4), atol=0.01)


# --- from runs to ledgers

_METRICS = {
    "psnr": 20.0,
    "ssim": 0.9,
    "label_accuracy": 0.5,
    "silhouette": 0.1,
    "scatter_ratio": 0.5,
    "knn_accuracy": 0.9,
    "linear_probe_accuracy": 0.8,
    "kmeans_nmi": 0.5,
    "map_silhouette": 0.25,
}


@pytest.fixture
def workspace(tmp_path, finish):
    """Finished runs of an artefact: +1 dB at each seed, +2 with each semantic weight.

    Of each image, the first 100 have 30 dB and the last 50 have 15.
    """

    def make(artefact):
        for run in artefacts()[artefact].all_runs("smoke"):
            seed = int(run.label[-1])
            semantic = any("semantic.flags" in flag for flag in run.flags)
            changes = {
                "psnr": 20.0 + seed + 0.25 * semantic,
                "linear_probe_accuracy": 0.9 if semantic else 0.8,
                "kmeans_nmi": 0.5 + 0.25 * semantic,
                "map_silhouette": 0.25 + 0.25 * semantic,
            }
            folder = finish(run, _METRICS | changes)
            of_each = {
                "clean/psnr": np.repeat([30.0 + seed, 15.0], [100, 50]),
                "clean/ssim": np.repeat([0.75, 0.25], [100, 50]),
            }
            np.savez(folder / "measurements.npz", **of_each)
        return Workspace(artefacts()[artefact], "smoke", tmp_path, tmp_path / "made")

    return make


def test_first_100_images_are_averaged_apart(workspace):
    parts = section3.estimates(workspace("ming2022_mnist"), runs.table_2("smoke"))
    np.testing.assert_array_equal(parts.values(None, "psnr_first_100"), [30, 31])
    np.testing.assert_array_equal(parts.values(None, "ssim_first_100"), [75, 75])


def test_fewer_than_100_images_are_refused_by_the_name_of_the_file(tmp_path):
    np.savez(tmp_path / "measurements.npz", **{"clean/psnr": np.ones(70)})
    with pytest.raises(ValueError, match=r"measurements\.npz has 70 images"):
        section3.mean_of_first(tmp_path, "clean/psnr")


@pytest.mark.parametrize(
    ("psnr", "ssim", "expected"),
    [
        # Unless all ten are of one kind.
        (0, 0, 1 - 0.25**10 - 0.75**10),
        # At least 3 of the one kind and 5 of the other.
        (30, -0.5, stats.binom.cdf(5, 10, 0.25) - stats.binom.cdf(2, 10, 0.25)),
    ],
)
def test_draws_of_images_with_signs_and_differences(tmp_path, psnr, ssim, expected):
    # Of the images a quarter has a higher PSNR by 100 dB, the others a lower SSIM by 1.
    # 20,000 draws: a standard deviation of at most 0.35 %.
    rising = np.arange(400) % 4 == 0
    for name, higher, lower in (("a", 100.0 * rising, -1.0 * ~rising), ("b", 0, 0)):
        (tmp_path / name).mkdir()
        arrays = {
            "clean/psnr": higher + np.zeros(400),
            "clean/ssim": lower + np.zeros(400),
        }
        np.savez(tmp_path / name / "measurements.npz", **arrays)
    found = table2.share_of_draws(tmp_path / "a", tmp_path / "b", psnr=psnr, ssim=ssim)
    assert found == pytest.approx(expected, abs=0.015)


def test_table_2_stands_beside_what_is_printed(workspace, monkeypatch):
    monkeypatch.setattr(table2, "_draw", lambda *arguments: [])
    parts = table2.build(workspace("ming2022_mnist"))
    rows = {row.id: row for row in parts["rows"]}
    # Ming 2022, Table II.
    printed = {row.id: row.printed for row in rows.values() if row.printed is not None}
    assert printed == {
        "vanilla_psnr": 24.89,
        "vanilla_ssim": 96.39,
        "semantic_psnr": 25.10,
        "semantic_ssim": 95.82,
        # Its differences, 25.10 - 24.89 and 95.82 - 96.39.
        "semantic_minus_vanilla_psnr": 0.21,
        "semantic_minus_vanilla_ssim": -0.57,
        "summed_minus_vanilla_psnr": 0.21,
        "summed_minus_vanilla_ssim": -0.57,
    }
    difference = rows["semantic_minus_vanilla_psnr"]
    assert (difference.measured, difference.values) == (0.25, (0.25, 0.25))
    assert difference.note.endswith("the interval contains the printed difference: no")
    assert (rows["vanilla_psnr"].measured, rows["vanilla_psnr"].n) == (20.5, 2)
    assert rows["vanilla_psnr"].values == (20.0, 21.0)
    assert rows["vanilla_ssim"].measured == 90.0  # %
    assert "vanilla_label_accuracy" not in rows
    claims = {claim.id: claim for claim in parts["claims"]}
    # Paired by seed: no spread is left.
    np.testing.assert_allclose(
        [getattr(claims["1_psnr_semantic"], k) for k in ("effect", "low", "high")], 0.25
    )
    # Of an error of 20 % one of 10 % is left.
    assert claims["2_linear_probe_error_semantic"].effect == pytest.approx(-50)
    assert claims["2_linear_probe_error_semantic"].unit == "%"
    assert claims["1_ssim_semantic"].unit == "points"
    wholes = [claim.id for claim in claims.values() if claim.part_of is None]
    assert wholes == [
        *("1_semantic", "2_semantic", "3_semantic"),
        *("1_summed", "2_summed", "3_summed"),
    ]
    assert {claim.verdict for claim in claims.values()} == {"holds"}
    values = {choice.flag: choice.value for choice in parts["choices"]}
    assert values == {
        "loss": runs.LOSS,
        "initializer": runs.INITIALIZER,
        "semantic_weight": runs.WEIGHT,
    }


def test_frontier_has_a_claim_for_each_weight(workspace):
    parts = weight.build(workspace("ming2022_weight"))
    claims = {claim.id: claim for claim in parts["claims"]}
    assert list(claims) == [
        "3_both",
        *("1_weight0.016", "2_weight0.016"),
        *("1_weight1", "2_weight1"),
    ]
    assert claims["3_both"].verdict == "holds"
    assert claims["3_both"].note == "together at: 0.016, 1; undecided at: none"
    assert claims["1_weight1"].part_of == "3_both"
    assert claims["2_weight0.016"].effect == 0.25  # of the NMI
    note = claims["2_weight0.016"].note
    assert note.startswith("error of a linear classifier of the code: -50.0 % [-50.0, ")
    assert "; silhouette of the t-SNE map of 1,000 images: +0.250 [+0.250, " in note
    assert note.endswith("; 100 % of the effect at weight 1")
    assert [choice.value for choice in parts["choices"]] == [1]
    assert [picture.file for picture in parts["pictures"]] == [
        "frontier_linear_probe_error.png",
        "frontier_kmeans_nmi.png",
        "frontier_map_silhouette.png",
    ]


def test_plateau_has_a_row_for_each_network_of_each_form(workspace):
    parts = plateau.build(workspace("ming2022_plateau"))
    # PSNR of both networks, and five differences between them, of two losses.
    assert len(parts["rows"]) == 2 * (2 + 5)
    row = parts["rows"][0]
    assert (row.measured, row.values) == (20.5, (20.0, 21.0))
    assert row.note == "2 of 2 seeds above 18 dB, the lowest at 20.00 dB"
    difference = parts["rows"][4]
    assert difference.id.startswith("semantic_minus_vanilla_binary_crossentropy")
    assert (difference.measured, difference.unit) == (0.25, "dB")
