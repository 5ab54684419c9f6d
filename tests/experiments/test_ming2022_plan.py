"""What is run is what the paper prints and what the flags' defaults say."""

import json
import pathlib
import subprocess
import sys

import pytest

from tfsemae.experiments.ming2022 import plan

_ROOT = pathlib.Path(__file__).parents[2]
# In a process of its own: the flags of two commands share names.
_READ_FLAGS = """
import json, sys
from absl import flags
from tfsemae import train
names = ["loss", "initializer", "semantic_weight", "batch_size", "learning_rate",
         "decay_rate", "decay_steps", "steps", "semantic", "seed", "dataset"]
found = [{name: flags.FLAGS[name].default for name in names}]
for arguments in json.load(sys.stdin):
    flags.FLAGS(["train", *arguments, "--output_dir=x"])
    found.append({name: flags.FLAGS[name].value for name in names})
    flags.FLAGS.unparse_flags()
    for name in names:
        flags.FLAGS[name].unparse()
assert "tensorflow" not in sys.modules
print(json.dumps(found))
"""


def _parsed(runs):
    """Defaults of `tfsemae.train`, then its flags for each run."""
    result = subprocess.run(
        [sys.executable, "-c", _READ_FLAGS],
        input=json.dumps([run.flags for run in runs.values()]),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout)


def test_defaults_are_as_printed_and_as_chosen():
    (defaults,) = _parsed({})
    assert defaults | {"loss": plan.LOSS, "dataset": "mnist"} == defaults
    assert defaults["initializer"] == plan.INITIALIZER
    assert defaults["semantic_weight"] == plan.WEIGHT
    # Ming 2022, section III.
    assert defaults["batch_size"] == 32
    assert defaults["learning_rate"] == 0.001
    assert (defaults["decay_rate"], defaults["decay_steps"]) == (0.96, 100)
    assert defaults["steps"] == 10_000


def test_table_2_is_ten_runs_of_the_defaults():
    runs = plan.runs("ming2022_mnist", "full")
    defaults, *found = _parsed(runs)
    expected = [
        defaults | {"semantic": semantic, "seed": seed}
        for seed in range(5)
        for semantic in (False, True)
    ]
    assert found == expected


def test_plateau_compares_each_loss_with_each_initialiser():
    runs = plan.runs("ming2022_plateau", "full")
    _, *found = _parsed(runs)
    # 2 losses, 4 initialisers, 2 networks, 5 seeds, 1,500 steps, weight 1.
    compared = {
        (run["loss"], run["initializer"], run["semantic"], run["seed"]) for run in found
    }
    assert len(compared) == len(runs) == 2 * 4 * 2 * 5
    assert {run["steps"] for run in found} == {1500}
    assert {run["semantic_weight"] for run in found if run["semantic"]} == {1}


def test_frontier_pairs_each_weight_with_the_vanilla_network():
    runs = plan.runs("ming2022_weight", "full")
    _, *found = _parsed(runs)
    full = plan.SCALES["full"]
    assert {run["seed"] for run in found} == set(range(full.weight_seeds))
    for seed in range(full.weight_seeds):
        mine = [run for run in found if run["seed"] == seed]
        weights = [run["semantic_weight"] for run in mine if run["semantic"]]
        assert weights == list(full.weights)
        assert sum(not run["semantic"] for run in mine) == 1
    assert len({run["steps"] for run in found}) == 1


@pytest.mark.parametrize(
    "artefact", ["ming2022_mnist", "ming2022_plateau", "ming2022_weight"]
)
def test_smoke_needs_no_data(artefact):
    _, *found = _parsed(plan.runs(artefact, "smoke"))
    assert {run["dataset"] for run in found} == {"digits"}
    assert max(run["steps"] for run in found) <= 20
