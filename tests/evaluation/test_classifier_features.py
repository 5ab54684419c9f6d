"""Distances in the features of a classifier that are known."""

import json

import keras
import numpy as np
import pytest

from tfsemae import data, evaluation, metrics, settings
from tfsemae.evaluation import classifier_features
from tfsemae.evaluation.classifier_features import ClassifierFeatures
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier

SHAPE = (12, 12, 1)


def _classifier(scale=4.0):
    """Features: mean of the upper and the lower half. Logits: these, times `scale`."""
    image = keras.Input(SHAPE)
    halves = keras.layers.AveragePooling2D((6, 12))(image)
    features = keras.layers.Flatten(name="halves")(halves)
    network = keras.Model(image, keras.layers.Rescaling(scale)(features))
    return Classifier.of(network, ("up", "down"), features_layer="halves")


def _autoencoder(bright=1.0, *, variational=False, activation="linear"):
    """Its latent is the mean of each half; images are these, times `bright`."""
    image = keras.Input(SHAPE)
    halves = keras.layers.AveragePooling2D((6, 12))(image)
    mean = keras.layers.Flatten()(halves)
    latent = keras.Input((2,))
    grid = keras.layers.Reshape((2, 1, 1))(latent)
    pixels = keras.layers.UpSampling2D((6, 12))(grid)
    pixels = keras.layers.Activation(activation)(pixels)
    decoder = keras.Model(latent, keras.layers.Rescaling(bright)(pixels))
    head = keras.Model(image, keras.layers.Rescaling(0.0)(mean))
    return Autoencoder(
        keras.Model(image, mean), decoder, log_variance=head if variational else None
    )


def _images(count=1200, seed=0):
    pixels = np.random.default_rng(seed).random((count, *SHAPE), np.float32)
    return data.Images(pixels, None, ())


def _halves(images):
    return images.reshape(len(images), 2, -1).mean(axis=2).astype(np.float64)


@pytest.fixture(scope="module")
def features():
    return ClassifierFeatures(_classifier(), accuracy=0.75)


def test_moments_are_those_of_the_features(features):
    images = _images(50).images
    found = features.moments_of(np.split(images, [20, 45]))
    halves = _halves(images)
    # float32 means of 72 pixels.
    np.testing.assert_allclose(found.mean, halves.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.covariance, np.cov(halves.T), rtol=1e-3, atol=1e-9)
    distance = metrics.fid(images, images + 0.5, features)
    assert distance == pytest.approx(2 * 0.5**2, rel=1e-4)


def test_score_is_that_of_the_probabilities(features):
    images = _images(40).images
    logits = 4 * _halves(images)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = metrics.classifier_score([shares])
    _, found = features.moments_and_score_of([images[:30], images[30:]])
    assert found.mean == pytest.approx(expected.mean, rel=1e-6)


def test_images_are_floating(features):
    images = _images(20).images
    expected = features(images)
    np.testing.assert_array_equal(features(images.astype(np.float64)), expected)
    in_bytes = np.uint8(255 * images)
    calls = (features, lambda x: features.moments_of([x]))
    for call in (*calls, lambda x: features.moments_and_score_of([x])):
        with pytest.raises(ValueError, match="`images` must be floating"):
            call(in_bytes)


def test_all_batches_have_one_trace(features):
    images = _images(30).images
    features.moments_of([images[:10], images[10:13], images[13:]])
    assert features._outputs.experimental_get_tracing_count() == 1


def test_a_perfect_autoencoder_has_no_distance(features):
    images = _images()
    found = classifier_features.measure(
        _autoencoder(), features, images, seed=0, prior=False
    )
    assert found["reconstruction_frechet_distance"] == pytest.approx(0, abs=1e-9)
    assert found["classifier_features"] == {
        "layer": "halves",
        "features": 2,
        "accuracy": 0.75,
        "weights": features.classifier.digest(),
        "samples": 1200,
    }
    # No prior, no samples.
    assert not [name for name in found if name.startswith("sample")]


def test_a_darker_one_has_that_of_its_moments(features):
    images = _images()
    found = classifier_features.measure(
        _autoencoder(0.5), features, images, seed=0, prior=False
    )
    halves = _halves(images.images)
    # Half of it: means m/2, covariances C/4, which commute with m and C.
    expected = np.sum((halves.mean(axis=0) / 2) ** 2) + np.trace(np.cov(halves.T)) / 4
    assert found["reconstruction_frechet_distance"] == pytest.approx(expected, rel=1e-4)


