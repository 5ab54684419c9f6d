"""A generator and a discriminator: saved, loaded, exported, refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import models
from tfsemae.models import saved_model, verification
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.gan import Gan

_SHAPE = (3, 2, 1)


def _generator(units=6, shape=_SHAPE):
    layers = [keras.Input((4,)), keras.layers.Dense(units, "sigmoid")]
    return keras.Sequential([*layers, keras.layers.Reshape(shape)])


def _discriminator(shape=_SHAPE, units=1):
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(units)]
    return keras.Sequential(layers)


@pytest.fixture(scope="module")
def gan():
    return Gan(_generator(), _discriminator())


def test_saved_loaded_and_exported_it_gives_the_same(gan, tmp_path):
    gan.save(tmp_path)
    saved_model.export(gan, tmp_path / "saved_model")
    loaded = models.load(tmp_path)
    exported = tf.saved_model.load(str(tmp_path / "saved_model"))
    z = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    images = gan.generator(z)
    np.testing.assert_array_equal(loaded.generator(z), images)
    np.testing.assert_allclose(exported.generate(z), images, atol=1e-6)
    logits = gan.discriminator(images)
    np.testing.assert_array_equal(loaded.discriminator(images), logits)
    np.testing.assert_allclose(exported.discriminate(images), logits, atol=1e-6)
    assert loaded.digest() == gan.digest()
    assert (loaded.image_shape, loaded.latent) == (_SHAPE, 4)


def test_a_conditional_one_takes_and_judges_labels():
    gan = Gan(_generator(), _discriminator(units=3))
    assert (gan.latent, gan.classes) == (1, 3)
    labels = np.array([2, 0])
    given = gan.given(np.float32([[0.5], [-1]]), labels)
    np.testing.assert_array_equal(given, [[0.5, 0, 0, 1], [-1, 1, 0, 0]])
    logits = np.float32([[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(gan.of_label(logits, labels), [[3], [4]])


def test_another_one_has_no_labels(gan):
    z, logits = np.ones((2, 4), np.float32), np.ones((2, 1), np.float32)
    assert gan.classes == 0
    assert gan.given(z, None) is z
    assert gan.of_label(logits, None) is logits


def test_a_damaged_file_is_found(gan, tmp_path):
    gan.save(tmp_path)
    verification.verify(tmp_path)
    (tmp_path / "generator.keras").write_bytes(b"")
    with pytest.raises(ValueError, match=r"damaged .*generator\.keras"):
        models.load(tmp_path)


def test_it_is_no_autoencoder(gan, tmp_path):
    gan.save(tmp_path)
    with pytest.raises(ValueError, match="holds a generator without an encoder"):
        Autoencoder.load(tmp_path)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((_generator, lambda: _discriminator((2, 3, 1))), "must take what `generator`"),
        ((_generator, lambda: _discriminator(units=4)), "beside the one-hot label"),
        ((lambda: _generator(shape=(6,)), _discriminator), "must take latents"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        Gan(*(part() for part in parts))
