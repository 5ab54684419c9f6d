import json
import pathlib

import pytest

from tfsemae import run_folder, settings

_ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch):
    monkeypatch.chdir(_ROOT)  # flagfiles are named from there


@pytest.fixture
def parsed():
    """The settings that a run's command line gives."""

    def parse(run):
        _, *words = run.words(pathlib.Path("runs"), {})
        return settings.parse(run.group, words)

    return parse


@pytest.fixture
def finish(tmp_path):
    """Makes the folder of a finished run, without running it."""

    def make(run, metrics, *, seconds=1.0, runs_dir=tmp_path):
        folder = runs_dir / run.name
        folder.mkdir(parents=True)
        _, *words = run.words(runs_dir, {})
        flags = settings.serialized(settings.parse(run.group, words))
        (folder / run_folder.FLAGS_FILE).write_text("\n".join(flags.values()))
        (folder / run_folder.SECONDS_FILE).write_text(json.dumps({"seconds": seconds}))
        (folder / run_folder.METRICS_FILE).write_text(json.dumps(metrics))
        return folder

    return make
