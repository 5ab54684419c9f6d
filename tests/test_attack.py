"""The command `attack`, on a victim and an attacker that were trained here."""

import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfsemae import data, metrics, models


@pytest.fixture(scope="module")
def attacker(digits_run, digits_flags, run_preloaded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacker") / "run"
    flags = [*digits_flags, "--shuffle_labels", f"--decoder_from={digits_run}"]
    ended = run_preloaded("train", *flags, f"--output_dir={folder}")
    assert ended.status == 0, ended.messages
    return folder


@pytest.fixture(scope="module")
def attack(digits_run, attacker, run_preloaded):
    def run(folder, *flags):
        pair = f"--model_dir={digits_run}", f"--attacker_dir={attacker}"
        return run_preloaded("attack", *pair, f"--output_dir={folder}", *flags)

    return run


@pytest.fixture(scope="module")
def attacked(attack, tmp_path_factory):
    """A finished attack on 50 digits of 3 classes; tests only read it."""
    folder = tmp_path_factory.mktemp("attack") / "out"
    flags = "--classes=3,5,8", "--examples=50", "--seed=7", "--batch_size=16"
    return folder, attack(folder, *flags)


@pytest.fixture(scope="module")
def arrays(attacked):
    with np.load(attacked[0] / "adversarial.npz") as file:
        return dict(file)


def test_it_prints_what_was_measured_and_nothing_else(attacked):
    folder, ended = attacked
    assert ended.status == 0
    found = json.loads(ended.out)
    written = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert found.pop("examples") == written.pop("examples") == 50
    assert found.keys() == written.keys()
    for condition, measured in written.items():
        assert found[condition] == pytest.approx(measured, rel=1e-5)  # six digits
    of_latents = {
        *("silhouette", "scatter_ratio"),
        *("knn_accuracy", "knn_accuracy_anew"),
        *("linear_probe_accuracy", "linear_probe_accuracy_anew"),
    }
    of_clean = {"knn_accuracy", "linear_probe_accuracy"}
    changed = of_latents | {"two_sample_accuracy", "log_variance_ratio"}
    way = {"remaining_distance", "projection", "cosine"}
    assert {condition: set(measured) for condition, measured in found.items()} == {
        "adversarial": changed | way | {"psnr", "ssim"},
        "clipped": {"psnr", "ssim"},
        "clean": of_latents | {"inverse_error"},
        "target": {"inverse_error"},
        "noise": changed | way,
        "negated": changed | way,
        "exchanged": changed | way,
        "gradient": of_clean | way | {"log_variance_ratio"},
    }


def test_it_says_what_it_is_doing(attacked):
    messages = attacked[1].messages
    assert messages[0] == "Attacking 50 images."
    count = len(data.load("digits", "train", classes=["3", "5", "8"]))
    learnt_from = f"Attacking {count} images that classifiers learn from."
    assert learnt_from in messages
    assert not any("Traceback" in line for line in messages)


def test_clean_latents_are_measured_as_evaluation_does(
    attacked, run_preloaded, digits_run
):
    # Of all digits of the three classes; the attack drew 50 of them.
    folder = attacked[0].parent / "whole"
    ended = run_preloaded(
        "attack",
        f"--flagfile={attacked[0] / 'flags.txt'}",
        f"--output_dir={folder}",
        "--examples=107",
    )
    assert ended.status == 0, ended.messages
    found = json.loads((folder / "metrics.json").read_text("utf-8"))["clean"]
    digits = [
        data.load("digits", split, classes=["3", "5", "8"])
        for split in ("test", "train")
    ]
    assert len(digits[0]) == 107
    encoder = models.Autoencoder.load(digits_run).encoder
    test, train = (np.asarray(encoder(d.images / np.float32(255))) for d in digits)
    learnt = train, digits[1].labels, test, digits[0].labels
    assert found["knn_accuracy"] == metrics.knn_accuracy(*learnt)
    assert found["linear_probe_accuracy"] == metrics.linear_probe_accuracy(*learnt)
    silhouette = metrics.silhouette(test, digits[0].labels)
    # Graph and eager operations may order float32 sums differently.
    assert found["silhouette"] == pytest.approx(silhouette, abs=1e-5)


def test_numbers_are_those_of_the_written_images(
    attacked, arrays, digits_run, attacker
):
    digits = data.load("digits", "test", classes=["3", "5", "8"])
    images = digits.images[arrays["indices"]] / np.float32(255)
    np.testing.assert_array_equal(arrays["labels"], digits.labels[arrays["indices"]])
    victim, other = (models.Autoencoder.load(run) for run in (digits_run, attacker))
    latent, target = (np.asarray(m.encoder(images)) for m in (victim, other))
    shift = np.asarray(victim.decoder(target)) - np.asarray(victim.decoder(latent))
    # Graph and eager operations may order float32 sums differently.
    np.testing.assert_allclose(arrays["unclipped"], images + shift, atol=1e-5)
    reached = np.asarray(victim.encoder(arrays["unclipped"]))
    shares = [
        np.linalg.norm(a - b) / np.linalg.norm(c - b)
        for a, b, c in zip(reached, target, latent, strict=True)
    ]
    found = json.loads((attacked[0] / "metrics.json").read_text("utf-8"))
    found = found["adversarial"]
    assert found["remaining_distance"] == pytest.approx(np.mean(shares), rel=1e-3)
    errors = np.mean(shift**2, axis=(1, 2, 3))
    psnr = np.mean(-10 * np.log10(np.maximum(errors, 1 / 255**2)))
    assert found["psnr"] == pytest.approx(psnr, rel=1e-3)


def test_tfds_reads_the_same(attacked, arrays):
    builder = tfds.builder_from_directory(
        attacked[0] / "tfds" / "adversarial" / "1.0.0"
    )
    records = list(builder.as_dataset(split="adversarial").as_numpy_iterator())
    names = {"image": "images", "label": "labels", "index": "indices"}
    assert set(records[0]) == set(names)
    for name, array in names.items():
        found = np.stack([record[name] for record in records])
        np.testing.assert_array_equal(found, arrays[array], strict=True)
    assert builder.info.features["label"].names == ["3", "5", "8"]


def test_its_flagfile_does_the_same_again(attacked, arrays, run_preloaded, tmp_path):
    flagfile = f"--flagfile={attacked[0] / 'flags.txt'}"
    ended = run_preloaded("attack", flagfile, f"--output_dir={tmp_path}")
    assert ended.status == 0, ended.messages
    assert ended.out == attacked[1].out
    with np.load(tmp_path / "adversarial.npz") as file:
        for name, array in arrays.items():
            np.testing.assert_array_equal(file[name], array, strict=True)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--classes=3,cat", "Unknown class: "),
        ("--classes=3", "at least 2 classes"),
        ("--examples=361", "--examples=361 is more than the 360 images"),
    ],
)
def test_images_that_cannot_be_are_one_message(attack, tmp_path, flag, message):
    ended = attack(tmp_path, flag)
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.messages
    assert line.startswith("Error: ")
    assert message in line


