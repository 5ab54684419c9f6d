import json
import shutil

import keras
import numpy as np
import pytest

from tfsemae import models
from tfsemae.models import saved_model, verification
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier

SHAPE = (4, 4, 1)


def _network(units=3, **options):
    image = keras.Input(SHAPE)
    x = keras.layers.Flatten(name="flatten")(image)
    x = keras.layers.Dense(5, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(image, keras.layers.Dense(units, **options)(x))


@pytest.fixture(scope="module")
def classifier():
    return Classifier.of(_network(), ("a", "b", "c"), features_layer="hidden")


@pytest.fixture
def saved(classifier, tmp_path):
    classifier.save(tmp_path)
    return tmp_path


def _images(count=6):
    return np.random.default_rng(0).random((count, *SHAPE), np.float32)


def test_of_a_sequential_model_with_defaults():
    network = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.GlobalAveragePooling2D(name="pool"),
            keras.layers.Dense(2),
        ]
    )
    made = Classifier.of(network)
    assert (made.class_names, made.features_layer) == (("0", "1"), "pool")
    images = _images()
    found = made.joint()(images)
    np.testing.assert_allclose(found["features"], images.mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_array_equal(found["logits"], network(images))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": 3}, "must be a Keras model. Received: int"),
        ({"features_layer": "hiden"}, r"flatten, hidden.*features_layer='hiden'"),
        ({"class_names": ("a", "b")}, r"one for each of `class_names`.* 2 class names"),
        ({"class_names": "abc"}, "not one string"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    fitting = {
        "network": _network(),
        "class_names": ("a", "b", "c"),
        "features_layer": "hidden",
    }
    with pytest.raises(ValueError, match=message):
        Classifier(**fitting | change)


def test_features_are_rows():
    image = keras.Input(SHAPE)
    x = keras.layers.Conv2D(2, 3, name="conv")(image)
    logits = keras.layers.Dense(2)(keras.layers.Flatten()(x))
    with pytest.raises(ValueError, match=r"output \[B, D\].*features_layer='conv'"):
        Classifier.of(keras.Model(image, logits), features_layer="conv")


def test_saved_and_loaded_it_is_the_same(classifier, saved):
    for loaded in (Classifier.load(saved), models.load(saved)):
        assert loaded.class_names == classifier.class_names
        assert loaded.features_layer == "hidden"
        assert loaded.digest() == classifier.digest()
        images = _images()
        found, expected = loaded.joint()(images), classifier.joint()(images)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])


def test_the_digest_is_that_of_the_weights(classifier, saved):
    other = Classifier.load(saved)
    kernel, *rest = other.network.get_weights()
    other.network.set_weights([kernel + 1, *rest])
    assert other.digest() != classifier.digest()
    assert verification.recorded_weights({"a": saved}) == {"a": classifier.digest()}


def test_a_damaged_file_is_refused_before_keras_reads_it(saved):
    path = saved / "classifier.keras"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged .*classifier\.keras"):
        Classifier.verify(saved)


def test_a_missing_layer_name_is_refused(saved):
    path = saved / "classifier.json"
    described = json.loads(path.read_text("utf-8"))
    del described["features_layer"]
    path.write_text(json.dumps(described), "utf-8")
    with pytest.raises(ValueError, match="has no text 'features_layer'"):
        models.load(saved)


def test_each_noun_refuses_the_folder_of_the_other(saved, tmp_path):
    with pytest.raises(ValueError, match="holds a classifier, where an autoencoder"):
        Autoencoder.load(saved)
    folder = tmp_path / "autoencoder"
    # It has a file `classifier.keras` too, of latents.
    network = models.build("table1", (4, 4, 1), ("a", "b"), seed=0)
    network.save(folder)
    assert isinstance(models.load(folder), Autoencoder)
    with pytest.raises(ValueError, match="holds an autoencoder, where a classifier"):
        Classifier.load(folder)
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match=r"no finished model .*classifier\.json"):
        Classifier.load(folder)


def test_an_exported_classifier_is_verified_by_its_digests(classifier, tmp_path):
    saved_model.export(classifier, tmp_path / "saved_model")
    saved_model.verify(tmp_path / "saved_model")
    (tmp_path / "saved_model" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"saved_model\.pb"):
        saved_model.verify(tmp_path / "saved_model")
