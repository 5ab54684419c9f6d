"""The main job on real MNIST, short."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_PREPARED = pathlib.Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets"))


@pytest.mark.skipif(
    not (_PREPARED.expanduser() / "mnist").is_dir(),
    reason="MNIST is not prepared in TFDS_DATA_DIR",
)
def test_leaves_the_plateau_and_learns_the_labels(tmp_path):
    arguments = [
        "--flagfile=flags/ming2022_mnist_semantic.flags",
        *("--steps=500", "--nomeasure_classes"),
    ]
    subprocess.run(
        [sys.executable, "-m", "tfsemae.train", *arguments, f"--output_dir={tmp_path}"],
        cwd=_ROOT,
        check=True,
    )
    found = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert found["examples"] == 10_000
    # The mean image of MNIST has 11.8 dB (Ming 2022 ends at 25.10 dB after
    # 10,000 steps); 18 dB is the bound of ming2022_plateau.
    assert found["psnr"] > 18
    # Chance is 0.1. The default weight leaves the classifier slow at first.
    assert found["label_accuracy"] > 0.8
