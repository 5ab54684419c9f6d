import json
import os
import subprocess
import sys

import pytest

#: All are errors but that of Keras where it saves.
_WARNINGS = (
    "error",
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)


def _run(*words):
    return subprocess.run(
        [sys.executable, "-m", "tfsemae.benchmarks.attacks", *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": ",".join(_WARNINGS)},
        check=False,
    )


def test_measures_what_needs_no_peer(tmp_path):
    path = tmp_path / "attacks.json"
    done = _run(
        *("--cases=mmd", "--threads=1", "--repeats=1", "--examples=1"),
        f"--output={path}",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    assert found["name"] == "attacks"
    assert found["command"] == (
        "python -m tfsemae.benchmarks.attacks --batch_size=100 --cases=mmd "
        "--examples=1 --lpips_net=alex --repeats=1 --steps=10 --threads=1"
    )
    (case,) = found["cases"]
    assert case["case"] == "maximum mean discrepancy and gradient"
    assert case["case"] in done.stdout
    assert case["ratio"] == case["ours"] / case["peer"] > 0
    # Float32 of 512 x 512 values of the kernel.
    assert case["outcome_ours"] == pytest.approx(case["outcome_peer"], abs=1e-6)
    assert case["outcome_ours"] > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--cases=pgd,nothing"],
            "must be among pgd, pgd_tensorflow, ssim",
        ),
        (["--cases=lpips"], "Name their folder by --lpips_weights"),
        (
            ["--cases=ssim", "--peer_python=no/such/python"],
            "--peer_python=no/such/python does not have all of torch",
        ),
        (
            ["--cases=pgd_tensorflow", "--tensorflow_peer_python=no/such/python"],
            "--tensorflow_peer_python=no/such/python does not have all of tensorflow",
        ),
    ],
)
def test_a_wrong_flag_is_one_message(flags, message, tmp_path):
    done = _run(*flags, f"--output={tmp_path / 'attacks.json'}")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
