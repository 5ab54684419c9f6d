"""From measured attacks to the parts of a ledger."""

import numpy as np
import pytest

from tfsemae.evaluation.attack import CONDITIONS
from tfsemae.experiments import artefacts
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ming2022 import attack, attack_claims, attack_runs
from tfsemae.experiments.pictures import Attacked
from tfsemae.reports import Ledger

_NAME = "ming2022_cifar10_seeds"
_OF_CODES = (
    *("silhouette", "scatter_ratio"),
    *("knn_accuracy", "knn_accuracy_anew"),
    *("linear_probe_accuracy", "linear_probe_accuracy_anew"),
)


def _attack_metrics(seed, psnr):
    of_codes = dict.fromkeys(_OF_CODES, 0.25 + 0.01 * seed)
    found = {condition: dict(of_codes) for condition in CONDITIONS}
    found["adversarial"] |= {"psnr": psnr + seed, "ssim": 0.5}
    found["adversarial"]["remaining_distance"] = 0.7
    found["clean"]["inverse_error"] = 0.2
    return found | {"clipped": {"psnr": 0.5, "ssim": 0.5}}


@pytest.fixture
def workspace(tmp_path, finish):
    """Several victims, attacked at two weights."""
    p = attack_runs.PLANS[_NAME]["smoke"]
    assert (p.seeds, len(p.attackers)) == (2, 2)
    for number, attacker in enumerate(p.all_attackers()):
        for seed in range(p.seeds):
            finish(p.attack(attacker, seed), _attack_metrics(seed, 30 + number))
            finish(p.attacker(attacker, seed), {"label_accuracy": 0.5 + seed / 8})
    for seed in range(p.seeds):
        finish(p.victim(seed), {})
    return Workspace(artefacts()[_NAME], "smoke", tmp_path, tmp_path / "made")


@pytest.fixture
def parts(workspace):
    return attack.build(workspace)


def test_rows_have_each_measurement_of_each_attacker_and_the_clean_latents_once(parts):
    rows = {row.id: row for row in parts["rows"]}
    assert len(rows) == len(parts["rows"])
    clean = len(_OF_CODES)
    attacked = len(attack_claims.QUANTITIES) - clean
    classifiers = 4
    assert len(rows) == 5 * attacked + clean + classifiers
    first, last = rows["shuffled0.001_psnr"], rows["labelled1_psnr"]
    assert (first.measured, first.n, first.printed) == (30.5, 2, 39.93)
    assert first.sd == pytest.approx(0.5**0.5)
    assert (last.measured, last.printed) == (34.5, None)
    assert rows["shuffled1_psnr"].printed == 39.93  # the paper prints no weight
    assert rows["shuffled0.001_silhouette_clean"].measured == pytest.approx(0.255)


def test_rows_have_what_each_classifier_learnt(parts):
    rows = {r.id: r for r in parts["rows"] if r.id.endswith("_label_accuracy")}
    roles = ("shuffled0.001", "labelled0.001", "shuffled1", "labelled1")
    assert set(rows) == {f"{role}_label_accuracy" for role in roles}
    for row in rows.values():
        assert (row.measured, row.n, row.unit) == (56.25, 2, "%")
        assert row.sd == pytest.approx(12.5 * 0.5**0.5)


def test_claims_are_those_of_each_weight(parts):
    ids = [claim.id for claim in parts["claims"]]
    assert len(ids) == len(set(ids)) == 2 * 16
    for weight in ("0.001", "1"):
        assert f"4_silhouette_labelled{weight}_shuffled{weight}" in ids
        assert f"4_silhouette_unlabelled_shuffled{weight}" in ids


def test_choices_are_those_of_an_attacker_with_wrong_labels(parts):
    assert {choice.flag: choice.value for choice in parts["choices"]} == {
        "semantic_weight": 0.001,
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
    assert len(ledger.claims) == 32


@pytest.mark.parametrize("artefact", ["ming2022_cifar10", "ming2022_attack_mnist"])
def test_one_victim_has_pictures(artefact, tmp_path, monkeypatch):
    # The paper's own: three of the first attacker, two of the other. Else two.
    p = attack_runs.PLANS[artefact]["smoke"]
    monkeypatch.setattr(attack.pictures.figures, "image_grid", lambda *a, **k: None)
    monkeypatch.setattr(attack.pictures.figures, "embedding", lambda *a, **k: None)
    rng = np.random.default_rng(0)
    pixels = rng.uniform(size=(40, 12, 12, 1)).astype(np.float32)
    latents = dict.fromkeys(("clean", "adversarial"), rng.normal(size=(40, 3)))
    attacked = Attacked(pixels, pixels, latents, np.arange(40) % 2, ("0", "1"))
    workspace = Workspace(artefacts()[artefact], "smoke", tmp_path, tmp_path)
    drawn = []
    for attacker in p.attackers if p.of_the_paper else p.attackers[:1]:
        separate = p.of_the_paper and attacker == p.attackers[0]
        drawn += attack._draw(attacker, attacked, workspace, separate=separate)
    names = [picture.file for picture in drawn]
    assert len(names) == len(set(names)) == (5 if p.of_the_paper else 2)
    assert all("40 attacked images" in picture.caption for picture in drawn)
