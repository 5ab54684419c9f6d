import math
import re

import keras
import numpy as np
import pytest
from PIL import Image

from tfsemae import evaluation, files, run_folder, settings
from tfsemae.data import Images
from tfsemae.evaluation import arrays
from tfsemae.evaluation import autoencoder as measured
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.reports import figures

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
    return evaluation.evaluate(
        autoencoder, images, reference, output_dir=folder, seed=0
    )


def _arrays(folder):
    with np.load(folder / "measurements.npz") as file:
        return dict(file)


def test_identity_reaches_the_best_of_everything(tmp_path):
    images = _noise(120)
    found = _evaluate(_autoencoder(), images, tmp_path)
    assert found.pop("examples") == 120
    best = {
        "psnr": pytest.approx(BEST, abs=1e-4),  # float32
        "ssim": pytest.approx(1, abs=2e-5),  # as its docstring says
        "knn_accuracy": 1.0,
        "linear_probe_accuracy": 1.0,
    }
    assert {name: found[name] for name in best} == best
    others = {"silhouette", "scatter_ratio", "kmeans_nmi", "map_silhouette"}
    assert set(found) == {*best, *others}
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


def test_mean_is_over_images_whose_values_are_kept(tmp_path):
    # Images 0 to 99 are black and pass unchanged; 100 to 149 are white and come
    # back at one half: a squared error of 1/4.
    images = np.zeros((150, *SHAPE), np.uint8)
    images[100:] = 255
    found = _evaluate(
        _autoencoder(lambda image: image * 0.5), Images(images, None, ()), tmp_path
    )
    of_each = _arrays(tmp_path)
    assert set(of_each) == {"clean/psnr", "clean/ssim"}
    half = -10 * math.log10(0.25)
    expected = np.repeat([BEST, half], [100, 50])
    np.testing.assert_allclose(of_each["clean/psnr"], expected, atol=1e-4)
    np.testing.assert_allclose(of_each["clean/ssim"][:100], 1, atol=2e-5)
    assert found["psnr"] == pytest.approx((100 * BEST + 50 * half) / 150, abs=1e-4)
    # Constants 1 and 1/2: only the luminance term differs from 1.
    luminance = (2 * 0.5 + 1e-4) / (1 + 0.25 + 1e-4)
    # In float32, E{a**2} - E{a}**2 is off by some 1e-7, which stands against
    # c2 = 9e-4.
    assert found["ssim"] == pytest.approx((100 + 50 * luminance) / 150, abs=1e-4)


def test_batches_of_evaluation_change_nothing(tmp_path, monkeypatch):
    images = _noise(41)
    autoencoder = _autoencoder(_constant(0.5))
    whole = _evaluate(autoencoder, images, tmp_path)
    monkeypatch.setattr(measured, "_BATCH", 7)
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
    for key in ("silhouette", "kmeans_nmi", "map_silhouette"):
        assert found[key] == plain[key]
    assert found["scatter_ratio"] == plain["scatter_ratio"]


def test_collapsed_encoder_is_measured_and_has_no_map(tmp_path):
    image = keras.Input(SHAPE)
    encoder = keras.Model(image, keras.layers.Flatten()(image) * 0.0)
    collapsed = Autoencoder(encoder, _autoencoder().decoder)
    found = _evaluate(collapsed, _noise(40), tmp_path)
    assert found["silhouette"] == 0.0
    assert found["scatter_ratio"] == found["kmeans_nmi"] == 0.0
    assert found["knn_accuracy"] == 0.5
    assert found["map_silhouette"] is None
    assert not (tmp_path / "tsne.png").exists()


def test_without_labels_the_latent_is_not_measured(tmp_path):
    classifier = _autoencoder(classify=_darker_half)
    found = _evaluate(classifier, _noise(40, None), tmp_path)
    assert set(found) == {"examples", "psnr", "ssim"}
    assert not (tmp_path / "tsne.png").exists()
    assert (tmp_path / "reconstructions.png").exists()


def test_files_are_the_numbers_and_the_pictures(tmp_path):
    images = _noise(40)
    found = _evaluate(_autoencoder(classify=_darker_half), images, tmp_path / "new")
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["measurements.npz", "reconstructions.png", "tsne.png"]
    of_each = _arrays(tmp_path / "new")
    assert set(of_each) == {"clean/psnr", "clean/ssim", "clean/predicted"}
    np.testing.assert_array_equal(of_each["clean/predicted"], images.labels)
    for name in ("psnr", "ssim"):
        assert of_each[f"clean/{name}"].mean() == pytest.approx(found[name])
    for name in ("reconstructions", "tsne"):
        with Image.open(tmp_path / "new" / f"{name}.png") as picture:
            assert len(np.unique(np.asarray(picture))) > 10