def test_attacker_with_a_decoder_of_its_own_is_one_message(
    digits_run, attacker, run_preloaded, tmp_path
):
    # A copy of the attacker, its decoder of one other bit.
    network = models.Autoencoder.load(attacker)
    weights = network.decoder.get_weights()
    weights[-1] = np.nextafter(weights[-1], np.float32(9))
    network.decoder.set_weights(weights)
    network.save(tmp_path / "other")
    ended = run_preloaded(
        "attack",
        f"--model_dir={digits_run}",
        f"--attacker_dir={tmp_path / 'other'}",
        f"--output_dir={tmp_path / 'out'}",
    )
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.messages
    assert line.startswith("Error: --attacker_dir has another decoder")
    assert not (tmp_path / "out" / "metrics.json").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--attack=semantic_shift needs --attacker_dir"),
        (["--attack=noise"], "--attack=noise needs --noise_norm"),
        (
            ["--attack=noise", "--noise_norm=1", "--attacker_dir=runs/a"],
            "--attacker_dir=runs/a belongs to --attack=semantic_shift",
        ),
        (["--attacker_dir=a", "--dataset=nothing"], "Unknown data set"),
    ],
)
def test_flags_that_do_not_go_together_are_one_message(
    run_preloaded, tmp_path, flags, message
):
    folders = f"--model_dir={tmp_path / 'v'}", f"--output_dir={tmp_path / 'out'}"
    ended = run_preloaded("attack", *folders, *flags)
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.messages
    assert line.startswith("Error: ")
    assert message in line
    assert not list(tmp_path.iterdir())


def test_noise_needs_no_attacker(digits_run, run_preloaded, tmp_path):
    ended = run_preloaded(
        "attack",
        *("--attack=noise", "--noise_norm=2", "--examples=20", "--classes=3,5,8"),
        *(f"--model_dir={digits_run}", f"--output_dir={tmp_path}"),
    )
    assert ended.status == 0, ended.messages
    with np.load(tmp_path / "measurements.npz") as found:
        np.testing.assert_allclose(found["adversarial/disturbance"], 2, rtol=1e-5)


@pytest.mark.parametrize(
    "flag", ["--attack=magic", "--examples=0", "--batch_size=0", "--seed=-1"]
)
def test_value_of_a_flag_that_cannot_be_is_refused_at_once(
    run_preloaded, tmp_path, flag
):
    places = [f"--{name}={tmp_path / name}" for name in ("model_dir", "attacker_dir")]
    ended = run_preloaded("attack", *places, f"--output_dir={tmp_path / 'out'}", flag)
    assert ended.status == 1
    text = " ".join(ended.messages)
    assert "Traceback" not in text
    assert flag.rpartition("=")[0] in text
    assert not list(tmp_path.iterdir())
