"""From plan to ledger: what all artefacts of all sources share."""

import pytest

from tfsemae import experiments
from tfsemae.experiments.artefact import Artefact, Workspace
from tfsemae.experiments.ming2022 import attack_runs, runs
from tfsemae.reports import Ledger

ARTEFACTS = experiments.artefacts()


def _workspace(artefact, scale, folder):
    return Workspace(ARTEFACTS[artefact], scale, folder, folder / "made")


@pytest.mark.parametrize("name", ARTEFACTS)
def test_smoke_needs_no_data_and_few_steps(name, parsed):
    for run in ARTEFACTS[name].all_runs("smoke"):
        if run.command == "train":
            chosen = parsed(run)
            assert chosen.data.dataset in ("digits", "moebius", "ring", "speech")
            assert chosen.optimizer.steps <= 20


@pytest.mark.parametrize("scale", ["full", "smoke"])
@pytest.mark.parametrize("name", ARTEFACTS)
def test_what_a_run_takes_is_planned_before_it(name, scale):
    planned = set()
    for run in ARTEFACTS[name].all_runs(scale):
        assert {each.name for each in run.inputs.values()} <= planned
        assert run.name not in planned
        planned.add(run.name)
    assert {run.name for run in ARTEFACTS[name].runs(scale)} <= planned


def test_seconds_are_those_of_all_runs_attacks_and_inputs_included(
    tmp_path, finish, attack_metrics, attacked
):
    name = "ming2022_cifar10_seeds"
    planned = ARTEFACTS[name].all_runs("smoke")
    assert {run.command for run in planned} == {"train", "attack"}
    for number, run in enumerate(planned):
        metrics = {"label_accuracy": 0.5}
        if run.command == "attack":
            metrics = attack_metrics()
        finish(run, metrics, seconds=2.0**number)
    workspace = _workspace(name, "smoke", tmp_path)
    ARTEFACTS[name].write_ledger(workspace)
    ledger = Ledger.read(workspace.output_dir)
    assert ledger.seconds == 2 ** len(planned) - 1
    assert (ledger.artefact, ledger.scale) == (name, "smoke")
    assert ledger.command == f"./reproduce.sh {name} --scale=smoke"


def test_choices_are_read_from_the_flags_of_the_run(tmp_path, finish):
    workspace = _workspace("ming2022_mnist", "smoke", tmp_path)
    run = runs.table_2("smoke")[runs.WEIGHT][0]
    folder = finish(run, {})
    assert workspace.choice("semantic_weight", run, "why").value == runs.WEIGHT
    lines = (folder / "flags.txt").read_text().splitlines()
    changed = [line for line in lines if "semantic_weight" not in line]
    (folder / "flags.txt").write_text("\n".join([*changed, "--semantic_weight=0.25"]))
    choice = workspace.choice("semantic_weight", run, "why")
    assert (choice.flag, choice.value) == ("semantic_weight", 0.25)
    assert choice.reason == "why"


def test_a_flag_that_older_flags_lack_means_its_default(tmp_path, finish):
    workspace = _workspace("ming2022_mnist", "smoke", tmp_path)
    run = runs.table_2("smoke")[None][0]
    (finish(run, {}) / "flags.txt").write_text("--output_dir=x\n")
    assert workspace.choice("train_decoder", run, "").value is False
    assert workspace.choice("encoder_from", run, "").value is None


@pytest.mark.parametrize(
    ("artefact", "scale", "tags"),
    [
        ("ming2022_cifar10", "full", ("as printed", "our choice")),
        ("ming2022_cifar10_seeds", "full", ("reduced", "reduced")),
        ("ming2022_plateau", "full", ("reduced", "reduced")),
        ("ming2022_cifar10", "smoke", ("stand-in", "stand-in")),
    ],
)
def test_tags_of_printed_and_other_rows(artefact, scale, tags, tmp_path):
    workspace = _workspace(artefact, scale, tmp_path)
    assert (workspace.tag(39.93), workspace.tag(None)) == tags


@pytest.mark.parametrize(
    ("reduced", "scale", "expected"),
    [
        (False, "full", "full"),
        (True, "full", "reduced"),
        (True, "smoke", "smoke"),
        (False, "smoke", "smoke"),
    ],
)
def test_scale_of_the_ledger(reduced, scale, expected):
    artefact = Artefact("a_b", "", lambda scale: [], "table2", reduced)
    assert artefact.ledger_scale(scale) == expected


def test_folders_are_named_by_the_runs(tmp_path):
    workspace = _workspace("ming2022_cifar10", "full", tmp_path)
    run = attack_runs.PLANS["ming2022_cifar10"]["full"].victim(0)
    assert workspace.folders([run]) == [tmp_path / run.name]
