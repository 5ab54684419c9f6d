"""Victims, attackers and controls are what section IV says."""

import json
import pathlib
import subprocess
import sys

import pytest

from tfsemae.experiments.ming2022 import attack_plan, plan

_ROOT = pathlib.Path(__file__).parents[2]
# In processes of their own: the flags of two commands share names.
_READ_FLAGS = """
import importlib, json, sys
from absl import flags
command, runs = json.load(sys.stdin)
importlib.import_module(command)
found = []
for words in runs:
    flags.FLAGS([command, *words, "--output_dir=x"])
    found.append(flags.FLAGS.flag_values_dict())
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
print(json.dumps(found, default=str))
"""


def _parsed(runs, command):
    """Name of the run -> its flags, of the runs of a command."""
    chosen = {name: run for name, run in runs.items() if run.command == command}
    words = [run.words(pathlib.Path("runs"))[1:] for run in chosen.values()]
    result = subprocess.run(
        [sys.executable, "-c", _READ_FLAGS],
        input=json.dumps([f"tfsemae.{command}", words]),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return dict(zip(chosen, json.loads(result.stdout), strict=True))


def test_full_length_is_trainings_of_the_printed_length_and_an_attack_by_each():
    runs = attack_plan.runs("ming2022_cifar10", "full")
    found = _parsed(runs, "train")
    victim, *others = found.values()
    for run in found.values():
        assert (run["dataset"], run["classes"]) == (
            "cifar10",
            ["airplane", "automobile"],
        )
        assert (run["steps"], run["batch_size"]) == (10_000, 32)
        assert (run["learning_rate"], run["decay_rate"]) == (0.001, 0.96)
        assert run["train_decoder"] is None
    assert (victim["semantic"], victim["decoder_from"]) == (False, None)
    folder = f"runs/{next(iter(found))}"
    own = {"semantic", "shuffle_labels", "flagfile", "semantic_weight", "encoder_from"}
    roles = [(True, True), (True, False), (False, False)]
    starts = [(role, start) for start in (None, folder) for role in roles]
    # They differ in nothing but the classifier and where the encoder begins.
    for run, ((semantic, shuffled), start) in zip(others, starts, strict=True):
        assert (run["decoder_from"], run["encoder_from"]) == (folder, start)
        assert run["seed"] != victim["seed"]
        assert (run["semantic"], run["shuffle_labels"]) == (semantic, shuffled)
        assert not semantic or run["semantic_weight"] == plan.WEIGHT
        assert {k: v for k, v in run.items() if k not in own} == {
            k: v for k, v in others[0].items() if k not in own
        }
    attacks = _parsed(runs, "attack")
    names = list(found)
    for run, name in zip(attacks.values(), names[1:], strict=True):
        assert run["model_dir"] == folder
        assert run["attacker_dir"] == f"runs/{name}"
        assert (run["split"], run["examples"]) == ("test", None)  # all 2,000


def test_spread_is_over_three_victims_with_their_own_attackers():
    runs = attack_plan.runs("ming2022_cifar10_seeds", "full")
    found = _parsed(runs, "train")
    assert {run["steps"] for run in found.values()} == {2500}
    victims = [name for name, run in found.items() if run["decoder_from"] is None]
    assert [found[name]["seed"] for name in victims] == [0, 1, 2]
    for victim in victims:
        mine = [r for r in found.values() if r["decoder_from"] == f"runs/{victim}"]
        assert len(mine) == 5  # two weights with right and wrong labels, and none
        assert len({run["seed"] for run in mine}) == 1
    assert len({run["seed"] for run in found.values()}) == 6
    assert len(_parsed(runs, "attack")) == 15


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_other_data_sets_have_all_ten_classes(dataset):
    runs = attack_plan.runs(f"ming2022_attack_{dataset}", "full")
    for run in _parsed(runs, "train").values():
        assert (run["dataset"], run["classes"]) == (dataset, None)
    assert {run["examples"] for run in _parsed(runs, "attack").values()} == {2000}


@pytest.mark.parametrize("scale", ["full", "smoke"])
@pytest.mark.parametrize("artefact", list(attack_plan.PLANS["full"]))
def test_what_a_run_needs_is_planned_before_it(artefact, scale):
    planned = set()
    for name, run in attack_plan.runs(artefact, scale).items():
        assert set(run.folders.values()) <= planned
        planned.add(name)
    p = attack_plan.PLANS[scale][artefact]
    for attacker in attack_plan.attackers(p):
        assert attack_plan.attack(p, attacker, 0) in planned


@pytest.mark.parametrize("artefact", list(attack_plan.PLANS["smoke"]))
def test_smoke_needs_no_data(artefact):
    found = _parsed(attack_plan.runs(artefact, "smoke"), "train").values()
    assert {run["dataset"] for run in found} == {"digits"}
    assert max(run["steps"] for run in found) <= 20
