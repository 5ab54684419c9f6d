"""Models and images as flags name them, and the command on a small pair."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfsemae import audit, models
from tfsemae.audit import damage, endpoints, given, loading, steps
from tfsemae.audit.attacking import Space
from tfsemae.models import saved_model

SHAPE = (12, 12, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An autoencoder, saved in three ways: a run, a SavedModel, two Keras files."""
    target = tmp_path_factory.mktemp("models")
    image = keras.Input(SHAPE)
    # The means of four rows of the image, and back.
    rows = keras.layers.AveragePooling2D((12, 3))(image)
    encoder = keras.Model(image, keras.layers.Flatten()(rows))
    latent = keras.Input((4,))
    wide = keras.layers.UpSampling2D((12, 3))(keras.layers.Reshape((1, 4, 1))(latent))
    decoder = keras.Model(latent, wide)
    autoencoder = models.Autoencoder(encoder, decoder)
    autoencoder.save(target / "run")
    saved_model.export(autoencoder, target / "saved")
    several = {"mean": encoder.output, "log_variance": 0.5 * encoder.output}
    keras.Model(image, several).save(target / "several.keras")
    return target


def _settings(**given):
    return audit.Settings(**{"dataset": "digits", "output_dir": "unused"} | given)


def _pair(folder):
    return {
        "encoder": str(folder / "run" / "encoder.keras"),
        "decoder": str(folder / "run" / "decoder.keras"),
    }


def test_three_ways_to_name_a_model_agree(folder):
    images = np.float32(np.random.default_rng(0).uniform(size=(3, *SHAPE)))
    shown, searched = [], []
    for flags in (
        {"model": str(folder / "run")},
        {"model": str(folder / "saved")},
        _pair(folder),
    ):
        encode, decode, _ = loading.functions(_settings(**flags))
        model = endpoints.Endpoints(encode, decode)
        model.examine(images)
        shown.append(model.reconstruct(images))
        searched.append(_smallest(model, model.encode(images).numpy()))
    for found in (shown, searched):
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(found[0], found[2])


def _smallest(model, latents):
    """Norms of the smallest perturbations of latents, as an audit finds them."""
    space = Space(
        name="latent", network=model.decode, shape=(4,), spread=1.0, bounds=None
    )
    effort = {"steps": tf.Variable(3), "rounds": tf.Variable(2)}
    search = steps.Steps(
        space, damage.make("mse:0.02", SHAPE), {}, effort=effort, seed=0
    )
    found = search.smallest(latents, *search.numbers(1)(3))
    return found["smallest"]["epsilon"].numpy()


def test_signature_of_a_saved_model_has_gradients_and_slopes(folder):
    flags = {"encode_endpoint": "encode", "decode_endpoint": "decode"}
    _, decode, _ = loading.functions(_settings(model=str(folder / "saved"), **flags))
    point = tf.ones([2, 4])
    with tf.GradientTape() as tape:
        tape.watch(point)
        total = tf.reduce_sum(decode(point))
    # A number of the latent fills 36 pixels.
    np.testing.assert_allclose(tape.gradient(total, point), np.full((2, 4), 36.0))
    with tf.autodiff.ForwardAccumulator(point, tf.ones([2, 4])) as forward:
        shown = decode(point)
    np.testing.assert_allclose(forward.jvp(shown), np.ones((2, *SHAPE)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encode_endpoint": "embed"}, "no endpoint 'embed'. .* are: decode, encode"),
        ({"model": "nowhere"}, "--model=nowhere is neither the --output_dir"),
    ],
)
def test_missing_endpoint_or_model_is_named(folder, changes, message):
    flags = {"model": str(folder / "saved")} | changes
    with pytest.raises(ValueError, match=message):
        loading.functions(_settings(**flags))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "--model, or --encoder and --decoder, is missing"),
        ({"encoder": "e.keras"}, "--decoder is missing"),
        ({"model": "a", "encoder": "e.keras"}, "--model stands for both"),
        ({"model": "a", "compare": ("a",)}, "takes at least two folders"),
        (
            {"encoder": "e", "decoder": "d", "latent_layer": "code"},
            "--latent_layer is of the .keras file of --model",
        ),
        ({"model": "a", "fail_above": ("ssim",)}, "must be a figure and a number"),
        ({"model": "a", "damage": "sim:1"}, "--damage=sim:1 must be a metric of ssim,"),
        ({"model": "a", "damage": "ssim:2"}, "value of ssim must be between 0 and 1"),
        ({"model": "a", "damage": "lpips:0.5"}, "--weights_dir is missing"),
        (
            {"model": "a", "dataset": "nothing"},
            "Unknown data set: .*'nothing'. A folder",
        ),
        ({"model": "a", "examples": 3, "budget_minutes": 1.0}, "Leave one out"),
    ],
)
def test_flags_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        _settings(**changes)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=no/model", "--dataset=digits"], "--model=no/model: there is no su"),
        (["--compare=a,b"], "a holds no finished audit"),
        (["--model=a", "--damage=sim:1"], "--damage=sim:1 must be a metric"),
    ],
)
def test_what_needs_no_tensorflow_is_said_without_it(
    flags, message, run_python, tmp_path
):
    (tmp_path / "tensorflow.py").write_text("raise AssertionError('imported')")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import runpy\n"
        "runpy.run_module('tfsemae.audit', run_name='__main__', alter_sys=True)"
    )
    ended = run_python("-c", script, *flags, f"--output_dir={tmp_path / 'out'}")
    (line,) = ended.messages
    assert ended.status == 1
    assert message in line


