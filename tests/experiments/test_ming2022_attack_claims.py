"""The rules of section IV, on attacks whose outcome is known."""

import numpy as np
import pytest

from tfsemae.experiments.estimates import OverExamples
from tfsemae.experiments.ming2022 import attack_claims, printed
from tfsemae.experiments.ming2022.attack_runs import Attacker
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
        "adversarial/psnr": np.full(60, 40.0),
        "adversarial/ssim": np.full(60, 0.97),
        "clipped/psnr": np.full(60, 41.0),
        "clipped/ssim": np.full(60, 0.98),
        "adversarial/remaining_distance": np.full(60, 0.2),
        "clean/inverse_error": np.full(60, 0.05),
    }
    of_latents = {"clean": (4.0, 1.0), "adversarial": (gap, correct)}
    of_latents["noise"] = noise_gap, noise_correct
    for condition, (distance, share) in of_latents.items():
        arrays[f"{condition}/latent"] = _latents(distance)
        for key in ("knn_accuracy", "linear_probe_accuracy"):
            arrays[f"{condition}/{key}"] = np.arange(60) < share * 60
            arrays[f"{condition}/{key}_anew"] = np.ones(60, bool)
    return arrays | changes


@pytest.fixture
def over_images(tmp_path):
    def make(**attackers):
        for name, arrays in attackers.items():
            (tmp_path / name).mkdir()
            np.savez(tmp_path / name / "measurements.npz", **arrays)
        folders = {Attacker(name): tmp_path / name for name in attackers}
        return OverExamples(folders, attack_claims.QUANTITIES, note="one of each")

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
    changes = {
        "adversarial/psnr": np.full(60, 30.0),
        "adversarial/ssim": np.full(60, 0.9),
        "adversarial/remaining_distance": np.ones(60),
    }
    nothing = _arrays(4.0, 1.0, noise_correct=0.8, **changes)
    measured = over_images(shuffled=nothing, labelled=nothing, unlabelled=nothing)
    found = _verdicts(measured)
    for name in ("1_psnr", "1_ssim", "3_remaining_distance"):
        assert found[f"{name}_shuffled"] == "does not hold"
    assert found["2_silhouette_shuffled"] == "undecided"  # 0 to 0
    assert found["4_knn_accuracy_noise_shuffled"] == "does not hold"  # noise does more


def test_statement_rule_and_note_are_those_of_the_attacker(over_images):
    measured = over_images(shuffled=_arrays(0, 0.5))
    first = attack_claims.claims(measured, SHUFFLED, [])[1]
    assert first.id == "1_psnr_shuffled"
    assert first.statement.endswith("(shuffled labels)")
    assert first.measurement == (
        "PSNR (dB) of I_a, unclipped, against I; 95 % bootstrap over 60 images; "
        "holds above 35 dB, does not hold below"
    )
    assert (first.note, first.signed, first.part_of) == (
        "one of each",
        False,
        "1_all_shuffled",
    )


class _Fixed:
    """The same interval of everything."""

    over, note = "", ""

    def __init__(self, low, high):
        self._interval = Interval((low + high) / 2, low, high)

    def value(self, group, key):
        return self._interval

    def difference(self, first, second):
        return self._interval


def _verdict(id_, low, high):
    found = attack_claims.claims(_Fixed(low, high), SHUFFLED, [LABELLED])
    return {claim.id: claim.verdict for claim in found}[f"{id_}_shuffled"]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.49, "holds"),
        (0.1, 0.5, "undecided"),
        (0.5, 0.9, "intermediate"),
        (0.6, 0.8, "intermediate"),
        (0.9, 1.0, "undecided"),
        (0.91, 1.1, "does not hold"),
    ],
)
def test_equation_7_is_judged_by_the_way_that_is_left(low, high, verdict):
    assert printed.REMAINING == (0.5, 0.9)
    assert _verdict("3_remaining_distance", low, high) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-3, -0.1, "holds"),
        (-0.9, -0.1, "holds"),  # small, but clear of zero
        (-0.9, 0.9, "does not hold"),  # as good as equal
        (-1.1, 0.9, "undecided"),
        (-1, 4, "does not hold"),  # at the margin, or above
        (-1.1, 4, "undecided"),
        (0.1, 4, "does not hold"),
        (-0.15, 1.25, "does not hold"),  # within a point of 0, or above
    ],
)
def test_an_effect_of_the_labels_is_one_beyond_the_control(low, high, verdict):
    assert printed.NO_DIFFERENCE["knn_accuracy"] == 1.0
    for control in ("labelled", "noise"):
        assert _verdict(f"4_knn_accuracy_{control}", low, high) == verdict
