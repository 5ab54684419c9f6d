"""Victims, attackers and controls are what section IV says."""

import pytest

from tfsemae import settings
from tfsemae.experiments import artefacts
from tfsemae.experiments.ming2022 import runs


@pytest.fixture
def planned(parsed):
    """Name of the run -> its flags, of the runs of a command."""

    def plan(artefact, command):
        return {
            run.name: settings.flat(parsed(run))
            for run in artefacts()[artefact].all_runs("full")
            if run.command == command
        }

    return plan


def test_full_length_is_trainings_of_the_printed_length_and_an_attack_by_each(planned):
    found = planned("ming2022_cifar10", "train")
    (victim_name, victim), *others = found.items()
    for run in found.values():
        assert (run["dataset"], run["classes"]) == (
            "cifar10",
            ("airplane", "automobile"),
        )
        assert (run["steps"], run["batch_size"]) == (10_000, 32)
        assert (run["learning_rate"], run["decay_rate"]) == (0.001, 0.96)
        assert run["train_decoder"] is False
    assert (victim["semantic"], victim["decoder_from"]) == (False, None)
    folder = f"runs/{victim_name}"
    # They differ in nothing but where the encoder begins, and the weight.
    own = {"encoder_from", "output_dir", "semantic_weight"}
    (_, first), (_, second) = others
    assert (first["encoder_from"], second["encoder_from"]) == (None, folder)
    assert {key for key in first if first[key] != second[key]} == own
    assert first["decoder_from"] == folder
    assert first["seed"] != victim["seed"]
    assert first["semantic"] is first["shuffle_labels"] is True
    assert (first["semantic_weight"], second["semantic_weight"]) == (1, runs.WEIGHT)
    attacks = planned("ming2022_cifar10", "attack")
    for run, (name, _) in zip(attacks.values(), others, strict=True):
        assert run["model_dir"] == folder
        assert run["attacker_dir"] == f"runs/{name}"
        assert (run["split"], run["examples"]) == ("test", None)  # all 2,000
        assert run["equal_norm_dir"] is None


def test_five_victims_have_attackers_and_controls_of_their_own(planned):
    found = planned("ming2022_cifar10_seeds", "train")
    assert {run["steps"] for run in found.values()} == {2500}
    victims = [name for name, run in found.items() if run["decoder_from"] is None]
    assert [found[name]["seed"] for name in victims] == [10, 11, 12, 13, 14]
    for victim in victims:
        mine = [r for r in found.values() if r["decoder_from"] == f"runs/{victim}"]
        # Weight 1 with shuffled labels, twice, and with true ones; the default weight;
        # and none.
        kinds = [
            (run["semantic"], run["shuffle_labels"], run["semantic_weight"])
            for run in mine
            if run["semantic"]
        ]
        assert sorted(kinds) == sorted(
            [*2 * [(True, True, 1)], (True, False, 1), (True, True, runs.WEIGHT)]
        )
        assert len(mine) == 5
        assert len({run["seed"] for run in mine}) == 2
    assert len({run["seed"] for run in found.values()}) == 15


def test_controls_take_the_norm_of_the_attack_that_they_control(planned):
    trainings = planned("ming2022_cifar10_seeds", "train")
    attacks = planned("ming2022_cifar10_seeds", "attack").values()
    assert len(attacks) == 5 * 6
    own = [run for run in attacks if run["equal_norm_dir"] is None]
    assert all(run["controls"] and "0.01" in run["scales"] for run in own)
    assert {run["seed"] for run in attacks} == {10, 11, 12, 13, 14}  # of the noise
    controls = [run for run in attacks if run["equal_norm_dir"] is not None]
    assert len(controls) == 5 * 4
    for run in controls:
        attacker, norm_of = (
            trainings[run[key].removeprefix("runs/")]
            for key in ("attacker_dir", "equal_norm_dir")
        )
        assert attacker["decoder_from"] == norm_of["decoder_from"] == run["model_dir"]
        assert norm_of["shuffle_labels"] is True
        assert (run["controls"], run["scales"]) == (False, None)
        if attacker["semantic"]:
            assert attacker["semantic_weight"] == norm_of["semantic_weight"]