def test_equal_seeds_give_equal_files(tmp_path):
    for folder in ("a", "b"):
        _evaluate(_autoencoder(), _noise(40), tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_killed_between_shards_and_continued_equals_the_uninterrupted(
    tmp_path, monkeypatch
):
    class Killed(Exception):
        pass

    monkeypatch.setattr(arrays, "_SHARD_BYTES", 1)
    monkeypatch.setattr(measured, "_BATCH", 16)  # shards of 16, 16 and 8 images
    network, images = _autoencoder(classify=_darker_half), _noise(40)
    whole = _evaluate(network, images, tmp_path / "whole")
    write, written = arrays.Shards.write, []

    def write_or_die(shards, first, values):
        if len(written) == stop:
            raise Killed
        written.append(first)
        write(shards, first, values)

    monkeypatch.setattr(arrays.Shards, "write", write_or_die)
    for limit in (2, 4):  # among the images, and among those that are learnt from
        stop = limit
        with pytest.raises(Killed):
            _evaluate(network, images, tmp_path / "out")
    stop = -1
    assert _evaluate(network, images, tmp_path / "out") == whole
    assert written == [0, 16, 32] * 2, "a finished shard was computed again"
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_each_longer_work_is_announced(tmp_path, capsys):
    _evaluate(_autoencoder(), _noise(40), tmp_path)
    notes = capsys.readouterr().err
    for work in ("Reconstructing", "Encoding", "t-SNE map", "Done: linear probe"):
        assert work in notes


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


def _evaluate_run(folder, split, dataset=None, output_dir=None, **changes):
    values = {
        "model_dir": str(folder),
        "split": split,
        "dataset": dataset,
        "output_dir": None if output_dir is None else str(output_dir),
    }
    return evaluation.evaluate_run(settings.make(evaluation.Settings, values | changes))


def test_a_finished_one_is_not_read_where_the_file_has_other_images_now(
    identity_run, halves_file, tmp_path
):
    _evaluate_run(identity_run, "test", str(halves_file), tmp_path / "out")
    with np.load(halves_file) as file:
        arrays = dict(file)
    arrays["test_images"] = arrays["test_images"][::-1]
    np.savez(halves_file, **arrays)
    with pytest.raises(ValueError, match=r"other data or networks \(images\)"):
        _evaluate_run(identity_run, "test", str(halves_file), tmp_path / "out")
    halves_file.unlink()
    found = _evaluate_run(identity_run, "test", str(halves_file), tmp_path / "out")
    assert found["examples"] == 41


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


@pytest.fixture
def trained(tmp_path, halves_file):
    """A training run of the identity on the halves."""
    folder = tmp_path / "trained"
    _autoencoder().save(folder)
    (folder / "flags.txt").write_text(f"--seed=0\n--dataset={halves_file}\n")
    return folder


def _folders(trained):
    return sorted(path.name for path in (trained / "evaluation").iterdir())


def test_data_set_is_that_of_the_training_and_the_folder_is_named_by_it(trained):
    found = _evaluate_run(trained, "train")
    (folder,) = (trained / "evaluation").iterdir()
    assert re.fullmatch("halves_train_[0-9a-f]{8}", folder.name)
    assert run_folder.read_metrics(folder) == found
    assert run_folder.read_flags(folder)["split"] == "train"
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock",
        "flags.txt",
        "inputs.json",
        "measurements.npz",
        "metrics.json",
        "reconstructions.png",
        "seconds.json",
        "tsne.png",
    ]


def test_a_second_start_only_reads(trained, capsys):
    found = _evaluate_run(trained, "test")
    capsys.readouterr()
    assert _evaluate_run(trained, "test") == found
    assert "holds a finished run, which is read" in capsys.readouterr().err
    assert len(_folders(trained)) == 1


def test_files_of_one_stem_splits_and_classes_have_folders_of_their_own(
    trained, tmp_path, monkeypatch
):
    for name, count in (("a", 32), ("b", 33)):
        (tmp_path / name).mkdir()
        images = _noise(count)
        arrays_of = {"images": images.images, "labels": images.labels}
        arrays_of |= {f"test_{key}": array for key, array in arrays_of.items()}
        np.savez(tmp_path / name / "x.npz", **arrays_of)
        path = str(tmp_path / name / "x.npz")
        assert _evaluate_run(trained, "test", path)["examples"] == count
        # The same words, of another file.
        monkeypatch.chdir(tmp_path / name)
        assert _evaluate_run(trained, "test", "x.npz")["examples"] == count
    _evaluate_run(trained, "train", "x.npz")
    _evaluate_run(trained, "train", "x.npz", classes=("1", "0"))
    names = _folders(trained)
    assert len(names) == 6
    assert [name.rpartition("_")[0] for name in names] == ["x_test"] * 4 + [
        "x_train"
    ] * 2


