"""From finished runs to the ledger of the follow-up."""

import collections

import numpy as np
import pytest

from tfsemae import experiments, metrics
from tfsemae.experiments import intervals
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.tabacof2018 import draw, runs
from tfsemae.reports import Ledger

PAIRS = 8


def _curves(folder, middle):
    """An attack whose pairs have lines up to hinges around one."""
    x = np.linspace(0, 1, 30)
    hinges = middle + np.linspace(-0.05, 0.05, PAIRS)
    y = np.stack([1 - np.minimum(x / hinge, 1) for hinge in hinges])
    np.savez(
        folder / "measurements.npz",
        **{
            "pairs": np.arange(2 * PAIRS).reshape(-1, 2),
            "curve/distortion": np.broadcast_to(x, y.shape),
            "curve/distance": y,
            "curve/auddc": np.array([metrics.auddc(x, each) for each in y]),
            "adversarial/distortion": 10 * np.broadcast_to(x, y.shape),
        },
    )


def test_plan(parsed):
    planned = experiments.artefacts()["tabacof2018_draw"].all_runs("full")
    found = collections.Counter(run.command for run in planned)
    assert found == {"train": 4, "attack": 8}
    for run in planned:
        chosen = parsed(run)
        if run.command == "train":
            optimizer = chosen.optimizer
            assert (optimizer.steps, optimizer.learning_rate) == (6450, 0.001)
            assert chosen.network.variational
        else:
            assert chosen.run.examples == 20


@pytest.mark.parametrize(
    ("attention", "output", "expected"),
    [(0.8, 0.9, "holds"), (0.6, 0.5, "does not hold")],
)
def test_ledger(tmp_path, finish, monkeypatch, attention, output, expected):
    monkeypatch.setattr(intervals, "_RESAMPLES", 50)
    monkeypatch.setattr(draw, "draw", lambda *arguments: [])
    hinges = {"vae": 0.4, "cvae": 0.45, "draw": 0.6, "draw_attention": attention}
    artefact = experiments.artefacts()["tabacof2018_draw"]
    for run in artefact.all_runs("full"):
        folder = finish(run, {})
        if run.command == "attack":
            name, _, kind = run.label.removeprefix("tabacof2018_").rpartition("_")
            _curves(folder, hinges[name] if kind == "kl" else output)
    work = Workspace(artefact, "full", tmp_path, tmp_path / "made")
    artefact.write_ledger(work)
    ledger = Ledger.read(work.output_dir)
    found = {claim.id: claim for claim in ledger.claims}
    assert set(found) == {
        *("recurrence", "attention"),
        *(f"output_{network.id}" for network in runs.NETWORKS),
    }
    assert found["recurrence"].verdict == "holds"
    assert found["attention"].verdict == expected
    assert found["output_draw_attention"].verdict == expected
    # The area of a triangle is half of its hinge.
    assert found["recurrence"].effect == pytest.approx(0.1, abs=0.005)
    assert found["recurrence"].note.startswith("p = ")
    assert {row.tag for row in ledger.rows} == {"reduced"}
    assert all(row.printed is None for row in ledger.rows)
