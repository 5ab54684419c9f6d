"""Fakes of labelled images: known copies, known limits, and a judge."""

import json
import pathlib

import keras
import numpy as np
import pytest
from scipy import stats

from tfsemae import data, models, settings, training
from tfsemae.models.classifier import Classifier
from tfsemae.models.gan import Gan
from tfsemae.training import fakes
from tfsemae.training.procedures.classifier import ClassifierProcedure
from tfsemae.training.settings import Fakes

IMAGES = data.Images(
    np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8),
    np.arange(60) % 3,
    tuple("abc"),
)


@pytest.fixture(scope="module")
def variational(tmp_path_factory):
    """A variational autoencoder that has learnt nothing, and its folder."""
    network = models.build(
        "dense", (8, 8, 1), seed=0, latent=4, hidden=(16,), variational=True
    )
    folder = tmp_path_factory.mktemp("vae")
    network.save(folder)
    return network, str(folder)


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """A classifier that is sure of class 0 where an image is dark, else of class 2."""
    image = keras.Input((8, 8, 1))
    mean = keras.layers.GlobalAveragePooling2D(name="features")(image)
    network = keras.Model(image, keras.layers.Dense(3)(mean))
    network.layers[-1].set_weights(
        [np.float32([[-50, 0, 50]]), np.float32([25, 0, -25])]
    )
    folder = tmp_path_factory.mktemp("judge")
    Classifier.of(network).save(folder)
    return str(folder)


