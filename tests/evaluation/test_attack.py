"""The attack on networks whose answers are known: latent = gain * pixels + offset."""

import dataclasses
import functools
import gc
import json
import math
import shutil
import weakref

import keras
import numpy as np
import pytest
from scipy import stats

from tfsemae import data, evaluation, run_folder, settings
from tfsemae.evaluation import (
    arrays,
    attack,
    attacked_latents,
    loading,
    semantic_shift,
)
from tfsemae.evaluation.attacking import CONDITIONS
from tfsemae.models.autoencoder import Autoencoder

SHAPE = (12, 12, 1)
PIXELS = math.prod(SHAPE)
CLASSES = tuple("0123")


def _autoencoder(offset=0.0, decode=(1.0, 0.0), shape=SHAPE):
    """Encoder: pixels + offset. Decoder: gain and offset of one 1 x 1 filter."""
    image = keras.Input(shape)
    moved = keras.layers.Rescaling(1.0, offset)(image)
    encoder = keras.Model(image, keras.layers.Flatten()(moved))
    latent = keras.Input((math.prod(shape),))
    grid = keras.layers.Reshape(shape)(latent)
    decoder = keras.Model(latent, keras.layers.Conv2D(shape[-1], 1)(grid))
    kernel = decode[0] * np.eye(shape[-1])[None, None]
    decoder.set_weights([kernel, np.full(shape[-1], decode[1])])
    return Autoencoder(encoder, decoder)


@pytest.fixture(scope="module")
def dark_file(write_images):
    """40 test images of 4 classes, no pixel brighter than one half.

    Without a training split no classifiers are measured, which takes most of the time.
    """
    rng = np.random.default_rng(0)
    images = rng.integers(1, 128, (40, *SHAPE), dtype=np.uint8)
    return write_images(
        images=None, labels=None, test_images=images, test_labels=np.arange(40) % 4
    )


def _make(folder, trained_on, victim=None, attacker=None, flags="", **changes):
    (victim or _autoencoder()).save(folder / "victim")
    (attacker or _autoencoder(0.125)).save(folder / "attacker")
    lines = f"--dataset={trained_on}\n{flags}"
    (folder / "victim" / "flags.txt").write_text(lines)
    defaults = {
        "model_dir": str(folder / "victim"),
        "attacker_dir": str(folder / "attacker"),
        "output_dir": str(folder / "out"),
    }
    return settings.make(evaluation.AttackSettings, defaults | changes)


@pytest.fixture
def make(tmp_path, dark_file):
    """Saves victim and attacker and makes the settings of an attack."""
    return functools.partial(_make, tmp_path, dark_file)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory, dark_file):
    """Folder and numbers of a finished attack; tests only read them."""
    folder = tmp_path_factory.mktemp("attacked")
    return folder / "out", evaluation.attack_run(_make(folder, dark_file))


def _pixels(path):
    return data.load(str(path), "test").images / np.float32(255)


def _arrays(folder, name="adversarial.npz"):
    with np.load(folder / name) as file:
        return dict(file)


def test_a_finished_one_is_not_read_where_the_file_has_other_images_now(
    make, dark_file, tmp_path
):
    copy = tmp_path / "copy.npz"
    shutil.copy(dark_file, copy)
    found = evaluation.attack_run(make(dataset=str(copy)))
    assert evaluation.attack_run(make(dataset=str(copy))) == found
    with np.load(copy) as file:
        arrays = dict(file)
    np.savez(copy, **arrays | {"test_images": arrays["test_images"][::-1]})
    with pytest.raises(ValueError, match=r"other data or networks \(images\)"):
        evaluation.attack_run(make(dataset=str(copy)))


@pytest.mark.parametrize("role", ["victim", "attacker"])
def test_a_finished_one_is_not_read_where_a_network_is_another_now(
    make, tmp_path, role
):
    run = make()
    found = evaluation.attack_run(run)
    _autoencoder(0.25 if role == "attacker" else 0.5).save(tmp_path / role)
    # Offsets are no weights: these networks have the same ones, and so do copies.
    assert evaluation.attack_run(run) == found
    _autoencoder(decode=(0.5, 0.0)).save(tmp_path / role)
    name = {"victim": "network"}.get(role, role)
    with pytest.raises(ValueError, match=rf"other data or networks \({name}\)"):
        evaluation.attack_run(run)
    shutil.rmtree(tmp_path / role)
    if role == "attacker":  # the victim's flags name the data set
        assert evaluation.attack_run(run) == found


# --- what is measured


