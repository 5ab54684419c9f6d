"""From measured attacks to the parts of a ledger."""

import numpy as np
import pytest

from tfsemae.experiments import artefacts
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ming2022 import attack, attack_claims, attack_runs
from tfsemae.experiments.ming2022.attack_runs import Attack
from tfsemae.reports import Ledger

_NAME = "ming2022_cifar10_seeds"


@pytest.fixture(scope="module")
def plan():
    return attack_runs.PLANS[_NAME]["smoke"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, finish_in, plan, attack_metrics, attacked):
    """Several victims, attacked at two weights."""
    folder = tmp_path_factory.mktemp("runs")
    assert (plan.seeds, len(plan.attackers)) == ((0, 1), 2)
    for number, each in enumerate(plan.all_attacks()):
        for seed in plan.seeds:
            measured = attack_metrics(seed, 30 + number)
            finish_in(folder, plan.attack(each, seed), measured)
    for attacker in dict.fromkeys(each.attacker for each in plan.all_attacks()):
        for seed in plan.seeds:
            measured = {"label_accuracy": 0.5 + seed / 8}
            finish_in(folder, plan.attacker(attacker, seed), measured)
    for seed in plan.seeds:
        finish_in(folder, plan.victim(seed), {})
    return Workspace(artefacts()[_NAME], "smoke", folder, folder / "made")


@pytest.fixture(scope="module")
def parts(workspace):
    """What is built of them, once: SSIM and t-SNE take ten seconds."""
    return attack.build(workspace)


def test_rows_have_each_measurement_of_each_attack_and_the_victims_once(parts, plan):
    rows = {row.id: row for row in parts["rows"]}
    assert len(rows) == len(parts["rows"])
    clean = sum(key.startswith("clean/") for key in attack_claims.QUANTITIES)
    attacks = plan.all_attacks()
    # True labels, none and the same again as controls of the one, none of the other.
    assert len(attacks) == 2 + 3 + 1
    expected = 2 * (len(attack_claims.QUANTITIES) - clean) + clean + 4 * (6 + 1)
    # Differences of two trainings, silhouettes of two maps, classifiers, and PSNR at
    # the printed SSIM.
    assert len(rows) == expected + 3 + 2 * 2 + 4 + 2 + 2 * 4
    first, last = rows["shuffled1_psnr"], rows["unlabelled_as_shuffled0.016_silhouette"]
    assert (first.measured, first.n, first.printed) == (30.5, 2, 39.93)
    assert first.sd == pytest.approx(0.5**0.5)
    assert (last.measured, last.printed) == (pytest.approx(0.255), None)
    assert rows["shuffled0.016_psnr"].printed == 39.93  # the paper prints no weight
    # Twice the range: 10 log10(4) dB more.
    range_2 = rows["shuffled1_psnr_range_2"].measured
    assert range_2 == pytest.approx(30.5 + 10 * np.log10(4))
    assert rows["shuffled1_probe_error_clean"].measured == pytest.approx(74.5)
    assert rows["shuffled1_inverse_error_clean"].measured == pytest.approx(0.2)
    assert rows["labelled1_as_shuffled1_norm_factor"].measured == 1.5
    assert rows["shuffled1_map_silhouette_adversarial"].measured == 0.25


def test_rows_have_what_each_classifier_learnt(parts):
    rows = {r.id: r for r in parts["rows"] if r.id.endswith("_label_accuracy")}
    roles = ("shuffled1", "labelled1", "shuffled1_again", "shuffled0.016")
    assert set(rows) == {f"{role}_label_accuracy" for role in roles}
    for row in rows.values():
        assert (row.measured, row.n, row.unit) == (56.25, 2, "%")
        assert row.sd == pytest.approx(12.5 * 0.5**0.5)


def test_what_two_trainings_differ_by_stands_beside(parts):
    rows = {row.id: row for row in parts["rows"]}
    row = rows["shuffled1_minus_again_probe_error"]
    assert (row.measured, row.values, row.unit) == (0.0, (0.0, 0.0), "points")


def test_claims_are_those_of_each_weight(parts):
    ids = [claim.id for claim in parts["claims"]]
    # 3 of looks, 4 of dispersion, told apart, 3 of eq. (7), 2 of eq. (3), and two
    # endpoints with five controls each, or four.
    each = 3 + 4 + 1 + 3 + 2
    assert len(ids) == len(set(ids)) == 2 * each + 2 * (2 + 5) + 2 * (2 + 4)
    assert "4_probe_error_labelled1_shuffled1" in ids
    assert "4_probe_error_unlabelled_shuffled0.016" in ids
    for weight in ("0.016", "1"):
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


def test_they_make_a_ledger(workspace, parts, monkeypatch):
    monkeypatch.setattr(attack, "build", lambda work: parts)
    workspace.artefact.write_ledger(workspace)
    ledger = Ledger.read(workspace.output_dir)
    assert ledger.source.startswith("Ming, Du and Lin 2022, section IV")
    assert len(ledger.claims) == 52
    files = [picture.file for picture in ledger.pictures]
    assert len(files) == len(set(files)) == 2 * 4 + 1
    assert files[:3] == [
        "figure5_shuffled1.png",
        "figure6_joint_shuffled1.png",
        "figure6_separate_shuffled1.png",
    ]


def test_one_victim_has_numbers_and_pictures_and_no_verdicts(
    tmp_path, finish, attack_metrics, attacked
):
    name = "ming2022_cifar10"
    p = attack_runs.PLANS[name]["smoke"]
    assert p.all_attacks() == [Attack(attacker) for attacker in p.attackers]
    for attacker in p.attackers:
        finish(p.attack(Attack(attacker), 0), attack_metrics(0, 30.0))
        finish(p.attacker(attacker, 0), {"label_accuracy": 0.5})
    parts = attack.build(Workspace(artefacts()[name], "smoke", tmp_path, tmp_path))
    assert parts["claims"] == []
    rows = {row.id: row for row in parts["rows"]}
    assert rows["shuffled1_psnr"].low is None
    assert rows["shuffled0.016_from_victim_ssim"].printed == 96.55
    names = [picture.file for picture in parts["pictures"]]
    assert len(names) == len(set(names)) == 2 * 4
    captions = [picture.caption for picture in parts["pictures"]]
    assert all("40 attacked images" in caption for caption in captions)
