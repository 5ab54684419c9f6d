import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--cases=pgd20,nothing"], "must be among training, pgd20, apgd"),
        (
            ["--cases=training", "--peer_python=no/such/python"],
            "--peer_python=no/such/python does not have all of torch",
        ),
        (
            ["--cases=apgd", "--tensorflow_peer_python=no/such/python"],
            "--tensorflow_peer_python=no/such/python does not have all of tensorflow",
        ),
    ],
)
def test_a_wrong_flag_is_one_message(flags, message, tmp_path):
    words = [*flags, "--model_dir=no/such", f"--output={tmp_path / 'out.json'}"]
    done = subprocess.run(
        [sys.executable, "-m", "tfsemae.benchmarks.robustness", *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
