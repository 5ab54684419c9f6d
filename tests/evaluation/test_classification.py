"""A classifier whose logits are known."""

import keras
import numpy as np
import pytest

from tfsemae import data
from tfsemae.evaluation import classification
from tfsemae.models.classifier import Classifier

SHAPE = (1, 3, 1)


@pytest.fixture(scope="module")
def classifier():
    """Its logits are the three pixels, times 2."""
    image = keras.Input(SHAPE)
    x = keras.layers.Flatten(name="pixels")(image)
    network = keras.Model(image, keras.layers.Rescaling(2.0)(x))
    return Classifier.of(network, ("a", "b", "c"), features_layer="pixels")


def _images(labels, names=("a", "b", "c")):
    pixels = [[1, 0, 0], [0, 1, 0], [0, 0.5, 1], [1, 0.5, 0.25]]
    images = np.array(pixels, np.float32).reshape(4, *SHAPE)
    if labels is None:
        return data.Images(images, None, ())
    return data.Images(images, np.array(labels, np.int64), names)


def test_accuracy_and_cross_entropy_are_those_of_the_logits(classifier, tmp_path):
    images = _images([0, 1, 1, 0])
    found = classification.evaluate(classifier, images, output_dir=tmp_path)
    logits = 2 * images.images.reshape(4, 3).astype(float)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found == {
        "examples": 4,
        "accuracy": 0.75,
        "cross_entropy": pytest.approx(
            -np.mean(np.log(shares[range(4), [0, 1, 1, 0]])), rel=1e-6
        ),
        "class_accuracy": {"a": 1.0, "b": 0.5, "c": None},
    }
    with np.load(tmp_path / "measurements.npz") as arrays:
        np.testing.assert_allclose(arrays["clean/logits"], logits)
    assert [path.name for path in tmp_path.iterdir()] == ["measurements.npz"]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (_images(None), "measured by labels"),
        (_images([0, 1, 1, 0], ("a", "b")), "knows 3 classes, but the data set has 2"),
        (_images([0, 1, 1, 0], ("b", "a", "c")), "in the order a,b,c"),
        (
            data.Images(np.zeros((2, 4, 3, 1), np.uint8), None, ()),
            r"takes images of shape \(1, 3, 1\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(classifier, tmp_path, images, message):
    with pytest.raises(ValueError, match=message):
        classification.evaluate(classifier, images, output_dir=tmp_path)