def test_latent_reaches_that_of_the_attacker_where_networks_are_inverse(attacked):
    _, found = attacked
    assert found["examples"] == 40
    # Float32: 144 sums of numbers below 1, each off by some 6e-8, to 0.125.
    adversarial = found["adversarial"]
    assert adversarial["remaining_distance"] == pytest.approx(0, abs=2e-6)
    assert adversarial["projection"] == pytest.approx(1, abs=2e-6)
    assert adversarial["cosine"] == pytest.approx(1, abs=2e-6)
    assert found["clean"] == found["target"] == {"inverse_error": 0}
    # Every pixel moved by 1/8 and none left [0, 1].
    psnr = -20 * math.log10(0.125)
    assert adversarial["psnr"] == pytest.approx(psnr, rel=1e-5)
    assert found["clipped"]["psnr"] == adversarial["psnr"]
    assert found["clipped"]["ssim"] == adversarial["ssim"] < 1


@pytest.mark.parametrize(
    ("gain", "remaining"),
    # The image and with it the latent move by that share of the difference.
    [(1.0, 0.0), (0.75, 0.25), (0.5, 0.5), (0.0, 1.0), (-1.0, 2.0)],
)
def test_remaining_distance_is_the_share_that_is_left(make, gain, remaining):
    decode = (gain, 0.25)
    run = make(_autoencoder(decode=decode), _autoencoder(0.125, decode))
    found = evaluation.attack_run(run)["adversarial"]
    # As in the test before.
    assert found["remaining_distance"] == pytest.approx(remaining, abs=2e-6)
    assert found["projection"] == pytest.approx(1 - remaining, abs=2e-6)
    cosine = {"cosine": None} if gain == 0 else {"cosine": math.copysign(1, gain)}
    assert {"cosine": found["cosine"]} == pytest.approx(cosine, abs=2e-6)


def test_inverse_error_is_relative_to_the_spread_of_the_latents(
    make, tmp_path, dark_file
):
    # e_v(d(L)) = 0.75 L, off by a quarter of L.
    decode = (0.75, 0.0)
    run = make(_autoencoder(decode=decode), _autoencoder(0.125, decode))
    found = evaluation.attack_run(run)
    latents = _pixels(dark_file).reshape(40, -1).astype(np.float64)
    spread = np.sum((latents - latents.mean(axis=0)) ** 2)
    for name, offset in (("clean", 0.0), ("target", 0.125)):
        expected = 0.25 * np.sqrt(np.sum((latents + offset) ** 2) / spread)
        assert found[name]["inverse_error"] == pytest.approx(expected, rel=1e-5)


def test_clipping_is_measured_apart(make, tmp_path, dark_file):
    found = evaluation.attack_run(make(attacker=_autoencoder(0.75)))
    pixels = _pixels(dark_file)
    errors = np.mean((np.clip(pixels + 0.75, 0, 1) - pixels) ** 2, axis=(1, 2, 3))
    psnr = found["adversarial"]["psnr"]
    assert psnr == pytest.approx(-20 * math.log10(0.75), rel=1e-5)
    expected = np.mean(-10 * np.log10(errors))
    assert found["clipped"]["psnr"] == pytest.approx(expected, rel=1e-5)
    written = _arrays(tmp_path / "out")
    np.testing.assert_array_equal(written["images"], written["unclipped"].clip(0, 1))
    assert written["unclipped"].max() > 1


def test_victim_as_attacker_has_no_distance_to_measure(make, tmp_path, dark_file):
    found = evaluation.attack_run(make(attacker=_autoencoder()))
    for key in ("remaining_distance", "projection", "cosine"):
        assert found["adversarial"][key] is None
    floor = 20 * math.log10(255)
    assert found["adversarial"]["psnr"] == pytest.approx(floor, abs=1e-4)
    unclipped = _arrays(tmp_path / "out")["unclipped"]
    np.testing.assert_array_equal(unclipped, _pixels(dark_file))
    written = (tmp_path / "out" / "metrics.json").read_text("utf-8")
    assert json.loads(written) == found


def test_equal_latents_have_no_relative_error(make, write_images):
    black = write_images(test_images=np.zeros((40, *SHAPE), np.uint8))
    found = evaluation.attack_run(make(dataset=str(black)))
    assert found["clean"]["inverse_error"] is None
    assert found["adversarial"]["remaining_distance"] == 0


