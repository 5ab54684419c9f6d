"""The attack on networks whose answers are known: latent = gain * pixels + offset."""

import json
import math

import keras
import numpy as np
import pytest
from scipy import stats

from tfsemae import data
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training import attacking

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
    """40 test images of 4 classes, no pixel brighter than one half."""
    rng = np.random.default_rng(0)
    images = rng.integers(1, 128, (40, *SHAPE), dtype=np.uint8)
    return write_images(test_images=images, test_labels=np.arange(40) % 4)


@pytest.fixture
def make(tmp_path, dark_file):
    """Saves victim and attacker and makes the settings of an attack."""

    def make(victim=None, attacker=None, flags="", **changes):
        (victim or _autoencoder()).save(tmp_path / "victim")
        (attacker or _autoencoder(0.125)).save(tmp_path / "attacker")
        lines = f"--dataset={dark_file}\n{flags}"
        (tmp_path / "victim" / "flags.txt").write_text(lines)
        defaults = {
            "attack": "semantic_shift",
            "model_dir": str(tmp_path / "victim"),
            "attacker_dir": str(tmp_path / "attacker"),
            "dataset": None,
            "classes": None,
            "split": "test",
            "examples": None,
            "batch_size": 100,
            "seed": 0,
            "threads": 0,
            "output_dir": str(tmp_path / "out"),
            "data_dir": None,
            "manual_dir": None,
        }
        return attacking.Settings(**defaults | changes)

    return make


def _pixels(path):
    return data.load(str(path), "test").images / np.float32(255)


def _arrays(folder):
    with np.load(folder / "adversarial.npz") as file:
        return dict(file)


# --- what is measured


def test_latent_reaches_that_of_the_attacker_where_networks_are_inverse(make):
    found = attacking.attack(make())
    assert found["examples"] == 40
    # Float32: 144 sums of numbers below 1, each off by some 6e-8, to 0.125.
    assert found["movement"] == pytest.approx(0, abs=2e-6)
    assert found["inverse_error"] == 0
    # Every pixel moved by 1/8 and none left [0, 1].
    psnr = -20 * math.log10(0.125)
    assert found["psnr"] == pytest.approx(psnr, rel=1e-5)
    assert found["psnr_clipped"] == found["psnr"]
    assert found["ssim"] == found["ssim_clipped"] < 1


@pytest.mark.parametrize(
    ("gain", "movement"),
    # The image and with it the latent move by that share of the difference.
    [(1.0, 0.0), (0.75, 0.25), (0.5, 0.5), (0.0, 1.0), (-1.0, 2.0)],
)
def test_movement_is_the_share_that_is_left(make, gain, movement):
    decode = (gain, 0.25)
    settings = make(_autoencoder(decode=decode), _autoencoder(0.125, decode))
    # As in the test before.
    assert attacking.attack(settings)["movement"] == pytest.approx(movement, abs=2e-6)


def test_inverse_error_is_relative_to_the_latent(make):
    # e_v(d(L)) = 0.75 L, off by a quarter.
    decode = (0.75, 0.0)
    settings = make(_autoencoder(decode=decode), _autoencoder(0.125, decode))
    found = attacking.attack(settings)
    assert found["inverse_error"] == pytest.approx(0.25, rel=1e-6)


def test_clipping_is_measured_apart(make, tmp_path, dark_file):
    found = attacking.attack(make(attacker=_autoencoder(0.75)))
    pixels = _pixels(dark_file)
    errors = np.mean((np.clip(pixels + 0.75, 0, 1) - pixels) ** 2, axis=(1, 2, 3))
    assert found["psnr"] == pytest.approx(-20 * math.log10(0.75), rel=1e-5)
    expected = np.mean(-10 * np.log10(errors))
    assert found["psnr_clipped"] == pytest.approx(expected, rel=1e-5)
    arrays = _arrays(tmp_path / "out")
    np.testing.assert_array_equal(arrays["images"], arrays["unclipped"].clip(0, 1))
    assert arrays["unclipped"].max() > 1


