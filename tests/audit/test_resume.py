"""Killed in a stage and started again, an audit ends as if nothing had happened."""

import json
import signal

import keras
import numpy as np
import pytest

#: Audits, but dies by SIGKILL when a file would get its name.
DIES_AT = """
import os, runpy, signal, sys
moment = sys.argv.pop(1)
replace = os.replace

def replace_or_die(source, target):
    if str(target).endswith(moment):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
runpy.run_module("tfsemae.audit", run_name="__main__", alter_sys=True)
"""
SHAPE = (12, 12, 1)
EXAMPLES, BATCH, OTHER_BATCH = 5, 2, 3
#: The second batch of the attacks on the images of the second radius, and the last one
#: of the attacks in anomaly mode, which begin behind `OTHER_BATCH`.
MOMENTS = (f"curve_input_1/{BATCH:08d}.npz", f"detection/{OTHER_BATCH:08d}.npz")


@pytest.fixture(scope="module")
def flags(images_file, tmp_path_factory):
    """Of an audit of the means of four rows, without the folder."""
    folder = tmp_path_factory.mktemp("pair")
    keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.AveragePooling2D((12, 3)),
            keras.layers.Flatten(),
        ]
    ).save(folder / "encoder.keras")
    keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Reshape((1, 4, 1)),
            keras.layers.UpSampling2D((12, 3)),
        ]
    ).save(folder / "decoder.keras")
    return [
        f"--encoder={folder}/encoder.keras",
        f"--decoder={folder}/decoder.keras",
        f"--dataset={images_file}",
        f"--examples={EXAMPLES}",
        "--restarts=1",
        "--steps=1",
        "--damage=mse:0.02",
        "--value_range=0,1",
        "--anomaly_label=1",
        "--threads=1",
    ]


def _stages(ended):
    """What it did: each stage whose values were there already says nothing."""
    return [line.partition("  ")[0] for line in ended.messages if line[0] == "["]


@pytest.fixture(scope="module")
def folders(flags, run_forked, tmp_path_factory):
    """Folders of an undisturbed audit, and of one that was killed twice.

    The latter goes on with batches of another size, which it may.
    """
    whole, killed = (tmp_path_factory.mktemp(name) for name in ("whole", "killed"))
    ended = run_forked("tfsemae.audit", *flags, f"--output_dir={whole}")
    assert ended.status == 0, ended.messages
    script = killed.with_name("dies_at.py")
    script.write_text(DIES_AT, "utf-8")
    of_killed = [*flags, f"--output_dir={killed}"]
    for moment, batch in zip(MOMENTS, (BATCH, OTHER_BATCH), strict=True):
        ended = run_forked(script, moment, *of_killed, f"--batch_size={batch}")
        assert ended.status == -signal.SIGKILL, ended.messages
        assert not (killed / "audit.json").exists()
    assert _stages(ended)[0] == "[5/8] Attacks on the input"
    ended = run_forked("tfsemae.audit", *of_killed, f"--batch_size={OTHER_BATCH}")
    assert ended.status == 0, ended.messages
    # Each goes on from there; Jacobians take seconds, and are not kept.
    assert _stages(ended) == ["[6/8] Jacobians", "[8/8] Anomalies"]
    return whole, killed


def test_values_of_each_image_are_the_same(folders):
    whole, killed = (dict(np.load(each / "measurements.npz")) for each in folders)
    assert whole.keys() == killed.keys()
    for name, values in whole.items():
        # Sums of another batch may be taken in another order.
        np.testing.assert_allclose(killed[name], values, rtol=1e-4, err_msg=name)


def test_all_figures_are_the_same(folders):
    def numbers(value, name=""):
        if isinstance(value, dict):
            value = value.items()
        elif isinstance(value, list):
            value = enumerate(value)
        else:
            return {name: value}
        found = {}
        for key, each in value:
            found |= numbers(each, f"{name}/{key}")
        return found

    whole, killed = (
        numbers(json.loads((each / "audit.json").read_text("utf-8")))
        for each in folders
    )
    assert whole.keys() == killed.keys()
    for name, value in whole.items():
        if name == "/audited/seconds":
            continue
        if isinstance(value, float):
            # Differences of nearly equal images have lost digits.
            value = pytest.approx(value, rel=1e-3, abs=1e-9)
        assert killed[name] == value, name


def test_both_leave_the_same_files(folders):
    whole, killed = (sorted(path.name for path in each.iterdir()) for each in folders)
    assert whole == killed
    assert "arrays" not in whole
