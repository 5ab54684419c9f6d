"""The plan of domain-adversarial trainings, and the ledger of known measurements."""

import numpy as np
import pytest

from tfsemae import experiments
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ece417 import domain_runs

ARTEFACT = experiments.artefacts()["ece417_domain_adversarial"]


def test_plan(parsed):
    planned = ARTEFACT.all_runs("full")
    assert len(planned) == 20
    chosen = {run.label: parsed(run) for run in planned}
    assert {each.classifier.procedure for each in chosen.values()} == {
        "domain_adversarial"
    }
    assert {each.optimizer.steps for each in chosen.values()} == {2_000}
    domain = {
        label: each.classifier.domain_adversarial for label, each in chosen.items()
    }
    assert {each.reversal_ramp_steps for each in domain.values()} == {1_000}
    assert domain["ece417_colour_factor0.3_seed2"].reversal_factor == 0.3
    assert domain["ece417_biased_factor1_seed0"].nuisance_bias == 0.9
    turned = chosen["ece417_rot_factor1_seed0"]
    assert turned.classifier.domain_adversarial.nuisance == "rot"
    assert turned.data.classes == tuple("012345678")  # a turned 6 is a 9
    assert all(
        each.nuisance_bias == 0
        for label, each in domain.items()
        if not label.startswith("ece417_biased")
    )


def _metrics(accuracy, probe, adversary, seed):
    told = {
        "probe_accuracy": probe + 0.01 * seed,
        "linear_probe_accuracy": probe,
        "adversary_accuracy": adversary + 0.01 * seed,
        "adversary_cross_entropy": 2.5,
    }
    return {"accuracy": accuracy + 0.001 * seed, "nuisance": told}


@pytest.fixture
def ledger(tmp_path, finish, written, check_text):
    """Makes the ledger of given values: (nuisance, factor) -> those of `_metrics`."""

    def make(values):
        for nuisance, factor in domain_runs.DOMAIN_GROUPS:
            for seed in domain_runs.seeds_of(nuisance, "smoke"):
                run = domain_runs.domain_adversarial(nuisance, factor, seed, "smoke")
                folder = finish(run, _metrics(*values[nuisance, factor], seed))
                lines = ["step,nuisance_loss", "10,1.2", "20,1.4"]
                (folder / "log.csv").write_text("\n".join(lines) + "\n")
        work = Workspace(ARTEFACT, "smoke", tmp_path, tmp_path / "made")
        rows, claims, pictures = written(work)
        check_text(work)
        assert len(pictures) == 3
        return rows, claims

    return make


VALUES = {
    ("colour", 0.0): (0.98, 0.99, 0.99),
    ("colour", 0.1): (0.98, 0.9, 0.6),
    ("colour", 0.3): (0.98, 0.7, 0.4),
    ("colour", 1.0): (0.97, 0.4, 0.2),
    ("biased", 0.0): (0.9, 0.99, 0.99),
    ("biased", 1.0): (0.95, 0.4, 0.3),
    ("rot", 0.0): (0.96, 0.8, 0.8),
    ("rot", 1.0): (0.95, 0.5, 0.4),
}


def test_ledger_of_features_that_lose_the_tint(ledger):
    rows, claims = ledger(VALUES)
    assert len(rows) == 8 * 5
    assert rows["colour_0.1_probe_accuracy"].measured == pytest.approx(90.5)
    assert rows["colour_1_accuracy"].n == 2
    assert rows["rot_1_accuracy"].n == 1
    assert claims["1_hidden"].effect == pytest.approx(-59)
    assert claims["1_kept"].effect == pytest.approx(-1)
    assert claims["2"].effect == pytest.approx(5)
    assert claims["3"].effect == pytest.approx(20)
    assert {each.verdict for each in claims.values()} == {"holds"}


def test_ledger_of_features_that_keep_the_tint(ledger):
    kept = {
        ("colour", 1.0): (0.9, 0.98, 0.98),
        ("biased", 1.0): (0.9, 0.99, 0.99),
    }
    _, claims = ledger(VALUES | kept)
    assert {each.verdict for each in claims.values()} == {"does not hold"}
    assert np.isclose(claims["1_kept"].effect, -8)
