"""The rules of section IV, on attacks whose outcome is known."""

import json

import numpy as np
import pytest
from tfsemae.experiments.ming2022.attack_plan import Attacker

from tfsemae import metrics
from tfsemae.experiments.ming2022 import attack_claims
from tfsemae.experiments.ming2022.attack_claims import OverImages, OverSeeds
from tfsemae.statistics import Interval

_LABELS = np.arange(60) % 2
SHUFFLED, LABELLED, UNLABELLED = map(Attacker, ("shuffled", "labelled", "unlabelled"))


def _latents(gap, seed=0):
    """Latents of two classes at a distance."""
    noise = np.random.default_rng(seed).normal(size=(60, 3))
    return noise + gap * _LABELS[:, np.newaxis]


def _arrays(gap, correct, noise_gap=4.0, noise_correct=0.95, **changes):
    """Measurements of an attack that leaves a gap and a share of correct answers."""
    arrays = {
        "labels": _LABELS,
        "indices": np.arange(60),
        "psnr": np.full(60, 40.0),
        "ssim": np.full(60, 0.97),
        "psnr_clipped": np.full(60, 41.0),
        "ssim_clipped": np.full(60, 0.98),
        "movement": np.full(60, 0.2),
        "inverse_error": np.full(60, 0.05),
    }
    of_latents = {"clean": (4.0, 1.0), "adversarial": (gap, correct)}
    of_latents["noise"] = noise_gap, noise_correct
    for latent, (distance, share) in of_latents.items():
        arrays[f"latent_{latent}"] = _latents(distance)
        for key in ("knn_accuracy", "linear_probe_accuracy"):
            arrays[f"{key}_{latent}"] = np.arange(60) < share * 60
            arrays[f"{key}_anew_{latent}"] = np.ones(60, bool)
    return arrays | changes


@pytest.fixture
def over_images(tmp_path):
    def make(**attackers):
        for name, arrays in attackers.items():
            (tmp_path / name).mkdir()
            np.savez(tmp_path / name / "measurements.npz", **arrays)
        return OverImages({Attacker(name): tmp_path / name for name in attackers})

    return make


def _verdicts(measured):
    found = attack_claims.claims(measured, SHUFFLED, [LABELLED, UNLABELLED])
    return {claim.id: claim.verdict for claim in found}


def test_an_attack_beyond_all_controls(over_images):
    weak = _arrays(3.8, 0.95)
    measured = over_images(shuffled=_arrays(0, 0.5), labelled=weak, unlabelled=weak)
    assert set(_verdicts(measured).values()) == {"holds"}
    # 2 of looks and both, 2 of mixing and both, 1 of a classifier, eqs. (7) and (3),
    # 3 controls of 2 and all.
    assert len(_verdicts(measured)) == 3 + 3 + 1 + 2 + 7


def test_a_control_that_does_the_same_or_more(over_images):
    strong = _arrays(0, 0.5)
    measured = over_images(
        shuffled=strong, labelled=strong, unlabelled=_arrays(-4, 0.2)
    )
    found = _verdicts(measured)
    assert found["2_silhouette_shuffled"] == found["2_knn_accuracy_shuffled"] == "holds"
    assert found["4_silhouette_labelled_shuffled"] == "does not hold"  # equal
    # A gap of -4 separates the classes as well as one of 4.
    assert found["4_silhouette_unlabelled_shuffled"] == "holds"
    assert found["4_knn_accuracy_unlabelled_shuffled"] == "does not hold"  # more
    assert found["4_silhouette_noise_shuffled"] == "holds"
    assert found["4_all_shuffled"] == "does not hold"