def test_victim_as_attacker_has_no_movement_to_measure(make, tmp_path, dark_file):
    found = attacking.attack(make(attacker=_autoencoder()))
    assert found["movement"] is None
    assert found["psnr"] == pytest.approx(20 * math.log10(255), abs=1e-4)  # the floor
    unclipped = _arrays(tmp_path / "out")["unclipped"]
    np.testing.assert_array_equal(unclipped, _pixels(dark_file))
    written = (tmp_path / "out" / "metrics.json").read_text("utf-8")
    assert json.loads(written) == found


def test_latent_of_zeros_has_no_relative_error(make, write_images):
    black = write_images(test_images=np.zeros((40, *SHAPE), np.uint8))
    found = attacking.attack(make(dataset=str(black)))
    assert found["inverse_error"] is None
    assert found["movement"] == 0


def test_images_that_do_not_move_leave_the_mean_to_the_others(make, write_images):
    # The attacker doubles the latent: black images do not move, others by half.
    images = np.full((40, *SHAPE), 64, np.uint8)
    images[::2] = 0
    decode = (0.5, 0.0)
    image = keras.Input(SHAPE)
    doubled = keras.layers.Flatten()(keras.layers.Rescaling(2.0)(image))
    attacker = Autoencoder(keras.Model(image, doubled), _autoencoder(0, decode).decoder)
    path = write_images(test_images=images)
    settings = make(_autoencoder(decode=decode), attacker, dataset=str(path))
    found = attacking.attack(settings)
    assert found["movement"] == pytest.approx(0.5, abs=1e-6)


def test_batches_change_nothing(make, tmp_path):
    whole = attacking.attack(make())
    parts = attacking.attack(make(batch_size=7, output_dir=str(tmp_path / "parts")))
    # Sums over an image may be ordered differently.
    near = {"rel": 1e-5, "abs": 1e-7}
    of_latents = parts.pop("latents"), whole.pop("latents")
    assert parts == pytest.approx(whole, **near)
    for name in attacking.CONDITIONS:
        assert of_latents[0][name] == pytest.approx(of_latents[1][name], **near)
    np.testing.assert_array_equal(
        _arrays(tmp_path / "parts")["unclipped"], _arrays(tmp_path / "out")["unclipped"]
    )


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


def test_classifiers_of_clean_latents_are_deceived(make, two_classes, tmp_path):
    # Dark becomes bright and bright becomes dark; the classes stay as far apart.
    found = attacking.attack(make(attacker=_inverter(), dataset=str(two_classes)))
    latents = found["latents"]
    for name, accuracy in (("clean", 1), ("adversarial", 0)):
        assert latents[name]["knn_accuracy"] == accuracy
        assert latents[name]["linear_probe_accuracy"] == accuracy
        assert latents[name]["linear_probe_accuracy_anew"] == 1
        assert latents[name]["knn_accuracy_anew"] == 1
    for measure in ("silhouette", "scatter_ratio"):
        clean, adversarial = (latents[k][measure] for k in ("clean", "adversarial"))
        assert clean == pytest.approx(adversarial, rel=1e-3)
        assert latents["noise"][measure] < clean
    with np.load(tmp_path / "out" / "measurements.npz") as file:
        arrays = dict(file)
    assert not arrays["knn_accuracy_adversarial"].any()
    assert arrays["knn_accuracy_clean"].all()
    for key in ("psnr", "movement", "disturbance"):
        assert arrays[key].shape == (40,)
    assert arrays["psnr"].mean() == pytest.approx(found["psnr"])


def test_noise_is_gaussian_and_of_the_norm_of_the_attack(make, two_classes, tmp_path):
    attacking.attack(make(attacker=_inverter(), dataset=str(two_classes)))
    with np.load(tmp_path / "out" / "measurements.npz") as file:
        moved = {
            k: file[f"latent_{k}"] - file["latent_clean"] for k in attacking.CONDITIONS
        }
        disturbance = file["disturbance"]
    # Here a latent is its image.
    for name in ("adversarial", "noise"):
        norms = np.linalg.norm(moved[name], axis=1)
        np.testing.assert_allclose(norms, disturbance, rtol=1e-5)
    standard = moved["noise"] / moved["noise"].std(axis=1, keepdims=True)
    assert stats.kstest(standard.ravel(), "norm").pvalue > 0.01


