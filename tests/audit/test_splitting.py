"""A Keras model of image and reconstruction comes apart at the layer of the latent."""

import keras
import numpy as np
import pytest

from tfsemae import audit

SHAPE = (4, 4, 1)


def _encoder():
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(3, name="code"),
        ],
        name="encoder",
    )


def _decoder():
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(16, name="wide"),
            keras.layers.Reshape(SHAPE, name="image"),
        ],
        name="decoder",
    )


def _of_layers():
    return keras.Sequential(
        [keras.Input(SHAPE), *_encoder().layers, *_decoder().layers]
    )


def _functional():
    image = keras.Input(SHAPE)
    code = keras.layers.Dense(3, name="code")(keras.layers.Flatten(name="flat")(image))
    # An operation that is no layer, and a layer after it.
    shown = keras.layers.Dense(16, name="wide")(2.0 * code)
    return keras.Model(image, keras.layers.Reshape(SHAPE, name="image")(shown))


def _nested():
    image = keras.Input(SHAPE)
    return keras.Model(image, _decoder()(_encoder()(image)))


@pytest.mark.parametrize(
    ("build", "layer", "latent"),
    [
        (_of_layers, "code", 3),
        (_of_layers, "flat", 16),
        (_functional, "code", 3),
        (_functional, "wide", 16),
        (_nested, "encoder", 3),
        (lambda: keras.Sequential([_encoder(), _decoder()]), "encoder", 3),
    ],
)
def test_halves_make_the_whole(build, layer, latent):
    model = build()
    encoder, decoder = audit.split(model, layer)
    images = np.float32(np.random.default_rng(0).uniform(size=(2, *SHAPE)))
    code = encoder(images)
    assert code.shape == (2, latent)
    np.testing.assert_array_equal(decoder(code), model(images))


def _skipping():
    image = keras.Input(SHAPE)
    small = keras.layers.AveragePooling2D(2, name="small")(image)
    return keras.Model(image, keras.layers.UpSampling2D(2)(small) + image)


def _calling_twice():
    image = keras.Input(SHAPE)
    layer = keras.layers.Dense(1, name="code")
    return keras.Model(image, keras.layers.ReLU()(layer(layer(image))))


class _Subclass(keras.Model):
    def call(self, images):
        return images


@pytest.mark.parametrize(
    ("build", "layer", "message"),
    [
        (_skipping, "small", "no bottleneck: .* skip connections"),
        (_calling_twice, "code", "is called 2 times"),
        (_Subclass, "code", "Only functional and Sequential models .* _Subclass"),
        (_of_layers, "none", r"There are: flat \(16\), code \(3\), wide \(16\)\."),
        (_of_layers, "image", "--latent_layer=image is no inner layer"),
    ],
)
def test_what_cannot_be_split_is_refused(build, layer, message):
    with pytest.raises(ValueError, match=message):
        audit.split(build(), layer)