def test_samples_are_as_many_as_images_and_of_the_prior(features):
    images = _images()
    network = _autoencoder(variational=True)
    found = classifier_features.measure(network, features, images, seed=3, prior=True)
    halves = _halves(images.images)
    # Samples are standard normal in the features; 1,200 of them.
    covariance = np.cov(halves.T)
    expected = metrics.frechet_distance(
        halves.mean(axis=0), covariance, np.zeros(2), np.eye(2)
    )
    # A variance of 1,200 numbers has a standard error of 4 %.
    assert found["sample_frechet_distance"] == pytest.approx(expected, rel=0.12)
    again = classifier_features.measure(network, features, images, seed=3, prior=True)
    other = classifier_features.measure(network, features, images, seed=4, prior=True)
    assert again == found
    assert other["sample_frechet_distance"] != found["sample_frechet_distance"]
    # Logits that differ by 4 times a normal number are surer than those of images.
    assert 1 < found["image_classifier_score"] < found["sample_classifier_score"] < 2


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (_images(9), "at least 10 images to measure. Received: 9"),
        (
            data.Images(np.zeros((20, 4, 4, 1), np.uint8), None, ()),
            r"--classifier_dir takes images of shape \(12, 12, 1\)",
        ),
    ],
)
def test_images_that_do_not_suit_are_refused(features, images, message):
    with pytest.raises(ValueError, match=message):
        features.check(images)


# --- as a command


@pytest.fixture(scope="module")
def runs(tmp_path_factory, images_file):
    """Folders as trainings leave them: of a classifier, and of an autoencoder."""
    folders = {}
    for name in ("classifier", "autoencoder"):
        folder = folders[name] = tmp_path_factory.mktemp(name)
        flags = f"--dataset={images_file}\n"
        (folder / "flags.txt").write_text(flags, "utf-8")
    image = keras.Input(SHAPE)
    x = keras.layers.Flatten(name="pixels")(image)
    x = keras.layers.Dense(3, name="hidden")(x)
    network = keras.Model(image, keras.layers.Dense(4)(x))
    Classifier.of(network, tuple("0123")).save(folders["classifier"])
    (folders["classifier"] / "metrics.json").write_text('{"accuracy": 0.5}', "utf-8")
    network = _autoencoder(variational=True, activation="sigmoid")
    network.save(folders["autoencoder"])
    return folders


def _evaluate(model_dir, **given):
    values = {"model_dir": str(model_dir)} | given
    return evaluation.evaluate_run(settings.make(evaluation.Settings, values))


def test_a_classifier_is_evaluated_on_any_split(runs, tmp_path):
    found = _evaluate(runs["classifier"], split="train", output_dir=str(tmp_path))
    assert set(found) == {"examples", "accuracy", "cross_entropy", "class_accuracy"}
    assert found["examples"] == 64
    again = _evaluate(runs["classifier"], split="train", output_dir=str(tmp_path))
    assert again == found


def test_an_autoencoder_is_evaluated_in_the_features_of_a_classifier(runs):
    classifier_dir = str(runs["classifier"])
    found = _evaluate(runs["autoencoder"], classifier_dir=classifier_dir)
    assert found["classifier_features"]["layer"] == "hidden"
    assert found["classifier_features"]["accuracy"] == 0.5
    assert found["classifier_features"]["samples"] == found["examples"] == 40
    (folder,) = (runs["autoencoder"] / "evaluation").iterdir()
    inputs = json.loads((folder / "inputs.json").read_text("utf-8"))
    assert inputs["classifier"] == Classifier.load(classifier_dir).digest()
    # Without a classifier nothing is said of its features, in a folder of its own.
    assert "reconstruction_frechet_distance" not in _evaluate(runs["autoencoder"])
    assert len(list((runs["autoencoder"] / "evaluation").iterdir())) == 2


@pytest.mark.parametrize(
    ("model", "classifier", "message"),
    [
        ("classifier", "classifier", "measures autoencoders, and --model_dir="),
        ("autoencoder", "autoencoder", "holds an autoencoder, where a classifier"),
    ],
)
def test_networks_of_the_other_kind_are_refused(runs, model, classifier, message):
    with pytest.raises(ValueError, match=message):
        _evaluate(runs[model], classifier_dir=str(runs[classifier]))


def test_an_attack_refuses_a_classifier(runs, tmp_path):
    values = {
        "attack": "noise",
        "noise_norm": 1.0,
        "model_dir": str(runs["classifier"]),
        "output_dir": str(tmp_path),
    }
    with pytest.raises(ValueError, match="holds a classifier, where an autoencoder"):
        evaluation.attack_run(settings.make(evaluation.AttackSettings, values))
