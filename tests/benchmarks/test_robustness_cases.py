"""Equal outcomes of both sides, where the peers are installed."""

import functools
import json
import os
import sys

import numpy as np
import pytest

from tfsemae import evaluation, models, settings
from tfsemae.benchmarks import attack_cases, robustness_cases

# Peers are often kept in environments of their own.
PEER = os.environ.get("TFSEMAE_PEER_PYTHON", sys.executable)
TENSORFLOW_PEER = os.environ.get("TFSEMAE_TENSORFLOW_PEER_PYTHON", sys.executable)


@pytest.fixture(scope="module")
def grey(images_file, tmp_path_factory):
    """A file of images of little contrast, of which attacks mislead some."""
    path = tmp_path_factory.mktemp("grey") / "images.npz"
    with np.load(images_file) as found:
        arrays = dict(found)
    for name in ("images", "test_images"):
        arrays[name] = np.uint8(np.rint(128 + 0.3 * (arrays[name] - 128.0)))
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory, grey):
    """Of a network as a training leaves it: random ones, but the last layer fitted."""
    folder = tmp_path_factory.mktemp("model")
    built = models.build("preact_resnet8", (12, 12, 1), tuple("0123"), seed=0)
    random = np.random.default_rng(0)
    for layer in built.network.layers:
        if layer.name.endswith("_norm"):
            gamma, beta, mean, variance = (each.shape for each in layer.weights)
            layer.set_weights(
                [
                    random.uniform(0.5, 1.5, gamma),
                    random.normal(0, 0.1, beta),
                    random.normal(0, 0.1, mean),
                    random.uniform(0.5, 1.5, variance),
                ]
            )
    with np.load(grey) as found:
        pixels, labels = found["images"] / np.float32(255), found["labels"]
    features = np.pad(built.joint()(pixels)["features"], ((0, 0), (0, 1)))
    features[:, -1] = 1
    ridge = features.T @ features + 1e-3 * np.eye(features.shape[1])
    fitted = np.linalg.solve(ridge, features.T @ np.eye(4)[labels])
    built.network.get_layer("logits").set_weights([fitted[:-1], fitted[-1]])
    built.save(folder)
    (folder / "flags.txt").write_text(f"--dataset={grey}\n", "utf-8")
    (folder / "metrics.json").write_text(json.dumps({"accuracy": 1.0}), "utf-8")
    return folder


@pytest.fixture(scope="module")
def work(model_dir, tmp_path_factory):
    made = robustness_cases.Work(
        folder=tmp_path_factory.mktemp("workload"),
        model_dir=str(model_dir),
        data_dir=None,
        manual_dir=None,
        examples=40,
        attack_batch_size=25,  # the last batch is a smaller one
        apgd_steps=100,
        batch_size=64,
        steps=2,
        peer_python=PEER,
        tensorflow_peer_python=TENSORFLOW_PEER,
    )
    made.write()
    return made


def _said(program):
    with program:
        program.wait()
        assert program.turn() > 0
        return {name: np.asarray(values) for name, values in program.said.items()}


def _outcomes(program):
    return _said(program)["outcomes"]


@pytest.fixture(scope="module")
def ours(work):
    """Case -> outcomes of ours."""
    return functools.cache(lambda case: _outcomes(work.ours(case, 1)))


def test_pgd_is_that_of_the_command(ours, model_dir, tmp_path):
    values = {
        "attack": "robust_accuracy",
        "attacks": ("pgd20",),
        "model_dir": str(model_dir),
        "output_dir": str(tmp_path),
        "check_examples": 0,
        "batch_size": 40,
    }
    evaluation.attack_run(settings.make(evaluation.AttackSettings, values))
    with np.load(tmp_path / "measurements.npz") as found:
        expected = found["pgd20/correct"]
        assert 0 < expected.sum() < found["clean/correct"].sum()
    np.testing.assert_array_equal(ours("pgd20"), 100.0 * expected)


def _needs(python, packages):
    try:
        attack_cases.versions("peer_python", python, packages)
    except ValueError:
        pytest.skip(f"{python} does not have {', '.join(packages)}")


def test_pytorch_trains_to_the_same_loss(work):
    _needs(PEER, ["torch"])
    ours = _said(work.ours("training", 1))
    change = ours["outcomes"] - ours["before"]
    for name, program in work.peers("training", 1):
        found = _said(program)
        assert found["before"] == pytest.approx(ours["before"], rel=1e-5), name
        # Signs of gradients near 0 differ by rounding, and so does a part of what is
        # trained on; moving variances of PyTorch are divided by one less.
        difference = found["outcomes"] - ours["outcomes"]
        assert abs(difference) < 0.05 * abs(change), name


def test_pytorch_misleads_the_same_images(work, ours):
    _needs(PEER, ["torch"])
    case = "pgd20"
    for name, program in work.peers(case, 1):
        if name.endswith("TensorFlow"):
            program.__exit__()
            continue
        found = np.mean(_outcomes(program))
        # An image is 2.5 points; signs of gradients near 0 differ by rounding.
        assert found == pytest.approx(np.mean(ours(case)), abs=2.5), name


@pytest.mark.parametrize("case", robustness_cases.WITH_TENSORFLOW)
def test_libraries_lead_to_the_same(work, ours, case):
    packages = attack_cases.WITH_TENSORFLOW["pgd_tensorflow"]
    _needs(TENSORFLOW_PEER, packages)
    for name, program in work.peers(case, 1):
        if not name.endswith("TensorFlow"):
            program.__exit__()
            continue
        # APGD begins at points of its own. An image is 2.5 points.
        found = np.mean(_outcomes(program))
        assert found == pytest.approx(np.mean(ours(case)), abs=2.5), name