def test_images_that_do_not_move_leave_the_mean_to_the_others(make, write_images):
    # The attacker doubles the latent: black images do not move, others by half.
    images = np.full((40, *SHAPE), 64, np.uint8)
    images[::2] = 0
    decode = (0.5, 0.0)
    image = keras.Input(SHAPE)
    doubled = keras.layers.Flatten()(keras.layers.Rescaling(2.0)(image))
    attacker = Autoencoder(keras.Model(image, doubled), _autoencoder(0, decode).decoder)
    path = write_images(test_images=images)
    run = make(_autoencoder(decode=decode), attacker, dataset=str(path))
    found = evaluation.attack_run(run)["adversarial"]
    assert found["remaining_distance"] == pytest.approx(0.5, abs=1e-6)


def test_batches_change_nothing(make, tmp_path, images_file):
    whole = evaluation.attack_run(make(dataset=str(images_file)))
    parts = evaluation.attack_run(
        make(dataset=str(images_file), batch_size=7, output_dir=str(tmp_path / "parts"))
    )
    assert parts.pop("examples") == whole.pop("examples") == 40
    conditions = {"clean", "adversarial", "clipped", "target"}
    conditions |= {"noise", "negated", "exchanged", "gradient"}
    assert set(parts) == set(whole) == conditions
    # What is exchanged is exchanged within a batch.
    for condition in {*whole} - {"exchanged"}:
        measured = whole[condition]
        # Sums over an image may be ordered differently.
        assert parts[condition] == pytest.approx(measured, rel=1e-5, abs=1e-7)
    np.testing.assert_array_equal(
        _arrays(tmp_path / "parts")["unclipped"], _arrays(tmp_path / "out")["unclipped"]
    )


# --- scales and controls


def test_scales_multiply_the_change(make):
    run = make(_autoencoder(decode=(0.75, 0.0)), _autoencoder(0.125, (0.75, 0.0)))
    run = dataclasses.replace(run, run=dataclasses.replace(run.run, scales=("-0.5",)))
    found = evaluation.attack_run(run)
    # The image moves by 0.75 / 8 at scale 1; here a latent is its image, so that the
    # share of the way by scale is always three quarters.
    expected = -20 * math.log10(0.5 * 0.75 / 8)
    assert found["adversarial_scale-0.5"]["psnr"] == pytest.approx(expected, rel=1e-5)
    for name in ("adversarial", "adversarial_scale-0.5"):
        assert found[name]["projection"] == pytest.approx(0.75, abs=4e-6)
        assert found[name]["remaining_distance"] == pytest.approx(0.25, abs=4e-6)


def test_noise_is_scaled_as_the_change_is(make, two_classes, tmp_path):
    run = make(attacker=_inverter(), dataset=str(two_classes))
    run = dataclasses.replace(run, run=dataclasses.replace(run.run, scales=("0.5",)))
    found = evaluation.attack_run(run)
    measured = _arrays(tmp_path / "out", "measurements.npz")
    disturbance = measured["adversarial/disturbance"]
    # A variance of class 0 and 1 and that of the noise: here a latent is its image.
    clean = measured["clean/latent"].var(axis=0).sum()
    for scale, name in ((1, "noise"), (0.5, "noise_scale0.5")):
        expected = math.log(1 + np.mean((scale * disturbance) ** 2) / clean)
        ratio = found[name]["log_variance_ratio"]
        assert ratio == pytest.approx(expected, abs=0.05)


def test_a_gradient_attack_shows_how_far_the_same_norm_can_go(make):
    # The formula goes half of the way in the wrong direction.
    decode = (-0.5, 0.5)
    found = evaluation.attack_run(
        make(_autoencoder(decode=decode), _autoencoder(0.125, decode))
    )
    for name, projection in (
        ("adversarial", -0.5),
        ("negated", 0.5),
        ("gradient", 0.5),
    ):
        assert found[name]["projection"] == pytest.approx(projection, abs=1e-5)
        left = found[name]["remaining_distance"]
        assert left == pytest.approx(1 - projection, abs=1e-5)


def test_a_change_takes_the_norm_of_that_of_another_attacker(make, tmp_path):
    _autoencoder(-0.25).save(tmp_path / "other")
    found = evaluation.attack_run(make(equal_norm_dir=str(tmp_path / "other")))
    assert found["adversarial"]["norm_factor"] == pytest.approx(2, rel=1e-5)
    measured = _arrays(tmp_path / "out", "measurements.npz")
    # Its own change is 1/8 in each pixel, in the other direction.
    expected = np.full(40, 0.25 * math.sqrt(PIXELS))
    np.testing.assert_allclose(measured["adversarial/disturbance"], expected, rtol=1e-5)
    moved = _arrays(tmp_path / "out")["unclipped"] - _arrays(tmp_path / "out")["images"]
    assert np.all(moved >= 0)
    np.testing.assert_allclose(measured["adversarial/projection"], 2, rtol=1e-5)


