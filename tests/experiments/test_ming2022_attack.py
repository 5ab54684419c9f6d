"""From measured attacks to the parts of a ledger."""

import numpy as np
import pytest

from tfsemae.experiments import artefacts
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ming2022 import attack, attack_claims, attack_runs
from tfsemae.experiments.ming2022.attack_runs import Attack
from tfsemae.experiments.pictures import Attacked
from tfsemae.reports import Ledger

_NAME = "ming2022_cifar10_seeds"


@pytest.fixture
def plan():
    return attack_runs.PLANS[_NAME]["smoke"]


@pytest.fixture
def workspace(tmp_path, finish, plan, attack_metrics):
    """Several victims, attacked at two weights."""
    assert (plan.seeds, len(plan.attackers)) == (2, 2)
    for number, each in enumerate(plan.all_attacks()):
        for seed in range(plan.seeds):
            finish(plan.attack(each, seed), attack_metrics(seed, 30 + number))
    for attacker in dict.fromkeys(each.attacker for each in plan.all_attacks()):
        for seed in range(plan.seeds):
            finish(plan.attacker(attacker, seed), {"label_accuracy": 0.5 + seed / 8})
    for seed in range(plan.seeds):
        finish(plan.victim(seed), {})
    return Workspace(artefacts()[_NAME], "smoke", tmp_path, tmp_path / "made")


@pytest.fixture
def parts(workspace, monkeypatch):
    monkeypatch.setattr(attack, "_draw_scales", lambda *arguments: None)
    return attack.build(workspace)


def test_rows_have_each_measurement_of_each_attack_and_the_victims_once(parts, plan):
    rows = {row.id: row for row in parts["rows"]}
    assert len(rows) == len(parts["rows"])
    of = {
        condition: sum(
            key.startswith(f"{condition}/") for key in attack_claims.QUANTITIES
        )
        for condition in ("clean", "noise", "negated", "exchanged")
    }
    others = len(attack_claims.QUANTITIES) - sum(of.values())
    own_controls = sum(of.values()) - of["clean"]
    # Two attacks; the controls by true labels and by none of each; one of them again.
    assert len(plan.all_attacks()) == 2 * 3 + 1
    expected = 7 * others + 2 * own_controls + of["clean"]
    assert len(rows) == expected + 3 + 5  # differences of two trainings, classifiers
    first, last = rows["shuffled1_psnr"], rows["unlabelled_as_shuffled0.016_psnr"]
    assert (first.measured, first.n, first.printed) == (30.5, 2, 39.93)
    assert first.sd == pytest.approx(0.5**0.5)
    assert (last.measured, last.printed) == (36.5, None)
    assert rows["shuffled0.016_psnr"].printed == 39.93  # the paper prints no weight
    # Twice the range: 10 log10(4) dB more.
    range_2 = rows["shuffled1_psnr_range_2"].measured
    assert range_2 == pytest.approx(30.5 + 10 * np.log10(4))
    assert rows["shuffled1_probe_error_clean"].measured == pytest.approx(74.5)
    assert rows["shuffled1_inverse_error_clean"].measured == pytest.approx(0.2)


def test_rows_have_what_each_classifier_learnt(parts):
    rows = {r.id: r for r in parts["rows"] if r.id.endswith("_label_accuracy")}
    roles = ("shuffled1", "labelled1", "shuffled1_again", "shuffled0.016")
    assert set(rows) == {f"{role}_label_accuracy" for role in (*roles, "labelled0.016")}
    for row in rows.values():
        assert (row.measured, row.n, row.unit) == (56.25, 2, "%")
        assert row.sd == pytest.approx(12.5 * 0.5**0.5)


def test_what_two_trainings_differ_by_stands_beside(parts):
    rows = {row.id: row for row in parts["rows"]}
    row = rows["shuffled1_minus_again_probe_error"]
    assert (row.measured, row.values, row.unit) == (0.0, (0.0, 0.0), "points")


def test_claims_are_those_of_each_weight(parts):
    ids = [claim.id for claim in parts["claims"]]
    # 3 of looks, 3 of dispersion, told apart, eq. (7) twice, eq. (3) twice, and three
    # endpoints with five controls each.
    assert len(ids) == len(set(ids)) == 2 * (3 + 3 + 1 + 2 + 2 + 3 * (1 + 5))
    for weight in ("0.016", "1"):
        assert f"4_probe_error_labelled{weight}_shuffled{weight}" in ids
        assert f"4_log_variance_ratio_exchanged_shuffled{weight}" in ids
    assert not any("again" in id_ for id_ in ids)


def test_choices_are_those_of_an_attacker_with_wrong_labels(parts):
    assert {choice.flag: choice.value for choice in parts["choices"]} == {
        "semantic_weight": 1.0,
        "train_decoder": False,
        "encoder_from": None,
        "shuffle_labels": True,
        "loss": "binary_crossentropy",
        "initializer": "wide_normal",
    }


def test_they_make_a_ledger(workspace):
    workspace.artefact.write_ledger(workspace)
    ledger = Ledger.read(workspace.output_dir)
    assert ledger.source.startswith("Ming, Du and Lin 2022, section IV")
    assert len(ledger.claims) == 58
    assert [picture.file for picture in ledger.pictures] == ["scales.png"]


def test_one_victim_has_pictures(tmp_path, monkeypatch):
    # Four of the first attacker, two of the other.
    artefact = "ming2022_cifar10"
    p = attack_runs.PLANS[artefact]["smoke"]
    assert p.seeds == 1
    for name in ("image_grid", "embedding", "curves"):
        monkeypatch.setattr(attack.pictures.figures, name, lambda *a, **k: None)
    rng = np.random.default_rng(0)
    pixels = rng.uniform(size=(40, 12, 12, 1)).astype(np.float32)
    latents = dict.fromkeys(("clean", "adversarial"), rng.normal(size=(40, 3)))
    attacked = Attacked(pixels, 0.9 * pixels, latents, np.arange(40) % 2, ("0", "1"))
    workspace = Workspace(artefacts()[artefact], "smoke", tmp_path, tmp_path)
    drawn = []
    for attacker in p.attackers:
        first = attacker == p.attackers[0]
        drawn += attack._draw(attacker, attacked, workspace, first=first)
    names = [picture.file for picture in drawn]
    assert len(names) == len(set(names)) == 6
    assert all("40 attacked images" in picture.caption for picture in drawn)
    assert p.all_attacks() == [Attack(attacker) for attacker in p.attackers]
