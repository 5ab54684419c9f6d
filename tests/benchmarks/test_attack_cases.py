"""Equal outcomes of both sides, where the peers are installed."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tfsemae.benchmarks import attack_cases

# Peers are often kept in environments of their own.
PEER = os.environ.get("TFSEMAE_PEER_PYTHON", sys.executable)
TENSORFLOW_PEER = os.environ.get("TFSEMAE_TENSORFLOW_PEER_PYTHON", sys.executable)
WEIGHTS = os.environ.get("TFSEMAE_WEIGHTS_DIR")

NEEDED = attack_cases.WITH_PYTORCH | attack_cases.WITH_TENSORFLOW


@pytest.fixture(scope="module")
def make_work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workload")

    def make(group):
        python = TENSORFLOW_PEER if group == "pgd_tensorflow" else PEER
        try:
            attack_cases.versions("peer_python", python, NEEDED[group])
        except ValueError:
            pytest.skip(f"{python} does not have {', '.join(NEEDED[group])}")
        if group == "lpips" and WEIGHTS is None:
            pytest.skip("TFSEMAE_WEIGHTS_DIR names no folder with weights")
        work = attack_cases.Work(
            folder=folder,
            examples=6,
            batch_size=4,  # the last batch is a smaller one
            steps=10,
            peer_python=PEER,
            tensorflow_peer_python=TENSORFLOW_PEER,
            lpips_weights=WEIGHTS,
            lpips_net="alex",
        )
        if not (folder / "workload.npz").exists():
            work.write()
        return work

    return make


def _outcomes(program):
    with program:
        program.wait()
        assert program.turn() > 0
        return np.asarray(program.said["outcomes"])


@pytest.mark.parametrize("group", ["pgd", "pgd_tensorflow"])
def test_attacks_do_the_same_damage(make_work, group):
    work = make_work(group)
    ours = _outcomes(work.ours(group, 1))
    assert ours.min() > 1e-3
    for name, program in work.peers(group, 1):
        found = _outcomes(program)
        # Ten steps of float32, each summed in another order; from other first points
        # the damage differs by a tenth. Foolbox and ART return the last point.
        np.testing.assert_allclose(found, ours, rtol=1e-3, err_msg=name)


def test_structural_similarities_are_equal(make_work):
    work = make_work("ssim")
    ours = _outcomes(work.ours("ssim", 1))
    assert np.ptp(ours) > 0.1
    for name, program in work.peers("ssim", 1):
        np.testing.assert_allclose(_outcomes(program), ours, atol=1e-5, err_msg=name)


def test_perceptual_distances_are_equal(make_work):
    work = make_work("lpips")
    ours = _outcomes(work.ours("lpips", 1))
    assert np.ptp(ours) > 0.1
    for name, program in work.peers("lpips", 1):
        np.testing.assert_allclose(_outcomes(program), ours, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("name", ["peer_pgd", "torch_metrics"])
def test_peers_need_nothing_of_tfsemae(name, tmp_path):
    try:
        attack_cases.versions("peer_python", PEER, ["torch"])
    except ValueError:
        pytest.skip(f"{PEER} does not have torch")
    script = pathlib.Path(attack_cases.__file__).with_name(f"{name}.py")
    copy = tmp_path / "peer.py"
    copy.write_bytes(script.read_bytes())
    done = subprocess.run(
        [PEER, "-I", str(copy), "--help"], capture_output=True, text=True, check=True
    )
    assert "--folder" in done.stdout
