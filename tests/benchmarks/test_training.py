import json
import os
import subprocess
import sys

import pytest

from tfsemae.reports import environment

#: All are errors but those of the oldest matplotlib beside the newest pyparsing.
_WARNINGS = (
    "error",
    "ignore::DeprecationWarning:matplotlib._fontconfig_pattern",
    "ignore::DeprecationWarning:matplotlib._mathtext",
)


def _run(*words):
    return subprocess.run(
        [sys.executable, "-m", "tfsemae.benchmarks.training", *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": ",".join(_WARNINGS)},
        check=False,
    )


def test_measures_our_own_cases(tmp_path, monkeypatch):
    path = tmp_path / "training.json"
    done = _run(
        *("--cases=input,runs", "--threads=1", "--repeats=1", "--steps=3"),
        *("--dataset=synthetic", f"--output={path}"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    # As the command sets it for itself and its programs.
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    versions, machine = environment()
    assert found["name"] == "training"
    assert found["command"] == (
        "python -m tfsemae.benchmarks.training --cases=input,runs --dataset=synthetic "
        "--repeats=1 --steps=3 --threads=1"
    )
    assert (found["versions"], found["machine"]) == (versions, machine)
    inputs, runs = found["cases"]
    assert (inputs["case"], inputs["threads"]) == ("input pipeline", 1)
    assert (runs["case"], runs["threads"]) == ("two runs of one thread", 2)
    for case in found["cases"]:
        assert case["unit"] == "images/s"
        assert case["ratio"] == case["ours"] / case["peer"] > 0
        assert case["case"] in done.stdout
    # The constant batch comes behind the turn that leads to the outcome.
    assert inputs["outcome_ours"] == inputs["outcome_peer"]
    # Another number of threads sums in another order, three steps long.
    assert runs["outcome_ours"] == pytest.approx(runs["outcome_peer"], rel=1e-5)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--cases=pytorch,nothing", "must be among pytorch, channels, matmul"),
        ("--cases=", "Error: --cases= is empty. Give it a value."),
        ("--threads=0", "must be whole numbers from 1 on"),
        ("--threads=1,two", "must be whole numbers from 1 on"),
        ("--repeats=0", "0 is not a positive integer"),
        ("--dataset=cifar10", "value should be one of <mnist|"),
        ("--peer_python=no/such/python", "--peer_python=no/such/python cannot import"),
    ],
)
def test_a_wrong_flag_is_one_message(flag, message, tmp_path):
    done = _run(flag, f"--output={tmp_path / 'training.json'}")
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_output_that_cannot_be_written_is_said_before_measuring(tmp_path):
    (tmp_path / "file").touch()
    done = _run(f"--output={tmp_path / 'file' / 'training.json'}")
    assert done.stderr.startswith("Error: --output=")
    assert "cannot be written" in done.stderr
    assert done.returncode == 1
    done = _run(f"--output={tmp_path}")
    assert done.stderr == f"Error: --output={tmp_path} is a folder. Name a file.\n"


def test_help_needs_no_tensorflow():
    code = (
        "import sys; import tfsemae.benchmarks.training;"
        "print(sorted({'tensorflow', 'keras', 'numpy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