def test_classifiers_learn_and_answer_under_noise_of_their_own(make, write_images):
    # The same images in both splits: equal noise would make both latents equal.
    images, labels = _classes(40)
    path = write_images(
        images=images, labels=labels, test_images=images, test_labels=labels
    )
    settings = make(attacker=_inverter(), dataset=str(path))
    victim, attacker = _autoencoder(), _inverter()
    split = data.load(str(path), "test")
    parts = [
        attacking._over_batches(victim, attacker, settings, split, part=part)
        for part in (0, 1)
    ]
    for name, equal in (("clean", True), ("adversarial", True), ("noise", False)):
        first, second = (part[f"latent_{name}"] for part in parts)
        assert np.array_equal(first, second) == equal


def test_of_many_images_a_draw_is_learnt_from(make, write_images, monkeypatch):
    # Sorted by class: the first ten would be of one class alone.
    monkeypatch.setattr(attacking, "_REFERENCE", 10)
    images, labels = _classes(200)
    order = np.argsort(labels, kind="stable")
    test, test_labels = _classes(40, seed=1)
    path = write_images(
        images=images[order],
        labels=labels[order],
        test_images=test,
        test_labels=test_labels,
    )
    found = attacking.attack(make(dataset=str(path)))
    assert found["latents"]["clean"]["linear_probe_accuracy"] == 1


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
    found = attacking.attack(make(dataset=str(path)))
    assert "latents" not in found
    assert found["examples"] == 40


# --- what is written


def test_folder_holds_everything_of_the_attack(make, tmp_path):
    attacking.attack(make())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".lock",
        "adversarial.npz",
        "adversarial.png",
        "flags.txt",
        "measurements.npz",
        "metrics.json",
        "tfds",
    ]
    lines = (tmp_path / "out" / "flags.txt").read_text("utf-8").splitlines()
    assert "--attack=semantic_shift" in lines
    assert "--batch_size=100" in lines
    assert not any(line.startswith("--dataset") for line in lines)


def test_images_with_labels_and_indices(make, tmp_path, dark_file):
    attacking.attack(make())
    arrays = _arrays(tmp_path / "out")
    assert set(arrays) == {"images", "unclipped", "labels", "indices"}
    assert arrays["images"].dtype == arrays["unclipped"].dtype == np.float32
    assert arrays["labels"].dtype == arrays["indices"].dtype == np.int64
    np.testing.assert_array_equal(arrays["labels"], np.arange(40) % 4)
    np.testing.assert_array_equal(arrays["indices"], np.arange(40))
    # One rounding of float32 below 1.
    moved = _pixels(dark_file) + np.float32(0.125)
    np.testing.assert_allclose(arrays["unclipped"], moved, atol=6e-8)


def test_what_is_written_is_a_data_set_of_ones_own(make, tmp_path):
    attacking.attack(make())
    path = tmp_path / "out" / "adversarial.npz"
    found = data.load(str(path), "train")
    np.testing.assert_array_equal(found.images, _arrays(tmp_path / "out")["images"])
    assert found.class_names == CLASSES


def test_images_without_labels(make, tmp_path, write_images):
    path = write_images(labels=None, test_labels=None)
    attacking.attack(make(dataset=str(path)))
    assert set(_arrays(tmp_path / "out")) == {"images", "unclipped", "indices"}


def test_examples_are_drawn_by_the_seed_and_stand_in_order(make, tmp_path, dark_file):
    drawn = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name
        settings = make(examples=9, seed=seed, output_dir=str(folder))
        assert attacking.attack(settings)["examples"] == 9
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
    attacking.attack(make(examples=40, seed=3))
    np.testing.assert_array_equal(_arrays(tmp_path / "out")["indices"], np.arange(40))


# --- which images


