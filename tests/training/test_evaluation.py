import json
import math

import keras
import numpy as np
import pytest
from PIL import Image

from tfsemae.data import Images
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training import evaluation

SHAPE = (12, 12, 1)
PIXELS = math.prod(SHAPE)
CLASSES = ("left", "right")
BEST = 20 * math.log10(255)  # 48.13 dB, the floor of the squared error


def _autoencoder(decode=lambda latent: latent, classify=None, shape=SHAPE):
    """The identity, or with another function of the pixels as decoder.

    `classify` is a function from the latent to logits.
    """
    image = keras.Input(shape)
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    latent = keras.Input((math.prod(shape),))
    decoder = keras.Model(latent, decode(keras.layers.Reshape(shape)(latent)))
    if classify is None:
        return Autoencoder(encoder, decoder)
    return Autoencoder(encoder, decoder, keras.Model(latent, classify(latent)), CLASSES)


def _constant(value):
    return lambda image: image * 0.0 + value


def _noise(count, labels="both", seed=0, shape=SHAPE):
    """Random pixels; with labels the left or the right half is dark."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    if labels is None:
        return Images(images, None, ())
    labels = np.arange(count) % 2
    half = shape[1] // 2
    images[labels == 0, :, :half] //= 8
    images[labels == 1, :, half:] //= 8
    return Images(images, labels, CLASSES)


def _evaluate(autoencoder, images, folder, reference=None):
    reference = reference or _noise(40, seed=9)
    arguments = {"output_dir": folder, "seed": 0}
    return evaluation.evaluate(autoencoder, images, reference, **arguments)


def test_identity_reaches_the_best_of_everything(tmp_path):
    images = _noise(120)
    found = _evaluate(_autoencoder(), images, tmp_path)
    assert found.pop("examples") == 120
    best = {
        "psnr": pytest.approx(BEST, abs=1e-4),  # float32
        "ssim": pytest.approx(1, abs=2e-5),  # as its docstring says
        "psnr_first_100": pytest.approx(BEST, abs=1e-4),
        "ssim_first_100": pytest.approx(1, abs=2e-5),
        "knn_accuracy": 1.0,
        "linear_probe_accuracy": 1.0,
    }
    assert {name: found[name] for name in best} == best
    assert set(found) == {*best, "silhouette", "scatter_ratio"}
    assert found["silhouette"] > 0.1
    assert found["scatter_ratio"] > 0.1


def test_constant_image_has_the_error_of_the_closed_form(tmp_path):
    images = _noise(40, None)
    found = _evaluate(_autoencoder(_constant(0.25)), images, tmp_path)
    errors = np.mean((images.images / 255.0 - 0.25) ** 2, axis=(1, 2, 3))
    # float32 sums of 144 terms.
    expected = np.mean(-10 * np.log10(errors))
    assert found["psnr"] == pytest.approx(expected, rel=1e-5)
    assert abs(found["ssim"]) < 0.1  # a constant has no structure


def test_mean_is_over_images_and_the_first_100_stand_apart(tmp_path):
    # Images 0 to 99 are black and pass unchanged; 100 to 149 are white and come
    # back at one half: a squared error of 1/4.
    images = np.zeros((150, *SHAPE), np.uint8)
    images[100:] = 255
    found = _evaluate(
        _autoencoder(lambda image: image * 0.5), Images(images, None, ()), tmp_path
    )
    assert found["psnr_first_100"] == pytest.approx(BEST, abs=1e-4)
    assert found["ssim_first_100"] == pytest.approx(1, abs=2e-5)
    half = -10 * math.log10(0.25)
    assert found["psnr"] == pytest.approx((100 * BEST + 50 * half) / 150, abs=1e-4)
    # Constants 1 and 1/2: only the luminance term differs from 1.
    luminance = (2 * 0.5 + 1e-4) / (1 + 0.25 + 1e-4)
    # In float32, E{a**2} - E{a}**2 is off by some 1e-7, which stands against
    # c2 = 9e-4.
    assert found["ssim"] == pytest.approx((100 + 50 * luminance) / 150, abs=1e-4)


def test_fewer_than_100_images_are_all_the_first(tmp_path):
    found = _evaluate(_autoencoder(_constant(0.5)), _noise(40, None), tmp_path)
    assert found["psnr"] == found["psnr_first_100"]
    assert found["ssim"] == found["ssim_first_100"]


def test_batches_of_evaluation_change_nothing(tmp_path, monkeypatch):
    images = _noise(41)
    autoencoder = _autoencoder(_constant(0.5))
    whole = _evaluate(autoencoder, images, tmp_path)
    monkeypatch.setattr(evaluation, "_BATCH", 7)
    # Another batch size may order float32 sums differently.
    assert _evaluate(autoencoder, images, tmp_path) == pytest.approx(whole, rel=1e-6)


def _darker_half(latent):
    """Logits (light on the right, light on the left): the true class wins."""
    image = keras.layers.Reshape(SHAPE)(latent)
    left = keras.ops.mean(image[:, :, :6], axis=(1, 2))
    right = keras.ops.mean(image[:, :, 6:], axis=(1, 2))
    return keras.ops.concatenate([right, left], axis=-1)


def _brighter_half(latent):
    return -_darker_half(latent)


def _always_first(latent):
    return _darker_half(latent) * 0.0 + np.array([1.0, 0.0], np.float32)


@pytest.mark.parametrize(
    ("classify", "accuracy"),
    # The even ones of 41 images are of the first class.
    [(_darker_half, 1.0), (_brighter_half, 0.0), (_always_first, 21 / 41)],
)
def test_label_accuracy_of_a_rigged_classifier(tmp_path, classify, accuracy):
    found = _evaluate(_autoencoder(classify=classify), _noise(41), tmp_path)
    assert found["label_accuracy"] == pytest.approx(accuracy)


def test_latent_is_measured_on_the_images_and_learned_from_the_reference(tmp_path):
    images, reference = _noise(41), _noise(40, seed=5)
    swapped = Images(reference.images, 1 - reference.labels, CLASSES)
    found = _evaluate(_autoencoder(), images, tmp_path, swapped)
    # Whoever learned from the images themselves would be right.
    assert found["knn_accuracy"] == 0.0
    assert found["linear_probe_accuracy"] == 0.0
    plain = _evaluate(_autoencoder(), images, tmp_path, reference)
    assert found["silhouette"] == plain["silhouette"]
    assert found["scatter_ratio"] == plain["scatter_ratio"]


def test_collapsed_encoder_is_measured_and_has_no_map(tmp_path):
    image = keras.Input(SHAPE)
    encoder = keras.Model(image, keras.layers.Flatten()(image) * 0.0)
    collapsed = Autoencoder(encoder, _autoencoder().decoder)
    found = _evaluate(collapsed, _noise(40), tmp_path)
    assert found["silhouette"] == 0.0
    assert found["scatter_ratio"] == 0.0
    assert found["knn_accuracy"] == 0.5
    assert not (tmp_path / "tsne.png").exists()


def test_without_labels_the_latent_is_not_measured(tmp_path):
    classifier = _autoencoder(classify=_darker_half)
    found = _evaluate(classifier, _noise(40, None), tmp_path)
    assert set(found) == {
        "examples",
        *("psnr", "ssim"),
        *("psnr_first_100", "ssim_first_100"),
    }
    assert not (tmp_path / "tsne.png").exists()
    assert (tmp_path / "reconstructions.png").exists()


def test_files_are_the_numbers_and_the_pictures(tmp_path):
    found = _evaluate(_autoencoder(), _noise(40), tmp_path / "new")
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["metrics.json", "reconstructions.png", "tsne.png"]
    assert json.loads((tmp_path / "new" / "metrics.json").read_text("utf-8")) == found
    for name in ("reconstructions", "tsne"):
        with Image.open(tmp_path / "new" / f"{name}.png") as picture:
            assert len(np.unique(np.asarray(picture))) > 10


def test_equal_seeds_give_equal_files(tmp_path):
    for folder in ("a", "b"):
        _evaluate(_autoencoder(), _noise(40), tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


# --- check


@pytest.mark.parametrize("shape", [(12, 12, 3), (16, 12, 1), (12, 16, 1)])
def test_images_of_another_shape_are_refused(tmp_path, shape):
    with pytest.raises(ValueError, match=r"takes images of shape \(12, 12, 1\), but"):
        _evaluate(_autoencoder(), _noise(40, shape=shape), tmp_path)


def test_other_classes_are_refused(tmp_path):
    images = _noise(40)
    many = Images(images.images, images.labels, ("a", "b", "c"))
    autoencoder = _autoencoder(classify=_darker_half)
    with pytest.raises(ValueError, match="knows 2 classes, but the data set has 3"):
        _evaluate(autoencoder, many, tmp_path)
    # Without a classifier their number is of no matter.
    assert "silhouette" in _evaluate(_autoencoder(), many, tmp_path)


def test_the_same_classes_in_another_order_are_refused(tmp_path):
    # Their logits would be taken for each other's.
    images = _noise(40)
    swapped = Images(images.images, 1 - images.labels, CLASSES[::-1])
    autoencoder = _autoencoder(classify=_darker_half)
    with pytest.raises(
        ValueError, match=r"in the order left,right.*Received: classes=right,left"
    ):
        _evaluate(autoencoder, swapped, tmp_path)
    assert "silhouette" in _evaluate(_autoencoder(), swapped, tmp_path)
    renamed = Images(images.images, images.labels, ("a", "b"))
    assert _evaluate(autoencoder, renamed, tmp_path)["label_accuracy"] == 1.0


def test_images_that_can_not_be_drawn_are_refused(tmp_path):
    shape = (12, 12, 2)
    with pytest.raises(ValueError, match=r"of 1 channel or 3 can be drawn, .* has 2"):
        _evaluate(_autoencoder(shape=shape), _noise(40, shape=shape), tmp_path)
    assert not list(tmp_path.iterdir())


def test_images_smaller_than_the_window_of_ssim_are_refused(tmp_path):
    shape = (8, 12, 1)
    with pytest.raises(ValueError, match=r"at least 11 x 11 pixels.*\(8, 12, 1\)"):
        _evaluate(_autoencoder(shape=shape), _noise(40, shape=shape), tmp_path)


def test_labels_of_one_split_only_are_refused(tmp_path):
    with pytest.raises(ValueError, match="labels in one split only"):
        _evaluate(_autoencoder(), _noise(40), tmp_path, _noise(40, None))


def _labelled(count, labels):
    return Images(_noise(count, None).images, np.asarray(labels), CLASSES)


@pytest.mark.parametrize(
    ("images", "reference", "received"),
    [
        (_noise(30), _noise(40), "30 images of 2 classes"),
        (_noise(40), _noise(9), "9 images of 2 classes"),
        (_labelled(40, [1] * 40), _noise(40), "40 images of 1 classes"),
        (_noise(40), _labelled(40, [0] * 40), "40 images of 1 classes"),
    ],
)
def test_too_few_for_the_measures_of_the_latent_are_refused(
    tmp_path, images, reference, received
):
    with pytest.raises(ValueError, match=f"at least 31 .*Received: {received}"):
        _evaluate(_autoencoder(), images, tmp_path, reference)
    assert not list(tmp_path.iterdir())


def test_fewest_that_can_be_measured(tmp_path):
    assert "silhouette" in _evaluate(_autoencoder(), _noise(31), tmp_path, _noise(10))


# --- evaluate_run


@pytest.fixture(scope="module")
def identity_run(tmp_path_factory):
    """A folder with the identity and the flags of its training."""
    folder = tmp_path_factory.mktemp("run")
    _autoencoder().save(folder)
    return folder


@pytest.fixture
def halves_file(tmp_path):
    """Test labels tell the dark half, training labels the other one."""
    train, test = _noise(40, seed=1), _noise(41, seed=2)
    path = tmp_path / "halves.npz"
    np.savez(
        path,
        images=train.images,
        labels=1 - train.labels,
        test_images=test.images,
        test_labels=test.labels,
    )
    return path


def _evaluate_run(folder, split, dataset=None, output_dir=None, classes=None):
    return evaluation.evaluate_run(
        folder,
        split,
        dataset=dataset,
        classes=classes,
        output_dir=output_dir,
        seed=0,
        data_dir=None,
        manual_dir=None,
    )


@pytest.mark.parametrize(("split", "examples"), [("test", 41), ("train", 40)])
def test_each_split_learns_from_the_other(
    identity_run, halves_file, tmp_path, split, examples
):
    found = _evaluate_run(identity_run, split, str(halves_file), tmp_path / "out")
    assert found["examples"] == examples
    assert found["psnr"] == pytest.approx(BEST, abs=1e-4)
    # The labels of the other split say the opposite.
    assert found["knn_accuracy"] == 0.0
    assert (tmp_path / "out" / "metrics.json").exists()


def test_data_set_is_that_of_the_training_and_the_folder_is_named_by_it(
    tmp_path, halves_file
):
    _autoencoder().save(tmp_path)
    (tmp_path / "flags.txt").write_text(f"--seed=0\n--dataset={halves_file}\n")
    found = _evaluate_run(tmp_path, "train")
    written = tmp_path / "evaluation" / "halves_train" / "metrics.json"
    assert json.loads(written.read_text("utf-8")) == found


@pytest.mark.parametrize(
    ("named", "classes", "examples"),
    [
        (False, None, 80),
        (False, ["0", "1"], 80),
        (False, [], 160),
        (True, None, 160),
        (True, ["2", "0"], 80),
    ],
    ids=["of the training", "others", "all", "with a data set", "both"],
)
def test_classes_are_those_of_the_training_unless_named(
    tmp_path, write_images, named, classes, examples
):
    path = write_images(
        images=_noise(160, seed=1).images,
        labels=np.arange(160) % 4,
        test_images=_noise(160, seed=2).images,
        test_labels=np.arange(160) % 4,
    )
    _autoencoder().save(tmp_path)
    (tmp_path / "flags.txt").write_text(f"--dataset={path}\n--classes=3,1\n")
    dataset = str(path) if named else None
    found = _evaluate_run(tmp_path, "test", dataset, tmp_path / "out", classes)
    assert found["examples"] == examples


def test_unlabelled_file_of_a_single_split_is_enough(identity_run, tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, test_images=_noise(3).images)
    found = _evaluate_run(identity_run, "test", str(path), tmp_path / "out")
    assert found["examples"] == 3


@pytest.mark.parametrize(
    ("split", "dataset", "message"),
    [
        ("valid", "digits", "splits train, test. Received: split='valid'"),
        ("test", "nothing", "Unknown data set"),
        ("test", "missing.npz", "no such file"),
        ("test", "digits", r"takes images of shape \(12, 12, 1\), but .*\(28, 28, 1\)"),
    ],
)
def test_data_that_are_not_there_or_do_not_fit_are_refused(
    identity_run, tmp_path, split, dataset, message
):
    with pytest.raises(ValueError, match=message):
        _evaluate_run(identity_run, split, dataset, tmp_path / "out")


def test_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no finished model"):
        _evaluate_run(tmp_path, "test", "digits")
    assert not list(tmp_path.iterdir())


def test_output_that_is_a_file_is_refused(identity_run, halves_file, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="can not be written"):
        _evaluate_run(identity_run, "test", str(halves_file), tmp_path / "file")


def test_an_infinite_ratio_of_scatters_is_none():
    # JSON has no infinity. Two classes, each a point.
    latents, labels = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 0, 1, 1])
    found = evaluation.structure(latents, labels)
    assert found == {"silhouette": 1.0, "scatter_ratio": None}
