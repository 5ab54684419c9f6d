"""From measured attacks to the parts of a ledger."""

import json

import numpy as np
import pytest

from tfsemae import metrics
from tfsemae.experiments.ming2022 import attack_claims, attack_plan, semantic_attack
from tfsemae.reports import Ledger
from tfsemae.training import attacking

_OF_CODES = (
    *("silhouette", "scatter_ratio"),
    *("knn_accuracy", "knn_accuracy_anew"),
    *("linear_probe_accuracy", "linear_probe_accuracy_anew"),
)


def _write_metrics(folder, **found):
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(found))


def _write_attack(folder, seed, psnr):
    found = dict.fromkeys(("ssim", "psnr_clipped", "ssim_clipped"), 0.5)
    found |= {"psnr": psnr + seed, "movement": 0.7, "inverse_error": 0.2}
    latents = {
        c: {k: 0.25 + 0.01 * seed for k in _OF_CODES} for c in attacking.CONDITIONS
    }
    _write_metrics(folder, **found, latents=latents)


@pytest.fixture
def parts(tmp_path):
    """Of several victims, attacked at two weights."""
    p = attack_plan.PLANS["smoke"]["ming2022_cifar10_seeds"]
    assert (p.seeds, len(p.attackers)) == (2, 2)
    for number, attacker in enumerate(attack_plan.attackers(p)):
        for seed in range(p.seeds):
            folder = tmp_path / attack_plan.attack(p, attacker, seed)
            _write_attack(folder, seed, psnr=30 + number)
            folder = tmp_path / attack_plan.training(p, attacker, seed)
            _write_metrics(folder, label_accuracy=0.5 + seed / 8)
    return semantic_attack.semantic_attack(
        "ming2022_cifar10_seeds", "smoke", tmp_path, tmp_path, None
    )


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


@pytest.mark.parametrize("scale", [0.05, 0.5, 3.0])
def test_psnr_where_a_change_has_a_given_ssim(scale):
    random = np.random.default_rng(0)
    original = random.uniform(size=(4, 16, 16, 1)).astype(np.float32)
    change = random.normal(scale=0.05, size=original.shape).astype(np.float32)
    aim = original + np.float32(scale) * change
    found = semantic_attack.psnr_at_ssim(
        original, original + change, float(np.mean(metrics.ssim(original, aim)))
    )
    assert found == pytest.approx(float(np.mean(metrics.psnr(original, aim))), abs=0.05)


def test_they_make_a_ledger(parts):
    Ledger(
        artefact="ming2022_cifar10_seeds",
        scale="smoke",
        command="",
        revision="",
        versions={},
        machine={},
        seconds=0,
        **parts,
    )


@pytest.mark.parametrize(
    ("artefact", "scale", "tags"),
    [
        ("ming2022_cifar10", "full", ("as printed", "our choice")),
        ("ming2022_cifar10_seeds", "full", ("reduced", "reduced")),
        ("ming2022_attack_mnist", "full", ("reduced", "reduced")),
        ("ming2022_cifar10", "smoke", ("stand-in", "stand-in")),
    ],
)
def test_tags_of_printed_and_other_rows(artefact, scale, tags):
    p = attack_plan.PLANS[scale][artefact]
    assert (semantic_attack._tag(p, 39.93), semantic_attack._tag(p, None)) == tags