def test_output_is_chosen_by_its_name(folder):
    images = np.zeros((2, *SHAPE), np.float32) + 0.5
    flags = _pair(folder) | {"encoder": str(folder / "several.keras")}
    encode, decode, _ = loading.functions(_settings(**flags))
    with pytest.raises(ValueError, match=r"log_variance \[B, 4\], mean \[B, 4\]"):
        endpoints.Endpoints(encode, decode).examine(images)
    found = endpoints.Endpoints(encode, decode, output="log_variance")
    np.testing.assert_allclose(found.encode(images), 0.25)


def test_pixels_come_in_the_shape_that_a_model_takes():
    images = np.float32(np.random.default_rng(0).uniform(size=(3, *SHAPE)))
    flat = keras.Sequential([keras.Input((144,)), keras.layers.Identity()])
    model = endpoints.Endpoints(flat, flat)
    model.examine(images)
    assert model.encode(images).shape == (3, 144)
    np.testing.assert_array_equal(model.reconstruct(images), images)


@pytest.mark.parametrize("low_high", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_value_range_is_recognised(low_high):
    low, high = low_high
    images = np.float32(np.random.default_rng(0).uniform(size=(4, *SHAPE)))

    def inside(latent):  # a decoder whose last layer keeps to its range
        return tf.clip_by_value(latent, low, high)

    def encode(images):
        # Of another range it makes something else.
        return low + (high - low) * tf.abs((images - low) / (high - low)) ** 1.2

    found, psnrs = endpoints.recognised_range(encode, inside, images, None)
    assert found == low_high
    assert len(psnrs) == 3


class _Noisy(keras.layers.Layer):
    """As the sampling layer of the usual Keras VAE."""

    def __init__(self):
        super().__init__()
        self._seeds = keras.random.SeedGenerator(1)

    def call(self, images):
        return images + 0.5 * keras.random.normal((2, *SHAPE), seed=self._seeds)


def test_random_keras_encoder_has_common_draws():
    image = keras.Input(SHAPE)
    noisy = _Noisy()(image)
    encoder = keras.Model(image, keras.layers.Flatten()(noisy))
    decoder = keras.Sequential([keras.Input((144,)), keras.layers.Reshape(SHAPE)])
    model = endpoints.Endpoints(encoder, decoder)
    images = np.zeros((2, *SHAPE), np.float32)
    model.examine(images)
    assert model.stochastic == ("encoder",)
    assert model.common
    np.testing.assert_array_equal(model.encode(images), model.encode(images))


def test_folder_of_images_has_its_subfolders_as_classes(tmp_path):
    for place, name in enumerate(("cat", "dog", "dog")):
        (tmp_path / name).mkdir(exist_ok=True)
        grey = np.full((14, 13), 10 * place, np.uint8)
        Image.fromarray(grey).save(tmp_path / name / f"{place}.png")
    found = loading.from_folder(tmp_path)
    assert found.images.shape == (3, 14, 13, 1)
    assert found.images[:, 0, 0, 0].tolist() == [0, 10, 20]
    assert found.class_names == ("cat", "dog")
    assert found.labels.tolist() == [0, 1, 1]
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "dog" / "small.png")
    with pytest.raises(ValueError, match="must have one size"):
        loading.from_folder(tmp_path)


def test_images_of_16_bits_keep_their_brightness(tmp_path):
    levels = np.array([[0, 1, 128, 255]], np.uint16)
    Image.fromarray(257 * levels).save(tmp_path / "deep.png")
    found = loading.from_folder(tmp_path).images
    np.testing.assert_array_equal(found[0, :, :, 0], levels)
    assert found.dtype == np.uint8
    Image.fromarray(np.float32(levels)).save(tmp_path / "floating.tif")
    with pytest.raises(ValueError, match=r"floating\.tif has pixels of 32 bits"):
        loading.from_folder(tmp_path)