def test_another_attacker_with_another_decoder_is_refused(make, tmp_path):
    _autoencoder(0.5, decode=(0.5, 0.0)).save(tmp_path / "other")
    with pytest.raises(ValueError, match="--equal_norm_dir has another decoder"):
        evaluation.attack_run(make(equal_norm_dir=str(tmp_path / "other")))


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (("0.5", "1"), r"--scales=0\.5,1 must be .* other than 0 and 1"),
        (("0",), "must be finite numbers other than 0"),
        (("nan",), "must be finite numbers"),
        (("a",), "--scales=a must be finite numbers"),
        (("2", "2.0"), "names a number twice"),
    ],
)
def test_scales_that_cannot_be_are_refused(make, scales, message):
    run = make()
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(run.run, scales=scales)


# --- what is measured of the classes


def _classes(count, seed=0, bright=200):
    """Dark images of class 0, bright ones of class 1."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = rng.integers(0, 40, (count, *SHAPE)) + bright * labels[:, None, None, None]
    return images.astype(np.uint8), labels


@pytest.fixture(scope="module")
def two_classes(write_images):
    (images, labels), (test, test_labels) = _classes(60), _classes(40, seed=1)
    return write_images(
        images=images, labels=labels, test_images=test, test_labels=test_labels
    )


def _inverter():
    """An attacker that takes each class for the other."""
    image = keras.Input(SHAPE)
    inverted = keras.layers.Rescaling(-1.0, 240 / 255)(image)
    encoder = keras.Model(image, keras.layers.Flatten()(inverted))
    return Autoencoder(encoder, _autoencoder().decoder)


@pytest.fixture(scope="module")
def inverted(tmp_path_factory, two_classes):
    """Folder and numbers of a finished attack of `_inverter`; tests only read them."""
    folder = tmp_path_factory.mktemp("inverted")
    run = _make(folder, two_classes, attacker=_inverter())
    return folder / "out", evaluation.attack_run(run)


def test_classifiers_of_clean_latents_are_deceived(inverted):
    # Dark becomes bright and bright becomes dark; the classes stay as far apart.
    folder, found = inverted
    for name, accuracy in (("clean", 1), ("adversarial", 0)):
        assert found[name]["knn_accuracy"] == accuracy
        assert found[name]["linear_probe_accuracy"] == accuracy
        assert found[name]["linear_probe_accuracy_anew"] == 1
        assert found[name]["knn_accuracy_anew"] == 1
    for measure in ("silhouette", "scatter_ratio"):
        clean, adversarial = (found[k][measure] for k in ("clean", "adversarial"))
        assert clean == pytest.approx(adversarial, rel=1e-3)
        assert found["noise"][measure] < clean
    measured = _arrays(folder, "measurements.npz")
    assert not measured["adversarial/knn_accuracy"].any()
    assert measured["clean/knn_accuracy"].all()
    for key in ("psnr", "remaining_distance", "disturbance"):
        assert measured[f"adversarial/{key}"].shape == (40,)
    mean = measured["adversarial/psnr"].mean()
    assert mean == pytest.approx(found["adversarial"]["psnr"])


def test_noise_is_gaussian_and_of_the_norm_of_the_attack(inverted):
    measured = _arrays(inverted[0], "measurements.npz")
    moved = {
        name: measured[f"{name}/latent"] - measured["clean/latent"]
        for name in ("adversarial", "noise")
    }
    disturbance = measured["adversarial/disturbance"]
    # Here a latent is its image.
    for name in ("adversarial", "noise"):
        norms = np.linalg.norm(moved[name], axis=1)
        np.testing.assert_allclose(norms, disturbance, rtol=1e-5)
    standard = moved["noise"] / moved["noise"].std(axis=1, keepdims=True)
    assert stats.kstest(standard.ravel(), "norm").pvalue > 0.01


def test_controls_are_of_the_norm_of_the_attack(make, two_classes, tmp_path):
    found = evaluation.attack_run(make(attacker=_inverter(), dataset=str(two_classes)))
    measured = _arrays(tmp_path / "out", "measurements.npz")
    moved = {
        name: measured[f"{name}/latent"] - measured["clean/latent"]
        for name in ("adversarial", "negated", "exchanged")
    }
    norms = {name: np.linalg.norm(each, axis=1) for name, each in moved.items()}
    # Here a latent is its image. float32, of latents up to 2.
    np.testing.assert_allclose(moved["negated"], -moved["adversarial"], atol=1e-6)
    np.testing.assert_allclose(norms["exchanged"], norms["adversarial"], rtol=1e-5)
    directions = moved["adversarial"] / norms["adversarial"][:, None]
    np.testing.assert_allclose(
        moved["exchanged"] / norms["exchanged"][:, None],
        np.roll(directions, 1, axis=0),
        atol=1e-5,
    )
    # The negated change takes each class farther from the other one.
    ratio = found["negated"]["log_variance_ratio"]
    assert ratio == pytest.approx(math.log(9), abs=0.1)


def test_controls_can_be_left_out(make, two_classes, tmp_path):
    with_them = evaluation.attack_run(make(dataset=str(two_classes)))
    without = make(
        dataset=str(two_classes), controls=False, output_dir=str(tmp_path / "without")
    )
    found = evaluation.attack_run(without)
    controls = {"noise", "negated", "exchanged", "gradient"}
    assert set(with_them) - set(found) == controls
    for condition in found:
        assert found[condition] == with_them[condition]


def test_what_moves_all_latents_is_told_from_clean_ones(make, two_classes):
    found = evaluation.attack_run(
        make(attacker=_autoencoder(3.0), dataset=str(two_classes))
    )
    assert found["adversarial"]["two_sample_accuracy"] == 1
    ratio = found["adversarial"]["log_variance_ratio"]
    assert ratio == pytest.approx(0, abs=1e-6)
    assert "two_sample_accuracy" not in found["clean"]


def test_classifiers_learn_and_answer_under_noise_of_their_own(
    make, write_images, monkeypatch
):
    # The same images in both splits: equal noise would make both latents equal.
    images, labels = _classes(40)
    path = write_images(
        images=images, labels=labels, test_images=images, test_labels=labels
    )
    latents = {}

    def keep(attacked, labels, learnt, reference_labels):
        for name in CONDITIONS:
            latents[name] = [part.read(name, "latent") for part in (attacked, learnt)]
        return iter([])

    monkeypatch.setattr(attacked_latents, "measure", keep)
    evaluation.attack_run(make(attacker=_inverter(), dataset=str(path)))
    for name, equal in (("clean", True), ("adversarial", True), ("noise", False)):
        assert np.array_equal(*latents[name]) == equal


def test_of_many_images_a_draw_is_learnt_from(make, write_images, monkeypatch):
    # Sorted by class: the first ten would be of one class alone.
    monkeypatch.setattr(loading, "_REFERENCE", 10)
    images, labels = _classes(200)
    order = np.argsort(labels, kind="stable")
    test, test_labels = _classes(40, seed=1)
    path = write_images(
        images=images[order],
        labels=labels[order],
        test_images=test,
        test_labels=test_labels,
    )
    found = evaluation.attack_run(make(dataset=str(path)))
    assert found["clean"]["linear_probe_accuracy"] == 1


@pytest.mark.parametrize(
    "arrays",
    [
        {"labels": None, "test_labels": None},
        {"test_labels": np.arange(40)},  # as many classes as images
        {"test_labels": np.zeros(40, int)},  # one class
        {"test_labels": np.arange(40) % 4, "images": None, "labels": None},
        {"test_labels": np.arange(40) % 4, "labels": np.zeros(64, int)},
    ],
)
def test_without_classes_to_tell_they_are_not_measured(make, write_images, arrays):
    images = np.random.default_rng(0).integers(1, 128, (40, *SHAPE), dtype=np.uint8)
    path = write_images(test_images=images, **arrays)
    found = evaluation.attack_run(make(dataset=str(path)))
    assert found.pop("examples") == 40
    of_images, way = {"psnr", "ssim"}, {"remaining_distance", "projection", "cosine"}
    assert {condition: set(measured) for condition, measured in found.items()} == {
        "adversarial": of_images | way,
        "clipped": of_images,
        **dict.fromkeys(("noise", "negated", "exchanged", "gradient"), way),
        **{name: {"inverse_error"} for name in ("clean", "target")},
    }


# --- what is written


def test_folder_holds_everything_of_the_attack(attacked):
    folder, _ = attacked
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock",
        "adversarial.npz",
        "adversarial.png",
        "flags.txt",
        "inputs.json",
        "measurements.npz",
        "metrics.json",
        "seconds.json",
        "tfds",
    ]
    lines = (folder / "flags.txt").read_text("utf-8").splitlines()
    assert "--attack=semantic_shift" in lines
    assert "--batch_size=100" in lines
    assert not any(line.startswith("--dataset") for line in lines)


def test_images_with_labels_and_indices(attacked, dark_file):
    found = _arrays(attacked[0])
    assert set(found) == {"images", "unclipped", "labels", "indices"}
    assert found["images"].dtype == found["unclipped"].dtype == np.float32
    assert found["labels"].dtype == found["indices"].dtype == np.int64
    np.testing.assert_array_equal(found["labels"], np.arange(40) % 4)
    np.testing.assert_array_equal(found["indices"], np.arange(40))
    # One rounding of float32 below 1.
    moved = _pixels(dark_file) + np.float32(0.125)
    np.testing.assert_allclose(found["unclipped"], moved, atol=6e-8)


def test_what_is_written_is_a_data_set_of_ones_own(attacked):
    folder, _ = attacked
    found = data.load(str(folder / "adversarial.npz"), "train")
    np.testing.assert_array_equal(found.images, _arrays(folder)["images"])
    assert found.class_names == CLASSES


def test_images_without_labels(make, tmp_path, write_images):
    path = write_images(labels=None, test_labels=None)
    evaluation.attack_run(make(dataset=str(path)))
    assert set(_arrays(tmp_path / "out")) == {"images", "unclipped", "indices"}


def test_examples_are_drawn_by_the_seed_and_stand_in_order(make, tmp_path, dark_file):
    drawn = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name
        run = make(examples=9, seed=seed, output_dir=str(folder))
        assert evaluation.attack_run(run)["examples"] == 9
        drawn[name] = _arrays(folder)
    indices = drawn["a"]["indices"]
    assert len(np.unique(indices)) == 9
    assert np.all(np.diff(indices) > 0)
    np.testing.assert_array_equal(drawn["b"]["indices"], indices)
    assert not np.array_equal(drawn["c"]["indices"], indices)
    np.testing.assert_array_equal(drawn["a"]["labels"], indices % 4)
    moved = _pixels(dark_file)[indices] + np.float32(0.125)
    np.testing.assert_allclose(drawn["a"]["unclipped"], moved, atol=6e-8)


def test_all_examples_are_all_images(make, tmp_path):
    evaluation.attack_run(make(examples=40, seed=3))
    np.testing.assert_array_equal(_arrays(tmp_path / "out")["indices"], np.arange(40))


# --- which images


@pytest.mark.parametrize(
    ("flags", "changes", "labels"),
    [
        ("--classes=3,1\n", {}, [1, 0]),
        ("--classes=3,1\n", {"classes": ["0", "2"]}, [0, 1]),
        ("--classes=3,1\n", {"classes": ()}, [0, 1, 2, 3]),
        ("", {}, [0, 1, 2, 3]),
    ],
    ids=["of the victim", "named", "none", "all"],
)
def test_classes_are_those_of_the_victim_unless_named(
    make, tmp_path, flags, changes, labels
):
    evaluation.attack_run(make(flags=flags, **changes))
    found = _arrays(tmp_path / "out")
    count = len(labels)
    np.testing.assert_array_equal(found["labels"], labels * (40 // 4))
    np.testing.assert_array_equal(found["indices"], np.arange(10 * count))


def test_with_another_data_set_all_its_classes_are_attacked(make, dark_file):
    run = make(flags="--classes=3,1\n", dataset=str(dark_file))
    assert evaluation.attack_run(run)["examples"] == 40


def test_split_is_as_named(make, write_images):
    unlabelled = write_images(labels=None, test_labels=None)
    run = make(split="train", dataset=str(unlabelled))
    assert evaluation.attack_run(run)["examples"] == 64


# --- a second start


def test_a_finished_attack_is_only_read(make, tmp_path):
    run = make()
    found = evaluation.attack_run(run)
    folder = tmp_path / "out"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    (tmp_path / "attacker" / "encoder.keras").unlink()
    assert evaluation.attack_run(run) == found
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    # Only the lock was held.
    assert {p: t for p, t in after.items() if p.name != ".lock"} == {
        p: t for p, t in before.items() if p.name != ".lock"
    }


def test_a_stopped_attack_is_done_again(make, tmp_path):
    run, folder = make(), tmp_path / "out"
    found = evaluation.attack_run(run)
    whole = _arrays(folder)
    (folder / "metrics.json").unlink()
    (folder / "adversarial.npz").write_bytes(b"half")
    next((folder / "tfds").rglob("*tfrecord*")).write_bytes(b"half")
    (folder / ".123.adversarial.png").write_bytes(b"half")
    assert evaluation.attack_run(run) == found
    for name, array in _arrays(folder).items():
        np.testing.assert_array_equal(array, whole[name])
    assert not (folder / ".123.adversarial.png").exists()


class Killed(Exception):
    """Stands for kill -9: nothing handles it."""


@pytest.fixture(scope="module")
def in_shards(tmp_path_factory, images_file):
    """As `attacked`, in batches of 10, with a shard for each of them."""
    folder = tmp_path_factory.mktemp("in_shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "_SHARD_BYTES", 1)
        run = _make(folder, images_file, batch_size=10)
        return folder / "out", evaluation.attack_run(run)


@pytest.mark.parametrize("stop", [3, 7], ids=["attack", "reference"])
def test_killed_between_shards_and_continued_equals_the_uninterrupted(
    make, tmp_path, images_file, in_shards, monkeypatch, stop
):
    # A shard for each batch: 4 of the 40 images, 7 of the 64 that are learnt from.
    monkeypatch.setattr(arrays, "_SHARD_BYTES", 1)
    uninterrupted, whole = in_shards
    run = make(dataset=str(images_file), batch_size=10)
    write, written = arrays.Shards.write, []

    def write_or_die(shards, first, values):
        if len(written) == stop:
            raise Killed
        written.append(first)
        write(shards, first, values)

    monkeypatch.setattr(arrays.Shards, "write", write_or_die)
    with pytest.raises(Killed):
        evaluation.attack_run(run)
    assert not (tmp_path / "out" / "metrics.json").exists()
    stop = -1  # do not stop any more
    assert evaluation.attack_run(run) == whole
    assert len(written) == 4 + 7, "a finished shard was computed again"
    for name in ("adversarial.npz", "measurements.npz", "metrics.json"):
        expected = (uninterrupted / name).read_bytes()
        assert (tmp_path / "out" / name).read_bytes() == expected, name
    assert not (tmp_path / "out" / "arrays").exists()


def test_a_killed_attack_binds_its_folder_to_flags_and_data(
    make, tmp_path, images_file, write_images, monkeypatch
):
    own = tmp_path / "own.npz"
    own.write_bytes(images_file.read_bytes())

    def die(*arguments):
        raise Killed

    monkeypatch.setattr(attack, "_write_images", die)
    with pytest.raises(Killed):
        evaluation.attack_run(make(dataset=str(own)))
    with pytest.raises(ValueError, match="other flags: --seed=0 then, --seed=1 now"):
        evaluation.attack_run(make(dataset=str(own), seed=1))
    own.write_bytes(write_images(labels=np.arange(64) % 3).read_bytes())
    with pytest.raises(ValueError, match=r"other data or networks \(.*reference"):
        evaluation.attack_run(make(dataset=str(own)))


def test_a_start_that_failed_at_once_binds_to_nothing(make, tmp_path):
    with pytest.raises(ValueError, match="is more than the 40 images"):
        evaluation.attack_run(make(examples=41))
    assert evaluation.attack_run(make(examples=9))["examples"] == 9
    assert run_folder.read_flags(tmp_path / "out")["examples"] == "9"


def test_networks_are_freed_with_the_attack(make, monkeypatch):
    run, load, seen = make(), Autoencoder.load.__func__, []

    def remembered(cls, folder):
        autoencoder = load(cls, folder)
        parts = (autoencoder.encoder, autoencoder.decoder)
        seen.extend(weakref.ref(part) for part in parts)
        return autoencoder

    monkeypatch.setattr(Autoencoder, "load", classmethod(remembered))
    evaluation.attack_run(run)
    gc.collect()
    assert len(seen) == 4
    assert [reference() for reference in seen] == [None] * 4


def test_another_attack_in_the_same_folder_is_refused(make, tmp_path):
    evaluation.attack_run(make())
    with pytest.raises(ValueError, match="other flags: --seed=0 then, --seed=1 now"):
        evaluation.attack_run(make(seed=1))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").touch()
    with pytest.raises(ValueError, match="not empty and holds no run"):
        evaluation.attack_run(make(output_dir=str(tmp_path / "thesis")))


def test_full_disk_is_told_and_room_made(make, tmp_path, full_disk):
    run = make()
    with full_disk(30_000), pytest.raises(OSError, match=r"00000000\.npz cannot"):
        evaluation.attack_run(run)
    assert list((tmp_path / "out").rglob("*.npz")) == []
    assert evaluation.attack_run(run)["examples"] == 40


# --- what cannot be


def _narrow():
    """A pair of the same images with a latent of 5."""
    image, latent = keras.Input(SHAPE), keras.Input((5,))
    flat = keras.layers.Flatten()(image)
    dense = keras.layers.Dense(PIXELS)(latent)
    return Autoencoder(
        keras.Model(image, keras.layers.Dense(5)(flat)),
        keras.Model(latent, keras.layers.Reshape(SHAPE)(dense)),
    )


def _without_weights():
    latent = keras.Input((PIXELS,))
    decoder = keras.Model(latent, keras.layers.Reshape(SHAPE)(latent))
    return Autoencoder(_autoencoder().encoder, decoder)


@pytest.mark.parametrize(
    ("attacker", "message"),
    [
        (
            _autoencoder(shape=(16, 12, 1)),
            r"must have images of the victim's shape \(12, 12, 1\).*\(16, 12, 1\)",
        ),
        (_autoencoder(shape=(12, 12, 3)), r"must have images .*\(12, 12, 3\)"),
        (_narrow(), r"must have latents of the victim's shape \(144,\).*\(5,\)"),
        (_autoencoder(decode=(0.5, 0.0)), "has another decoder than --model_dir"),
        (_autoencoder(decode=(1.0, 1e-7)), "another decoder .*--decoder_from"),
        (_without_weights(), "has another decoder"),
    ],
    ids=["size", "channels", "latents", "decoder", "last bits", "no weights"],
)
def test_networks_that_do_not_suit_each_other_are_refused(
    make, tmp_path, attacker, message
):
    with pytest.raises(ValueError, match=message):
        evaluation.attack_run(make(attacker=attacker))
    assert not run_folder.is_finished(tmp_path / "out")


def test_decoders_are_compared_by_weights_and_not_by_name():
    victim, attacker = _autoencoder(), _autoencoder(0.5)
    assert victim.decoder.name != attacker.decoder.name
    semantic_shift.check_pair(victim, attacker)
    attacker.decoder.trainable = False  # as training leaves it
    semantic_shift.check_pair(victim, attacker)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ["0", "cat"]}, "Unknown class: .*'cat'"),
        ({"classes": ["0"]}, "at least 2 classes"),
        ({"examples": 41}, "--examples=41 is more than the 40 images"),
        ({"examples": 21, "classes": ["0", "1"]}, "--examples=21 is more than the 20"),
        ({"split": "valid"}, "Received: split='valid'"),
        ({"dataset": "nothing"}, "Unknown data set"),
        (
            {"dataset": "digits"},
            r"model takes images of shape \(12, 12, 1\), but .*\(28, 28",
        ),
    ],
)
def test_images_that_do_not_suit_are_refused(make, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        evaluation.attack_run(make(**changes))
    assert not run_folder.is_finished(tmp_path / "out")


def test_empty_selection_is_refused(make, write_images):
    # Training labels know 4 classes, of which the test images have two.
    path = str(write_images(test_labels=np.arange(40) % 2))
    with pytest.raises(ValueError, match="classes without images: 2, 3"):
        evaluation.attack_run(make(dataset=path, classes=["2", "3"]))


@pytest.mark.parametrize("role", ["victim", "attacker"])
def test_folder_without_an_encoder_is_refused(make, tmp_path, role):
    run = make()
    (tmp_path / role / "encoder.keras").unlink()
    with pytest.raises(ValueError, match=rf"{tmp_path / role}.*encoder\.keras"):
        evaluation.attack_run(run)


def test_folder_whose_description_has_no_encoder_is_refused(make, tmp_path):
    run = make()
    path = tmp_path / "attacker" / "autoencoder.json"
    description = json.loads(path.read_text("utf-8"))
    description["parts"].remove("encoder")
    path.write_text(json.dumps(description))
    with pytest.raises(ValueError, match=r"attacker is damaged .*'encoder'"):
        evaluation.attack_run(run)


@pytest.mark.parametrize("role", ["victim", "attacker"])
def test_folder_without_a_model_is_refused(make, tmp_path, role):
    key = {"victim": "model_dir", "attacker": "attacker_dir"}[role]
    run = make(**{key: str(tmp_path / "nowhere")})
    with pytest.raises(ValueError, match=f"no finished model in {tmp_path}/nowhere"):
        evaluation.attack_run(run)


@pytest.mark.parametrize("key", ["model_dir", "attacker_dir", "output_dir"])
def test_a_file_in_place_of_a_folder_is_called_a_file(make, dark_file, key):
    run = make(**{key: str(dark_file)})
    message = {"output_dir": "cannot be written"}.get(key, "is a file. Name the folder")
    with pytest.raises(ValueError, match=rf"{dark_file}.*{message}"):
        evaluation.attack_run(run)