@pytest.mark.parametrize(
    ("flags", "changes", "labels"),
    [
        ("--classes=3,1\n", {}, [1, 0]),
        ("--classes=3,1\n", {"classes": ["0", "2"]}, [0, 1]),
        ("--classes=3,1\n", {"classes": []}, [0, 1, 2, 3]),
        ("", {}, [0, 1, 2, 3]),
    ],
    ids=["of the victim", "named", "none", "all"],
)
def test_classes_are_those_of_the_victim_unless_named(
    make, tmp_path, flags, changes, labels
):
    attacking.attack(make(flags=flags, **changes))
    arrays = _arrays(tmp_path / "out")
    count = len(labels)
    np.testing.assert_array_equal(arrays["labels"], labels * (40 // 4))
    np.testing.assert_array_equal(arrays["indices"], np.arange(10 * count))


def test_with_another_data_set_all_its_classes_are_attacked(make, dark_file):
    settings = make(flags="--classes=3,1\n", dataset=str(dark_file))
    assert attacking.attack(settings)["examples"] == 40


def test_split_is_as_named(make):
    assert attacking.attack(make(split="train"))["examples"] == 64


# --- a second start


def test_a_finished_attack_is_only_read(make, tmp_path):
    settings = make()
    found = attacking.attack(settings)
    folder = tmp_path / "out"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    (tmp_path / "attacker" / "encoder.keras").unlink()
    assert attacking.attack(settings) == found
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_a_stopped_attack_is_done_again(make, tmp_path):
    settings, folder = make(), tmp_path / "out"
    found = attacking.attack(settings)
    whole = _arrays(folder)
    (folder / "metrics.json").unlink()
    (folder / "adversarial.npz").write_bytes(b"half")
    next((folder / "tfds").rglob("*tfrecord*")).write_bytes(b"half")
    (folder / ".123.adversarial.png").write_bytes(b"half")
    assert attacking.attack(settings) == found
    for name, array in _arrays(folder).items():
        np.testing.assert_array_equal(array, whole[name])
    assert not (folder / ".123.adversarial.png").exists()


def test_another_attack_in_the_same_folder_is_refused(make, tmp_path):
    attacking.attack(make())
    with pytest.raises(ValueError, match="other flags: --seed=0 then, --seed=1 now"):
        attacking.attack(make(seed=1))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").touch()
    with pytest.raises(ValueError, match="not empty and holds no run"):
        attacking.attack(make(output_dir=str(tmp_path / "thesis")))


def test_full_disk_is_told_and_room_made(make, tmp_path, full_disk):
    settings = make()
    with full_disk(30_000), pytest.raises(OSError, match=r"adversarial\.npz cannot"):
        attacking.attack(settings)
    assert [path.name for path in (tmp_path / "out").glob("*.npz")] == []
    assert attacking.attack(settings)["examples"] == 40


# --- what can not be


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
        attacking.attack(make(attacker=attacker))
    assert not list((tmp_path / "out").iterdir())


def test_decoders_are_compared_by_weights_and_not_by_name():
    victim, attacker = _autoencoder(), _autoencoder(0.5)
    assert victim.decoder.name != attacker.decoder.name
    attacking.check_pair(victim, attacker)
    attacker.decoder.trainable = False  # as training leaves it
    attacking.check_pair(victim, attacker)


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
        attacking.attack(make(**changes))
    assert not list((tmp_path / "out").iterdir())


def test_empty_selection_is_refused(make, write_images):
    # Training labels know 4 classes, of which the test images have two.
    path = str(write_images(test_labels=np.arange(40) % 2))
    with pytest.raises(ValueError, match="classes without images: 2, 3"):
        attacking.attack(make(dataset=path, classes=["2", "3"]))


@pytest.mark.parametrize("role", ["victim", "attacker"])
def test_folder_without_an_encoder_is_refused(make, tmp_path, role):
    settings = make()
    (tmp_path / role / "encoder.keras").unlink()
    with pytest.raises(ValueError, match=rf"{tmp_path / role}.*encoder\.keras"):
        attacking.attack(settings)


def test_folder_whose_description_has_no_encoder_is_refused(make, tmp_path):
    settings = make()
    path = tmp_path / "attacker" / "autoencoder.json"
    description = json.loads(path.read_text("utf-8"))
    description["parts"].remove("encoder")
    path.write_text(json.dumps(description))
    with pytest.raises(ValueError, match=r"attacker is damaged .*'encoder'"):
        attacking.attack(settings)


@pytest.mark.parametrize("role", ["victim", "attacker"])
def test_folder_without_a_model_is_refused(make, tmp_path, role):
    key = {"victim": "model_dir", "attacker": "attacker_dir"}[role]
    settings = make(**{key: str(tmp_path / "nowhere")})
    with pytest.raises(ValueError, match=f"no finished model in {tmp_path}/nowhere"):
        attacking.attack(settings)