def test_labelled_images_are_as_many_of_each_class_and_those_of_the_seed():
    first, again, other = (fakes.labelled(IMAGES, 5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(np.bincount(first.labels), [5, 5, 5])
    assert first.digest() == again.digest() != other.digest()
    every = fakes.labelled(IMAGES, None, 0)
    assert every.digest() == IMAGES.digest()
    # A class of which there is no image, as in one split of an own file.
    gap = data.Images(IMAGES.images, 2 * (IMAGES.labels % 2), tuple("abc"))
    known = fakes.labelled(gap, 5, 0)
    np.testing.assert_array_equal(np.bincount(known.labels), [5, 0, 5])
    with pytest.raises(ValueError, match=r"--labelled_per_class=21 .* 20 images"):
        fakes.labelled(IMAGES, 21, 0)


def test_moved_images_are_parts_of_the_original_and_nothing():
    found = fakes.make(IMAGES, Fakes(fakes="shift", fakes_per_image=30), 0)
    np.testing.assert_array_equal(found.labels, np.repeat(IMAGES.labels, 30))
    assert found.images.dtype == np.uint8
    padded = np.pad(IMAGES.images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    moves = [(down, right) for down in range(5) for right in range(5)]
    seen = set()
    for place, fake in enumerate(found.images[:60]):
        parts = [
            np.array_equal(fake, padded[place // 30, d : d + 8, r : r + 8])
            for d, r in moves
        ]
        assert sum(parts) == 1
        seen.add(parts.index(True))
    assert len(seen) > 15  # of 25


def test_without_spread_a_fake_is_the_decoded_mean(variational):
    network, folder = variational
    chosen = Fakes(fakes="vae", fakes_from=folder, fakes_scale=0.0, fakes_per_image=2)
    found = fakes.make(IMAGES, chosen, 0)
    decoded = network.decoder(network.encoder(data.pixels(IMAGES)))
    expected = np.repeat(np.rint(255 * decoded), 2, axis=0)
    # A value near a half may be rounded either way.
    np.testing.assert_allclose(found.images, expected, atol=1)
    np.testing.assert_array_equal(found.labels, np.repeat(IMAGES.labels, 2))


def test_spread_grows_with_the_scale(variational):
    _, folder = variational
    spread = []
    for scale in (0.0, 1.0, 2.0, 4.0):
        chosen = Fakes(
            fakes="vae", fakes_from=folder, fakes_scale=scale, fakes_per_image=5
        )
        images = data.pixels(fakes.make(IMAGES, chosen, 0))
        spread.append(np.ptp(images.reshape(60, 5, -1), axis=1).mean())
    assert spread[0] == 0
    assert spread == sorted(spread)
    assert spread[1] > 0


def test_flips_grow_with_the_scale_as_a_normal_distribution_says(tmp_path):
    network = models.build(
        "dense", (8, 8, 1), seed=0, latent=1, hidden=(), variational=True
    )
    # mu is 3 times the mean pixel minus 1.5, sigma is 1, and g(z) = sigmoid(z).
    mean = network.encoder.get_layer("mean")
    mean.set_weights([np.full((64, 1), 3 / 64), np.array([-1.5])])
    log_variance = network.log_variance.get_layer("log_variance")
    log_variance.set_weights([np.zeros((64, 1)), np.zeros(1)])
    network.decoder.get_layer("pixels").set_weights([np.ones((1, 64)), np.zeros(64)])
    network.save(tmp_path)
    grey = np.linspace(0, 255, 60).round().astype(np.uint8)
    images = data.Images(
        np.tile(grey[:, np.newaxis, np.newaxis, np.newaxis], (1, 8, 8, 1)),
        (grey > 127).astype(int),  # what an oracle of the brightness says
        tuple("ab"),
    )
    mu = 3 * grey.astype(float) / 255 - 1.5
    before = np.zeros(60 * 50, bool)
    for scale in (0.0, 1.0, 2.0, 4.0):
        chosen = Fakes(
            fakes="vae",
            fakes_from=str(tmp_path),
            fakes_scale=scale,
            fakes_per_image=50,
        )
        found = fakes.make(images, chosen, 0)
        flipped = (data.pixels(found).mean(axis=(1, 2, 3)) > 0.5) != found.labels
        assert np.all(flipped >= before)  # by the same random numbers
        before = flipped
        expected = stats.norm.cdf(-np.abs(mu) / scale).mean() if scale else 0.0
        error = np.sqrt(expected * (1 - expected) / len(flipped))
        assert abs(flipped.mean() - expected) <= 4 * error, scale


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    """The folder of a GAN whose images have the brightness of their class."""
    latent = keras.Input((5,))  # two numbers, and three classes
    dense = keras.layers.Dense(64, "sigmoid")
    made = keras.layers.Reshape((8, 8, 1))(dense(latent))
    image = keras.Input((8, 8, 1))
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(image))
    gan = Gan(keras.Model(latent, made), keras.Model(image, logits))
    kernel = np.zeros((5, 64), np.float32)
    kernel[2:] = [[-9], [0], [9]]
    dense.set_weights([kernel, np.zeros(64)])
    folder = tmp_path_factory.mktemp("cgan")
    gan.save(folder)
    return str(folder)


def test_a_conditional_generator_makes_fakes_of_the_label(conditional):
    chosen = Fakes(fakes="cgan", fakes_from=conditional, fakes_per_image=2)
    found = fakes.make(IMAGES, chosen, 0)
    np.testing.assert_array_equal(found.labels, np.repeat(IMAGES.labels, 2))
    brightness = np.array([0, 128, 255])[found.labels]  # of the sigmoid of -9, 0, 9
    apart = found.images - brightness[:, np.newaxis, np.newaxis, np.newaxis]
    assert np.abs(apart).max() <= 1
    two = data.Images(IMAGES.images, IMAGES.labels % 2, tuple("ab"))
    with pytest.raises(ValueError, match="is given 3 classes, and the data set has 2"):
        fakes.make(two, chosen, 0)


@pytest.mark.parametrize(("least", "kept"), [(0.0, 60), (0.5, 20)])
def test_the_judge_keeps_what_has_its_label(judge, least, kept):
    dark = data.Images(
        np.zeros((60, 8, 8, 1), np.uint8), IMAGES.labels, ("a", "b", "c")
    )
    chosen = Fakes(
        fakes="shift", fakes_per_image=1, fakes_judge=judge, fakes_least=least
    )
    found = fakes.make(dark, chosen, 0)
    assert len(found) == kept
    if least:
        assert not found.labels.any()  # only class 0 is dark


def test_a_judge_that_keeps_nothing_is_named(judge):
    chosen = Fakes(
        fakes="shift", fakes_per_image=1, fakes_judge=judge, fakes_least=1.01
    )
    with pytest.raises(
        ValueError, match=r"keeps none of 60 fakes.*--fakes_least=1\.01"
    ):
        fakes.make(IMAGES, chosen, 0)


def test_a_step_sees_labelled_images_and_fakes():
    given = {
        "dataset": "digits",
        "model": "small_conv_classifier",
        "labelled_per_class": 2,
        "fakes": "shift",
        "fakes_per_image": 3,
        "output_dir": "unused",
        "seed": 1,
    }
    procedure = ClassifierProcedure.build(
        settings.make(training.Settings, given), IMAGES
    )
    batches = procedure.batches(IMAGES, batch_size=24, seed=1, start_step=0)
    pixels, labels = next(iter(batches))  # one pass: 6 images and 18 fakes
    np.testing.assert_array_equal(np.bincount(labels), [8, 8, 8])
    known = data.pixels(fakes.labelled(IMAGES, 2, 1))
    for image in known:
        assert np.any(np.all(np.isclose(pixels, image), axis=(1, 2, 3)))


def test_a_run_takes_the_classifier_of_another_as_its_judge(
    images_file, variational, tmp_path
):
    given = {"dataset": str(images_file), "model": "small_conv_classifier", "steps": 2}
    given |= {"batch_size": 4, "checkpoint_every": 2}

    def trained(name, **changes):
        changes["output_dir"] = str(tmp_path / name)
        training.train(settings.make(training.Settings, given | changes))
        return changes["output_dir"]

    judge = trained("judge", labelled_per_class=2)
    judged = {"labelled_per_class": 2, "fakes": "shift", "fakes_least": 0.01}
    folder = trained("judged", fakes_judge=judge, **judged)
    recorded = json.loads((pathlib.Path(folder) / "inputs.json").read_text())
    assert recorded["fakes_judge"] == Classifier.load(judge).digest()
    with pytest.raises(ValueError, match="where a classifier is needed"):
        trained("refused", fakes_judge=variational[1], **judged)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fakes": "vae"}, "--fakes=vae needs --fakes_from"),
        ({"fakes": "cgan"}, "--fakes=cgan needs .* with --gan_labelled_per_class"),
        ({"fakes_scale": 2.0}, "--fakes_scale=2.0 belongs to --fakes"),
        (
            {"fakes": "shift", "fakes_from": "a"},
            "--fakes_from=a belongs to --fakes=vae",
        ),
        ({"fakes": "shift", "fakes_least": 0.9}, "belongs to --fakes_judge"),
        ({"fakes": "shift", "procedure": "pgd"}, "belongs to --procedure=nat"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, message):
    given = {"model": "small_conv_classifier", "output_dir": "unused"} | changes
    with pytest.raises(ValueError, match=message):
        settings.make(training.Settings, given)
