"""Audits of autoencoders as others build them, with the default damage."""

import keras
import numpy as np
import pytest
from keras import layers

from tfsemae import audit, data

QUICK = {"examples": 3, "restarts": 1, "steps": 1}


class Sampling(layers.Layer):
    """Draws z of mean and logarithm of the variance, as the Keras example does."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        mean, log_variance = inputs
        normal = keras.random.normal(keras.ops.shape(mean), seed=self.seed_generator)
        return mean + keras.ops.exp(0.5 * log_variance) * normal


def _fit(encoder, decoder, images):
    """A few passes, so that reconstructions are far from constant."""
    model = keras.Sequential([encoder, decoder])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.fit(images, images, batch_size=64, epochs=10, verbose=0)


@pytest.fixture(scope="module")
def digits():
    return data.pixels(data.load("digits", "train"), 640)


def _convolutional():
    """The denoising autoencoder of the Keras examples: fewer filters, and a tanh."""
    encoder = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(8, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2, padding="same"),
        ]
    )
    options = {"strides": 2, "activation": "relu", "padding": "same"}
    decoder = keras.Sequential(
        [
            keras.Input((7, 7, 8)),
            layers.Conv2DTranspose(8, 3, **options),
            layers.Conv2DTranspose(8, 3, **options),
            layers.Conv2D(1, 3, activation="tanh", padding="same"),
        ]
    )
    return encoder, decoder


def test_a_latent_of_three_dimensions_and_images_from_minus_one_to_one(digits):
    keras.utils.set_random_seed(0)
    encoder, decoder = _convolutional()
    _fit(encoder, decoder, 2 * digits - 1)
    found = audit.audit(encoder, decoder, 2 * digits - 1, value_range=(-1, 1), **QUICK)
    assert found.audited.latent_shape == (7, 7, 8)
    assert found.audited.value_range == (-1, 1)
    assert not found.audited.stochastic
    _check(found)


def test_a_variational_autoencoder_that_samples(digits):
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, activation="relu", strides=2, padding="same")(image)
    x = layers.Flatten()(x)
    mean, log_variance = layers.Dense(4)(x), layers.Dense(4)(x) - 4
    encoder = keras.Model(image, Sampling()([mean, log_variance]))
    decoder = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(7 * 7 * 8, activation="relu"),
            layers.Reshape((7, 7, 8)),
            layers.Conv2DTranspose(8, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2DTranspose(
                1, 3, activation="sigmoid", strides=2, padding="same"
            ),
        ]
    )
    _fit(encoder, decoder, digits)
    found = audit.audit(encoder, decoder, digits, value_range=(0, 1), **QUICK)
    assert found.audited.stochastic == ("encoder",)
    assert "randomness" in {each.name for each in found.warnings}
    _check(found)


def test_saved_models_of_keras_2(digits, tmp_path):
    keras_2 = pytest.importorskip("tf_keras")
    parts = {
        "encoder": [keras_2.layers.Flatten(), keras_2.layers.Dense(6)],
        "decoder": [
            keras_2.layers.Dense(784, "sigmoid"),
            keras_2.layers.Reshape((28, 28, 1)),
        ],
    }
    keras_2.utils.set_random_seed(0)
    models = {name: keras_2.Sequential(each) for name, each in parts.items()}
    whole = keras_2.Sequential(list(models.values()))
    whole.compile(keras_2.optimizers.Adam(0.01), "mse")
    whole.fit(digits, digits, batch_size=64, epochs=10, verbose=0)
    for name, model in models.items():
        model.save(tmp_path / name, save_format="tf")
    # Their outputs are dicts.
    encoder, decoder = (
        layers.TFSMLayer(tmp_path / name, call_endpoint="serving_default")
        for name in models
    )
    found = audit.audit(encoder, decoder, digits, value_range=(0, 1), **QUICK)
    assert found.audited.latent_shape == (6,)
    assert found.audited.weights_sha256
    _check(found)


def test_signals_of_one_row():
    time = np.linspace(0, 1, 64)
    rates = np.random.default_rng(0).uniform(1, 4, 200)
    signals = 0.5 + 0.4 * np.sin(2 * np.pi * rates[:, np.newaxis] * time)
    signals = np.float32(signals)[:, np.newaxis, :, np.newaxis]
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential(
        [keras.Input((1, 64, 1)), layers.Flatten(), layers.Dense(8)]
    )
    decoder = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(64, activation="sigmoid"),
            layers.Reshape((1, 64, 1)),
        ]
    )
    _fit(encoder, decoder, signals)
    found = audit.audit(
        encoder, decoder, signals, value_range=(0, 1), damage="mse:0.02", **QUICK
    )
    assert found.audited.image_shape == (1, 64, 1)
    _check(found)


def _check(found):
    """What holds of each differentiable model that something damages."""
    names = {each.name for each in found.warnings}
    assert not names & {"no_gradient", "wrong_gradient", "not_finite"}
    for each in found.smallest:
        assert each.reached == 1
        assert each.median.deviations.value > 0.01  # not next to nothing
        # Random noise takes as much or more, or does it to no half of the images.
        ratio = each.noise_ratio.value
        assert ratio is None or ratio >= 1
