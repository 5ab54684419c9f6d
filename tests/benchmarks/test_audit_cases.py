"""The attacks that are timed do what is known of linear decoders, as does PyTorch."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tfsemae.audit.attacking import Space
from tfsemae.benchmarks import attack_cases, audit_cases, keras_audit

PEER = os.environ.get("TFSEMAE_PEER_PYTHON", sys.executable)
GAINS = np.float32([[0.5, 0, 0, 0], [0, 2.0, 0, 0]])
STARTS = np.float32([[[0.6, 0.3], [0.1, -0.9]]])


@pytest.fixture(scope="module")
def space():
    decoder = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, use_bias=False),
            keras.layers.Reshape((2, 2, 1)),
        ]
    )
    decoder.layers[0].set_weights([GAINS])
    return Space(name="latent", network=decoder, shape=(2,), spread=1.0, bounds=None)


def test_strong_attack_goes_along_the_largest_gain(space):
    attack = keras_audit.strong(space, 0.3, steps=3)
    found = attack(np.zeros((2, 2), np.float32), STARTS, STARTS[0])
    # The mean over four pixels of the square of twice the radius.
    np.testing.assert_allclose(found, (2 * 0.3) ** 2 / 4, rtol=1e-3)


def test_search_finds_the_least_norm(space):
    search = keras_audit.search(space, steps=3)
    found = search(np.zeros((2, 2), np.float32), STARTS, STARTS[0])
    expected = np.sqrt(4 * keras_audit.LEVEL) / 2
    assert (found >= expected * 0.9999).all()
    np.testing.assert_allclose(found, expected, rtol=1e-2)


@pytest.mark.parametrize("case", audit_cases.CASES)
def test_pytorch_finds_as_much(case, tmp_path):
    try:
        attack_cases.versions("peer_python", PEER, ["torch"])
    except ValueError:
        pytest.skip(f"{PEER} does not have torch")
    work = audit_cases.Work(
        folder=tmp_path,
        examples=3,
        batch_size=2,  # the last batch is a smaller one
        restarts=1,
        steps=5,
        peer_python=PEER,
    )
    work.write()
    cases = audit_cases.measure(work, case, threads=1, repeats=1)
    assert len(cases) == 2
    for found in cases:
        assert found.unit == "images/min"
        assert min(found.ours, found.peer) > 0
        # From other vectors the singular ones begin; and ours shortens what it finds.
        assert found.outcome_ours == pytest.approx(found.outcome_peer, rel=0.05)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--cases=nothing", "--cases=nothing must be among strong, search"),
        ("--peer_python=no/such", "--peer_python=no/such does not have all of torch"),
    ],
)
def test_wrong_flag_is_one_message(flag, message, tmp_path):
    output = tmp_path / "audit.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tfsemae.benchmarks.audit"),
            *(flag, f"--output={output}"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=pathlib.Path(__file__).parents[2],
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()
