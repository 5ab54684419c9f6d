import json
import subprocess
import sys

import numpy as np
import pytest

from tfsemae.attacks import distances
from tfsemae.benchmarks import lbfgsb_solvers


def _run(*words):
    return subprocess.run(
        [sys.executable, "-m", "tfsemae.benchmarks.lbfgsb", *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_methods_end_at_the_same_minima():
    work = lbfgsb_solvers.workload(
        size=12, pairs=2, penalties=4, width=8, maxiter=15000, dtype="float64"
    )
    # Of each pair one problem with each penalty.
    np.testing.assert_array_equal(work.penalty[:4], work.penalty[4:])
    np.testing.assert_array_equal(work.start[0], work.start[3])
    found = {name: method(work, 3)() for name, method in lbfgsb_solvers.METHODS.items()}
    assert len(found["batched"].minima) == 8
    for name in ("single", "tiled"):
        np.testing.assert_allclose(
            found[name].minima, found["batched"].minima, rtol=1e-8
        )  # by far less than the precision of float32
    # The least penalty costs nothing, and with the largest no distortion pays.
    clean = distances.kl(work.encoder(work.start), work.target)
    np.testing.assert_allclose(found["batched"].minima[3::4], clean[3::4], rtol=1e-4)
    assert np.all(found["batched"].minima[::4] < 0.5 * clean[::4])


def test_measures_both_peers(tmp_path):
    path = tmp_path / "lbfgsb.json"
    done = _run(
        *("--sizes=9", "--threads=1", "--repeats=1", "--pairs=1", "--penalties=2"),
        *("--width=4", "--maxiter=30", f"--output={path}"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    assert found["name"] == "lbfgsb"
    assert found["command"] == (
        "python -m tfsemae.benchmarks.lbfgsb --batch_size=64 --dtype=float32 "
        "--maxiter=30 --pairs=1 --penalties=2 --repeats=1 --sizes=9 --threads=1 "
        "--width=4"
    )
    assert [case["peer_name"] for case in found["cases"]] == [
        "SciPy, one problem at a time",
        "SciPy, one problem at a time in 100 equal rows",
    ]
    for case in found["cases"]:
        assert case["unit"] == "problems/s"
        assert case["ratio"] == case["ours"] / case["peer"] > 0
        assert case["outcome_ours"] == pytest.approx(case["outcome_peer"], rel=1e-4)
        assert case["case"] in done.stdout


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--sizes=0", "--sizes=0 must be whole numbers from 1 on"),
        ("--threads=1,two", "--threads=1,two must be whole numbers from 1 on"),
        ("--dtype=float16", "value should be one of <float32|float64>"),
    ],
)
def test_a_wrong_flag_is_one_message(flag, message, tmp_path):
    done = _run(flag, f"--output={tmp_path / 'lbfgsb.json'}")
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
