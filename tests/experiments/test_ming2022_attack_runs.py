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
    own = {"semantic", "shuffle_labels", "semantic_weight", "encoder_from"}
    own.add("output_dir")
    roles = [(True, True), (True, False), (False, False)]
    starts = [(role, start) for start in (None, folder) for role in roles]
    # They differ in nothing but the classifier and where the encoder begins.
    (_, first), *_ = others
    for (_, run), ((semantic, shuffled), start) in zip(others, starts, strict=True):
        assert (run["decoder_from"], run["encoder_from"]) == (folder, start)
        assert run["seed"] != victim["seed"]
        assert (run["semantic"], run["shuffle_labels"]) == (semantic, shuffled)
        assert not semantic or run["semantic_weight"] == runs.WEIGHT
        assert {k: v for k, v in run.items() if k not in own} == {
            k: v for k, v in first.items() if k not in own
        }
    attacks = planned("ming2022_cifar10", "attack")
    for run, (name, _) in zip(attacks.values(), others, strict=True):
        assert run["model_dir"] == folder
        assert run["attacker_dir"] == f"runs/{name}"
        assert (run["split"], run["examples"]) == ("test", None)  # all 2,000


def test_spread_is_over_three_victims_with_their_own_attackers(planned):
    found = planned("ming2022_cifar10_seeds", "train")
    assert {run["steps"] for run in found.values()} == {2500}
    victims = [name for name, run in found.items() if run["decoder_from"] is None]
    assert [found[name]["seed"] for name in victims] == [0, 1, 2]
    for victim in victims:
        mine = [r for r in found.values() if r["decoder_from"] == f"runs/{victim}"]
        assert len(mine) == 5  # two weights with right and wrong labels, and none
        assert len({run["seed"] for run in mine}) == 1
    assert len({run["seed"] for run in found.values()}) == 6
    assert len(planned("ming2022_cifar10_seeds", "attack")) == 15


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_other_data_sets_have_all_ten_classes(planned, dataset):
    artefact = f"ming2022_attack_{dataset}"
    for run in planned(artefact, "train").values():
        assert (run["dataset"], run["classes"]) == (dataset, None)
    attacks = planned(artefact, "attack").values()
    assert {run["examples"] for run in attacks} == {2000}
