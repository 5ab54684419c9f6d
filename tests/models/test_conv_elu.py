"""The convolutional networks of Tabacof 2016, by the numbers of its released code."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae.models import conv_elu

SHAPE = (32, 32, 3)


def _build(shape=SHAPE, *, variational=True, seed=0, latent=100, mean=0.4, deviation=2):
    return conv_elu.build(
        shape,
        latent=latent,
        variational=variational,
        pixel_mean=mean,
        pixel_deviation=deviation,
        seed=seed,
    )


def _parts(network):
    names = ("encoder", "decoder", "log_variance", "pixel_log_variance")
    parts = (getattr(network, name) for name in names)
    return [part for part in parts if part is not None]


@pytest.fixture(scope="module")
def network():
    return _build()


@pytest.mark.parametrize(
    ("variational", "weights"), [(True, 944_270), (False, 891_431)]
)
def test_number_of_weights(variational, weights):
    parts = _parts(_build(variational=variational))
    found = {id(w): w for part in parts for w in part.trainable_weights}
    assert sum(np.prod(w.shape) for w in found.values()) == weights


def test_sides_and_channels_of_the_feature_maps(network):
    def shapes(model):
        return [
            layer.output.shape[1:]
            for layer in model.layers
            if isinstance(layer, keras.layers.Conv2D | keras.layers.Cropping2D)
        ]

    assert shapes(network.encoder) == [(15, 15, 32), (6, 6, 64), (2, 2, 128)]
    # Each is cut from 11 to 7, from 17 to 13, and from 29 not at all.
    found = [
        layer.output.shape[1:]
        for layer in network.decoder.layers
        if layer.name in ("reshape", "crop1", "crop2", "deconv3", "image")
    ]
    expected = [(4, 4, 32), (7, 7, 128), (13, 13, 64), (29, 29, 32), SHAPE]
    assert found == expected
    assert network.pixel_log_variance.output_shape == (None, *SHAPE)


def test_transposed_convolutions_are_those_that_keras_pads(network):
    """The source's, with crop 2, is Keras' `same` with an output padding of 0."""
    ours = network.decoder.get_layer("deconv1")
    keras_own = keras.layers.Conv2DTranspose(
        128, 5, strides=2, padding="same", output_padding=0, activation="elu"
    )
    grid = np.random.default_rng(0).normal(size=(2, 4, 4, 32)).astype(np.float32)
    keras_own.build(grid.shape)
    keras_own.set_weights(ours.get_weights())
    cropped = network.decoder.get_layer("crop1")(ours(grid))
    # float32 sums of other order.
    np.testing.assert_allclose(cropped, keras_own(grid), rtol=1e-4, atol=1e-5)


def test_activations_and_initial_weights(network):
    layers = {layer.name: layer for part in _parts(network) for layer in part.layers}
    linear = {"mean", "log_variance", "pixels", "pixels_log_variance"}
    for name, layer in layers.items():
        if hasattr(layer, "activation"):
            expected = keras.activations.linear if name in linear else "elu"
            assert layer.activation is keras.activations.get(expected), name
        if hasattr(layer, "kernel"):
            assert not np.any(layer.bias), name
            shape = layer.kernel.shape
            bound = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))
            largest = np.max(np.abs(layer.kernel))
            # Of at least 600 uniform numbers.
            assert 0.95 * bound < largest <= bound, name


def test_standardised_inside_and_in_0_to_1_outside():
    mean, deviation = 0.3, 0.25
    # The same initial weights, without standardising.
    plain = _build(mean=0.0, deviation=1.0)
    scaled = _build(mean=mean, deviation=deviation)
    images = np.random.default_rng(0).random((3, *SHAPE), np.float32)
    latent = scaled.encoder(images)
    standardised = (images - mean) / deviation
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(latent, plain.encoder(standardised), **close)
    likelihood, of_standardised = (
        each.likelihood()(latent) for each in (scaled, plain)
    )
    np.testing.assert_allclose(
        likelihood["mean"], mean + deviation * of_standardised["mean"], **close
    )
    np.testing.assert_allclose(
        np.exp(likelihood["log_variance"]),
        deviation**2 * np.exp(of_standardised["log_variance"]),
        **close,
    )


def test_decoded_pixels_are_linear_at_the_end(network):
    """So that no pixel is without a gradient."""
    head = network.decoder.get_layer("pixels")
    _, bias = head.get_weights()
    moved = _build(seed=0)
    moved.decoder.get_layer("pixels").bias.assign(bias + 3)
    latent = np.zeros((1, 100), np.float32)
    change = moved.decoder(latent) - network.decoder(latent)
    np.testing.assert_allclose(change, np.full((1, *SHAPE), 6), rtol=1e-5)


def test_twins_start_from_the_same_weights(network):
    twin = _build(variational=False)
    assert twin.log_variance is None
    assert twin.pixel_log_variance is None
    for name in ("encoder", "decoder"):
        pairs = zip(
            getattr(network, name).get_weights(),
            getattr(twin, name).get_weights(),
            strict=True,
        )
        assert all(np.array_equal(a, b) for a, b in pairs)
    with pytest.raises(ValueError, match=r"no variances of pixels\. Train one"):
        twin.likelihood()


def test_both_heads_share_the_trunk_of_the_decoder(network):
    likelihood = network.likelihood()
    latent = np.random.default_rng(0).normal(size=(2, 100)).astype(np.float32)
    found = likelihood(latent)
    np.testing.assert_array_equal(found["mean"], network.decoder(latent))
    np.testing.assert_array_equal(
        found["log_variance"], network.pixel_log_variance(latent)
    )
    decoder = {id(w) for w in network.decoder.weights}
    # One more kernel and bias.
    assert len({id(w) for w in likelihood.weights} - decoder) == 2
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(likelihood(latent)["log_variance"])
    assert np.any(tape.gradient(total, network.decoder.get_layer("deconv1").kernel))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (28, 28, 1)}, r"32 x 32 pixels.*image_shape=\(28, 28, 1\)"),
        ({"class_names": ("0", "1")}, "conv_elu has no classifier; leave --semantic"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    defaults = {"image_shape": SHAPE, "latent": 2, "variational": False, "seed": 0}
    pixels = {"pixel_mean": 0.5, "pixel_deviation": 0.25}
    with pytest.raises(ValueError, match=message):
        conv_elu.build(**defaults | pixels | arguments)