def test_other_networks_or_contents_are_measured_anew(trained, halves_file):
    first = _evaluate_run(trained, "test")
    _autoencoder(_constant(0.5)).save(trained)
    second = _evaluate_run(trained, "test")
    assert second["psnr"] < first["psnr"]
    images = _noise(35, None)
    np.savez(halves_file, test_images=images.images)
    assert _evaluate_run(trained, "test")["examples"] == 35
    assert len(_folders(trained)) == 3


def test_another_evaluation_in_the_same_folder_is_refused(trained, tmp_path):
    _evaluate_run(trained, "test", output_dir=tmp_path / "out")
    with pytest.raises(ValueError, match="--split=test then, --split=train now"):
        _evaluate_run(trained, "train", output_dir=tmp_path / "out")


def test_another_process_in_the_folder_is_refused(trained, tmp_path):
    (tmp_path / "out").mkdir()
    with (
        files.locked(tmp_path / "out", "process"),
        pytest.raises(ValueError, match="Another process is using"),
    ):
        _evaluate_run(trained, "test", output_dir=tmp_path / "out")


@pytest.mark.parametrize(
    ("named", "classes", "examples"),
    [
        (False, None, 80),
        (False, ("0", "1"), 80),
        (False, (), 160),
        (True, None, 160),
        (True, ("2", "0"), 80),
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
    found = _evaluate_run(tmp_path, "test", dataset, tmp_path / "out", classes=classes)
    assert found["examples"] == examples


def test_labelled_file_of_a_single_split_is_told_what_is_missing(
    identity_run, tmp_path
):
    images = _noise(40)
    path = tmp_path / "mine.npz"
    np.savez(path, test_images=images.images, test_labels=images.labels)
    with pytest.raises(ValueError, match=r"labels but no split train, .*leave the lab"):
        _evaluate_run(identity_run, "test", str(path), tmp_path / "out")


def test_labels_of_one_class_are_told_what_to_do(identity_run, tmp_path):
    images = _noise(40).images
    path = tmp_path / "mine.npz"
    np.savez(
        path,
        images=images,
        labels=np.full(40, 7),
        test_images=images,
        test_labels=np.full(40, 7),
    )
    with pytest.raises(ValueError, match=r"Leave the labels out .*of 1 class") as error:
        _evaluate_run(identity_run, "test", str(path), tmp_path / "out")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("first", [1, 1990])
def test_labels_that_do_not_begin_at_0_are_those_of_the_classes_that_occur(
    identity_run, tmp_path, first, monkeypatch
):
    images, labels = _noise(40).images, first + np.arange(40) % 10
    path, drawn = tmp_path / "mine.npz", []
    np.savez(path, images=images, labels=labels, test_images=images, test_labels=labels)
    embedding = figures.embedding

    def spied(panels, class_names, path, **options):
        drawn.append(class_names)
        embedding(panels, class_names, path, **options)

    monkeypatch.setattr(figures, "embedding", spied)
    _evaluate_run(identity_run, "test", str(path), tmp_path / "out")
    assert drawn == [tuple(str(first + number) for number in range(10))]


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


def test_folder_of_no_training_run_asks_for_the_data_set(identity_run, tmp_path):
    (tmp_path / "flags.txt").write_text("--seed=0\n")
    _autoencoder().save(tmp_path)
    with pytest.raises(ValueError, match=r"names no data set.*give --dataset"):
        _evaluate_run(tmp_path, "test")


def test_output_that_is_a_file_is_refused(identity_run, halves_file, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file cannot be written.* Name a folder"):
        _evaluate_run(identity_run, "test", str(halves_file), tmp_path / "file")


def test_model_that_is_a_file_is_called_a_file(halves_file):
    with pytest.raises(ValueError, match=f"{halves_file} is a file. Name the folder"):
        _evaluate_run(halves_file, "test", "digits")


def test_reconstructions_beyond_black_and_white_are_drawn_clipped(tmp_path):
    doubled = _autoencoder(keras.layers.Rescaling(3.0, -1.0))
    clipped = _autoencoder(lambda image: keras.ops.clip(3.0 * image - 1.0, 0.0, 1.0))
    for name, network in (("beyond", doubled), ("clipped", clipped)):
        measured.draw_reconstructions(network, _noise(12), tmp_path / f"{name}.png")
    beyond, expected = (
        (tmp_path / f"{n}.png").read_bytes() for n in ("beyond", "clipped")
    )
    assert beyond == expected
