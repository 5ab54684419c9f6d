"""The plan of the speech recogniser, and the ledger of known measurements."""

import numpy as np
import pytest

from tfsemae import experiments, models
from tfsemae.data import speech
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ece417 import speech_runs

ARTEFACT = experiments.artefacts()["ece417_speech"]


def test_plan(parsed):
    planned = {run.label: parsed(run) for run in ARTEFACT.all_runs("full")}
    assert len(planned) == 1 + 3 + 3
    factors = {
        label: chosen.classifier.domain_adversarial.reversal_factor
        for label, chosen in planned.items()
        if "untrained" not in label
    }
    for label, factor in factors.items():
        assert factor == (0 if "beside" in label else 1)
        assert planned[label].optimizer.steps == 1_500
    assert planned["ece417_speech_untrained_seed10"].optimizer.learning_rate == 0
    # Seed 0 was looked at when the setting was chosen.
    assert {chosen.run.seed for chosen in planned.values()} == {10, 11, 12}
    ramp = planned["ece417_speech_against_seed12"].classifier.domain_adversarial
    assert ramp.reversal_ramp_steps == 750
    assert {chosen.network.model for chosen in planned.values()} == {
        "listen_attend_spell"
    }


@pytest.fixture(scope="module")
def network():
    return models.build("listen_attend_spell", (32, 36, 1), speech.WORDS, seed=0)


@pytest.fixture
def ledger(tmp_path, finish, written, check_text, network):
    """Makes the ledger of: group -> errors of known and unseen, both judges."""

    def make(values):
        for group in speech_runs.GROUPS:
            for place, seed in enumerate(speech_runs.seeds(group, "smoke")):
                known, unseen, probe, adversary = np.add(values[group], 0.001 * place)
                metrics = {
                    "known": {"character_error": known, "word_error": known},
                    "unseen": {"character_error": unseen, "word_error": unseen},
                    "nuisance": {
                        "probe_accuracy": probe,
                        "linear_probe_accuracy": probe,
                        "adversary_accuracy": adversary + 0.01 * place,
                        "adversary_cross_entropy": 1.4,
                    },
                }
                run = speech_runs.speech(group, seed, "smoke")
                folder = finish(run, metrics)
                lines = ["step,letters_loss,speaker_loss", "10,9.5,1.2", "20,5.5,1.4"]
                (folder / "log.csv").write_text("\n".join(lines) + "\n")
        network.save(
            tmp_path
            / speech_runs.speech("against", speech_runs.FIRST_SEED, "smoke").name
        )
        work = Workspace(ARTEFACT, "smoke", tmp_path, tmp_path / "made")
        rows, claims, pictures = written(work)
        check_text(work)
        assert pictures == {"spectra.png", "attention.png", "training.png"}
        return rows, claims

    return make


VALUES = {
    "untrained": (1.0, 1.0, 0.9, 0.25),
    "beside": (0.01, 0.5, 0.95, 0.9),
    "against": (0.02, 0.4, 0.5, 0.25),
}


def test_ledger_of_features_that_lose_the_speaker(ledger):
    rows, claims = ledger(VALUES)
    assert len(rows) == 3 * 8
    assert rows["beside_unseen_character_error"].measured == pytest.approx(50.05)
    assert rows["against_probe_accuracy"].n == 2
    assert rows["untrained_probe_accuracy"].n == 1
    assert claims["1_hidden"].effect == pytest.approx(-45)
    assert claims["1_kept"].effect == pytest.approx(1)
    assert claims["2"].effect == pytest.approx(-10)
    # 50 and 50.1 % beside 25 and 26.1 %.
    assert claims["3"].effect == pytest.approx(24.5)
    assert {each.verdict for each in claims.values()} == {"holds"}


def test_ledger_of_features_that_keep_the_speaker(ledger):
    _, claims = ledger(VALUES | {"against": (0.05, 0.52, 0.94, 0.95)})
    assert {each.verdict for each in claims.values()} == {"does not hold"}
    assert claims["2"].effect == pytest.approx(2)