def test_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no image"):
        loading.from_folder(tmp_path)


def test_images_of_other_ranges_come_from_a_file(write_images, capsys):
    floating = np.linspace(-1, 1, 3 * 144, dtype=np.float32).reshape(3, *SHAPE)
    path = write_images(
        images=floating, labels=None, test_images=None, test_labels=None
    )
    found, name = loading.images(_settings(model="a", dataset=str(path)), None)
    np.testing.assert_allclose(found.images, (floating + 1) / 2, atol=1e-7)
    assert name == str(path)
    said = capsys.readouterr().err
    assert said == "Images from -1 to 1 are taken to be in [-1, 1].\n"


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, bool, np.complex64])
def test_images_of_other_types_are_refused(dtype):
    # Integers up to 1 may be dark pixels of 255, or all of a range.
    images = np.ones((2, *SHAPE), dtype)
    with pytest.raises(ValueError, match=f"uint8.*Received: dtype={np.dtype(dtype)}"):
        given.images(images, None, None)


def test_bounds_name_the_figure_that_fails():
    settings = _settings(
        model="a", fail_above=("latent_ssim:0.2",), fail_below=("input_perturbation:1",)
    )
    figures = {"latent_ssim": 0.3, "input_perturbation": 2.0}
    assert audit.failures(settings, {"figures": figures}) == [
        "Failed: latent_ssim is 0.3, above the bound of 0.2."
    ]
    figures = {"latent_ssim": 0.1, "input_perturbation": None}  # never damaged
    assert audit.failures(settings, {"figures": figures}) == []
    figures = {"latent_ssim": None, "input_perturbation": 2.0}  # outputs of NaN
    assert audit.failures(settings, {"figures": figures}) == [
        "Failed: latent_ssim has no finite value."
    ]
    with pytest.raises(ValueError, match=r"no such figure\. There are: none"):
        audit.failures(settings, {})


def test_folders_to_compare_are_words_or_a_list(run_preloaded, tmp_path):
    target = f"--output_dir={tmp_path}/both"
    for words in (["--compare", "a", "b"], ["--compare=a,b"]):
        ended = run_preloaded("audit", *words, target)
        assert ended.status == 1
        assert ended.messages[-1].startswith("Error: a holds no finished audit")
    ended = run_preloaded("audit", "--model=a", "b", target)
    assert ended.messages[-1].startswith("Error: Unexpected 'b'")


def test_command_writes_a_page_and_fails_by_status(
    folder, images_file, run_preloaded, tmp_path
):
    flags = [f"--{name}={value}" for name, value in _pair(folder).items()]
    flags += [f"--dataset={images_file}", "--examples=6", "--restarts=1", "--steps=1"]
    flags += ["--damage=mse:0.02", "--value_range=0,1", f"--output_dir={tmp_path}/out"]
    ended = run_preloaded("audit", *flags, "--fail_above=latent_mse:0")
    assert ended.status == 3, ended.messages
    assert ended.messages[-1].startswith("Failed: latent_mse is ")
    # A line for each stage, and few others: all fit a screen.
    said = [line.partition("  ")[0] for line in ended.messages]
    assert [line for line in said if line.startswith("[")] == [
        "[1/7] Reconstruction",
        "[2/7] Smallest perturbation of the latent",
        "[3/7] Attacks on the latent",
        "[4/7] Smallest perturbation of the input",
        "[5/7] Attacks on the input",
        "[6/7] Jacobians",
        "[7/7] Everyday noise",
    ]
    assert len(said) <= 16
    found = json.loads(ended.out)
    # A latent fills its pixels: their mean squared change is that of the latent.
    level = found["figures"]["latent_mse"]
    written = json.loads((tmp_path / "out" / "audit.json").read_text("utf-8"))
    radius = 0.1 * written["audited"]["latent_spread"]
    assert level == pytest.approx(radius**2 / 4, rel=1e-3)
    assert (tmp_path / "out" / "flags.txt").is_file()
    again = run_preloaded("audit", *flags, "--fail_above=latent_mse:1")
    assert again.status == 0
    assert again.messages[-1].endswith("holds a finished run, which is read.")

    # Beside itself, its smallest perturbations are 1 times as large.
    other = tmp_path / "copy"
    shutil.copytree(tmp_path / "out", other)
    both = [str(tmp_path / "out"), str(other), f"--output_dir={tmp_path}/both"]
    beside = run_preloaded("audit", "--compare", *both)
    assert beside.status == 0, beside.messages
    compared = json.loads((tmp_path / "both" / "comparison.json").read_text("utf-8"))
    ratios = [each["ratio"]["value"] for each in compared["paired"][1]]
    assert ratios == [1.0, 1.0]
    assert (tmp_path / "both" / "index.html").is_file()
