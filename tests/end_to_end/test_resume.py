"""Killed at any moment and started again, a run ends as if nothing had happened."""

import json
import signal

import numpy as np
import pytest
from tensorboard.backend.event_processing import event_accumulator

from tfsemae import models, settings, training
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure

CLASSES = tuple("0123456789")

#: Trains, but dies by SIGKILL after a step, or when a file would get its name.
DIES_AT = """
import os, runpy, signal, sys
moment = sys.argv.pop(1)
replace = os.replace

def replace_or_die(source, target):
    if os.path.basename(target) == moment:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
if moment.isdecimal():
    from tfsemae.training import callbacks
    on_train_batch_end = callbacks.StopOnNaN.on_train_batch_end

    def end_step_or_die(self, batch, logs=None):
        if self.model.steps_done() == int(moment):
            os.kill(os.getpid(), signal.SIGKILL)
        on_train_batch_end(self, batch, logs)

    callbacks.StopOnNaN.on_train_batch_end = end_step_or_die
runpy.run_module("tfsemae.train", run_name="__main__", alter_sys=True)
"""


def _variables(path):
    """Every variable of a checkpoint: weights, moments, and both counts of steps."""
    networks = models.build(
        "table1", (28, 28, 1), CLASSES, initializer="he_normal", seed=0
    )
    given = {"output_dir": "unused", "semantic": True}
    model = AutoencoderProcedure(
        networks, settings.make(training.Settings, given)
    ).model
    model.load_weights(path)
    return [*model.weights, *model.optimizer.variables]


def _log(folder):
    """The log without the seconds, which no two runs share."""
    lines = [line.split(",") for line in (folder / "log.csv").read_text().splitlines()]
    column = lines[0].index("seconds")
    return [line[:column] + line[column + 1 :] for line in lines]


def _shown(folder):
    """Name -> (step, content) of all that TensorBoard shows, without the seconds."""
    events = event_accumulator.EventAccumulator(
        str(folder / "tensorboard"), size_guidance={"tensors": 0}
    )
    events.Reload()
    return {
        name: [
            (event.step, event.tensor_proto.SerializeToString())
            for event in events.Tensors(name)
        ]
        for name in events.Tags()["tensors"]
        if name != "seconds"
    }


def _records(folder):
    return sorted(path.stem for path in (folder / "checkpoints").glob("step_*.json"))


@pytest.fixture(scope="module")
def killed_run(digits_flags, tmp_path_factory, run_forked):
    """The run of `digits_run`, killed five times on its way, and what it left.

    Its 11 steps have checkpoints at 4, 8 and 11.
    """
    folder = tmp_path_factory.mktemp("killed") / "run"
    flags = [*digits_flags, f"--output_dir={folder}"]
    script = folder.with_name("dies_at.py")
    script.write_text(DIES_AT)
    left = []

    def die_at(moment):
        ended = run_forked(script, moment, *flags)
        assert ended.status == -signal.SIGKILL, ended.messages
        left.append(_records(folder) if folder.exists() else [])

    die_at("flags.txt")  # before the run has begun
    die_at("step_00000004.weights.h5")  # while the first checkpoint is written
    die_at("6")  # in mid-interval
    die_at("step_00000008.json")  # between the weights and the record of them
    die_at("metrics.json")  # trained, saved, exported, but not measured
    ended = run_forked("tfsemae.train", *flags)
    assert ended.status == 0, ended.messages
    # It has been trained to the end, and is saved and measured.
    assert ended.messages[0] == "Saving the networks."
    assert json.loads(ended.out)["examples"] == 360
    return folder, left


def test_kills_came_at_the_intended_moments(killed_run):
    _, left = killed_run
    four, eight, end = "step_00000004", "step_00000008", "step_00000011"
    assert left == [[], [], [four], [four], [eight, end]]


@pytest.mark.parametrize("step", [8, 11])
def test_weights_optimizer_and_step_are_equal_bit_for_bit(digits_run, killed_run, step):
    name = f"checkpoints/step_{step:08d}.weights.h5"
    expected, found = _variables(digits_run / name), _variables(killed_run[0] / name)
    # 9 kernels and 9 biases with two moments each, the steps of the model, and the
    # updates of its optimizer.
    assert len(found) == 18 * 3 + 2
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), strict=True)
    assert [int(v.numpy()) for v in found if v.shape == ()] == [step] * 2


def test_logs_have_each_step_once(digits_run, killed_run):
    assert _log(killed_run[0]) == _log(digits_run)
    assert _shown(killed_run[0]) == _shown(digits_run)
    assert [step for step, _ in _shown(digits_run)["loss"]] == [4, 8, 11]


def test_measurements_and_pictures_are_equal(digits_run, killed_run):
    for name in ("metrics.json", "reconstructions.png", "tsne.png"):
        assert (killed_run[0] / name).read_bytes() == (digits_run / name).read_bytes()


def test_descriptions_are_equal(digits_run, killed_run):
    found, expected = (
        json.loads((folder / "autoencoder.json").read_text("utf-8"))
        for folder in (killed_run[0], digits_run)
    )
    # A .keras file holds the time of its making, and so do the digests.
    assert found.pop("sha256").keys() == expected.pop("sha256").keys()
    assert found == expected


def test_nothing_is_left_lying_about(digits_run, killed_run):
    def names(folder):
        return sorted(
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            # Each start has an event file of its own, named by time and process.
            if "tfevents" not in path.name and "evaluation" not in path.parts
        )

    assert names(killed_run[0]) == names(digits_run)