def test_an_attack_that_only_disturbs(over_images):
    nothing = _arrays(
        4.0,
        1.0,
        noise_correct=0.8,
        psnr=np.full(60, 30.0),
        ssim=np.full(60, 0.9),
        movement=np.ones(60),
    )
    measured = over_images(shuffled=nothing, labelled=nothing, unlabelled=nothing)
    found = _verdicts(measured)
    for name in ("1_psnr", "1_ssim", "3_movement"):
        assert found[f"{name}_shuffled"] == "does not hold"
    assert found["2_silhouette_shuffled"] == "undecided"  # 0 to 0
    assert found["4_knn_accuracy_noise_shuffled"] == "does not hold"  # noise does more


def test_measurements_over_images_are_the_measures_themselves(over_images):
    arrays = _arrays(1.0, 0.5, movement=np.r_[np.nan, np.full(59, 0.25)])
    measured = over_images(shuffled=arrays)
    expected = {
        "psnr": 40.0,
        "ssim": 97.0,  # %
        "movement": 0.25,  # over the images that have one
        "knn_accuracy_adversarial": 50.0,
        "silhouette_adversarial": metrics.silhouette(_latents(1.0), _LABELS),
        "scatter_ratio_clean": metrics.scatter_ratio(_latents(4.0), _LABELS) - 1 / 58,
    }
    for key, value in expected.items():
        found = measured.value(SHUFFLED, key)
        assert found.effect == pytest.approx(value), key
        assert found.low <= found.effect <= found.high


def test_pairs_of_seeds_leave_what_they_share_out(tmp_path):
    def write(name, offset):
        folders = []
        for seed, base in enumerate((0.1, 0.5, 0.3)):
            folder = tmp_path / f"{name}{seed}"
            folder.mkdir()
            latents = {"adversarial": {"silhouette": base + offset}}
            found = {"psnr": 30 + base, "latents": latents}
            (folder / "metrics.json").write_text(json.dumps(found))
            folders.append(folder)
        return folders

    measured = OverSeeds({SHUFFLED: write("a", 0.0), LABELLED: write("b", 0.25)})
    key = "silhouette_adversarial"
    np.testing.assert_allclose(
        measured.difference((LABELLED, key), (SHUFFLED, key)), 0.25
    )
    assert measured.sd(SHUFFLED, "psnr") == pytest.approx(0.2)
    # t quantile of 2 degrees of freedom 4.3027, sd 0.2, n 3.
    np.testing.assert_allclose(
        measured.value(SHUFFLED, "psnr"),
        30.3 + 4.302653 * 0.2 / 3**0.5 * np.array([0, -1, 1]),
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.49, "holds"),
        (0.1, 0.5, "undecided"),
        (0.6, 0.8, "undecided"),
        (0.9, 1.0, "undecided"),
        (0.91, 1.1, "does not hold"),
    ],
)
def test_equation_7_is_judged_by_the_way_that_is_left(low, high, verdict):
    interval = Interval((low + high) / 2, low, high)
    bounds = attack_claims.MOVED, attack_claims.UNMOVED
    assert attack_claims.between(interval, *bounds) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-3, -0.1, "holds"),
        (-0.9, -0.1, "holds"),  # small, but clear of zero
        (-0.9, 0.9, "does not hold"),  # as good as equal
        (-1.1, 0.9, "undecided"),
        (-1, 4, "undecided"),
        (0.1, 4, "does not hold"),
    ],
)
def test_an_effect_of_the_labels_is_one_beyond_the_control(low, high, verdict):
    interval = Interval((low + high) / 2, low, high)
    assert attack_claims.beyond(interval, margin=1.0) == verdict


def test_attacks_of_different_images_are_not_compared(over_images):
    other = _arrays(0, 0.5, indices=np.arange(60) + 1)
    with pytest.raises(ValueError, match="are of different images"):
        over_images(shuffled=_arrays(0, 0.5), labelled=other)


def test_below_is_the_mirror_of_above():
    assert attack_claims.below(Interval(-2, -3, -1)) == "holds"
    assert attack_claims.below(Interval(2, 1, 3)) == "does not hold"
    assert attack_claims.below(Interval(0, -1, 1)) == "undecided"
    assert attack_claims.below(Interval(4, 3, 4.5), 5) == "holds"
