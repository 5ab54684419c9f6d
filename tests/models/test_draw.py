"""DRAW by its parts: windows in closed form, steps against NumPy."""

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from tfsemae import models
from tfsemae.models import conv_elu28, draw

SHAPE = (6, 6, 1)
_SIZES = {"draw_steps": 3, "draw_units": 5, "draw_latent": 2, "draw_window": 4}


def _build(shape=SHAPE, *, attention=False, **changes):
    sizes = _SIZES | {"attention": attention, "seed": 0} | changes
    return draw.build(shape, **sizes)


def _images(count, shape=SHAPE):
    return np.random.default_rng(0).random((count, *shape), np.float32)


def _parameters(*rows):
    return tf.constant(rows, tf.float32)


# Windows.


def test_rows_of_filters_are_normal_densities_that_sum_to_one():
    # Centre of columns at 4.5 of 8, of rows at 3.5 * 0.75 of 6; stride 7 / 3 * 0.5.
    parameters = _parameters([0.0, -0.25, math.log(0.8), math.log(0.5), 0.3])
    filters = draw.window_filters(parameters, 6, 8, 4)
    for found, center, side in (
        (filters.columns, 4.5, 8),
        (filters.rows, 3.5 * 0.75, 6),
    ):
        points = center + np.array([-1.5, -0.5, 0.5, 1.5]) * 7 / 3 * 0.5
        pixels = np.arange(1, side + 1)
        expected = scipy.stats.norm.pdf(pixels, points[:, None], math.sqrt(0.8))
        expected /= expected.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found[0], expected, rtol=1e-4)
        np.testing.assert_allclose(np.sum(found[0], axis=1), 1, rtol=1e-6)
    assert float(filters.intensity[0, 0, 0, 0]) == pytest.approx(math.exp(0.3))


def test_a_sharp_window_of_the_size_of_the_image_is_the_identity():
    images = _images(2)
    filters = draw.window_filters(_parameters(*[[0, 0, -9, 0, 0]] * 2), 6, 6, 6)
    np.testing.assert_allclose(draw.read_window(images, filters), images, rtol=1e-6)
    np.testing.assert_allclose(draw.write_window(images, filters), images, rtol=1e-6)


def test_a_window_moves_and_its_intensity_is_undone_by_writing():
    images = _images(1)
    # One pixel down and two to the right: centres at 4.5 and 5.5 of 3.5 * (g + 1).
    shift = [2 / 3.5, 1 / 3.5, -9, 0, math.log(2)]
    filters = draw.window_filters(_parameters(shift), 6, 6, 6)
    seen = draw.read_window(images, filters)
    np.testing.assert_allclose(seen[0, :5, :4], 2 * images[0, 1:, 2:], rtol=1e-5)
    written = draw.write_window(seen, filters)
    np.testing.assert_allclose(written[0, 2:5, 3:5], images[0, 2:5, 3:5], rtol=1e-5)


# Networks.


@pytest.mark.parametrize(
    ("attention", "weights"), [(False, 2_644_816), (True, 1_172_186)]
)
def test_number_of_weights(attention, weights):
    network = models.build("draw", (28, 28, 1), seed=0, attention=attention)
    parts = (network.sampled_posterior, network.decoder)
    found = {id(w): w for part in parts for w in part.trainable_weights}
    assert sum(np.prod(w.shape) for w in found.values()) == weights
    assert network.encoder.output_shape == (None, 256)


def test_number_of_weights_of_the_convolutional_network():
    network = models.build("conv_elu28", (28, 28, 1), seed=0, latent=32, variational=1)
    parts = (network.encoder, network.log_variance, network.decoder)
    found = {id(w): w for part in parts for w in part.trainable_weights}
    assert sum(np.prod(w.shape) for w in found.values()) == 954_641
    sides = [
        layer.output.shape[1]
        for layer in network.decoder.layers
        if "conv" in layer.name
    ]
    assert sides == [3, 7, 14, 28]
    with pytest.raises(ValueError, match="takes images of 28 x 28"):
        conv_elu28.build((32, 32, 3), latent=2, variational=False, seed=0)


def _lstm(cell, x, state):
    """A step of an LSTM in NumPy: gates i, f, c, o."""
    kernel, recurrent, bias = cell.get_weights()
    i, f, c, o = np.split(x @ kernel + state[0] @ recurrent + bias, 4, axis=1)
    sigmoid = scipy.special.expit
    carry = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(c)
    return sigmoid(o) * np.tanh(carry), carry


@pytest.mark.parametrize("noisy", [False, True])
def test_without_attention_it_reads_all_pixels(noisy):
    network = _build()
    images = _images(4)
    noise = noisy * np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
    layer = network.sampled_posterior.get_layer
    x = images.reshape(4, -1)
    reader = painter = (np.zeros((4, 5)), np.zeros((4, 5)))
    canvas, means, log_variances = np.zeros_like(x), [], []
    for step in range(3):
        seen = [x, x - scipy.special.expit(canvas), painter[0]]
        reader = _lstm(layer("encoder_lstm"), np.concatenate(seen, axis=1), reader)
        for name, values in (("mean", means), ("log_variance", log_variances)):
            kernel, bias = layer(name).get_weights()
            values.append(reader[0] @ kernel + bias)
        drawn = np.exp(log_variances[-1] / 2) * noise[:, 2 * step : 2 * step + 2]
        painter = _lstm(layer("decoder_lstm"), means[-1] + drawn, painter)
        kernel, bias = layer("pixels").get_weights()
        canvas = canvas + painter[0] @ kernel + bias
    found = network.sampled_posterior({"image": images, "noise": noise})
    # Sums of float32 in another order.
    close = {"rtol": 1e-4, "atol": 1e-5}
    mean, log_variance = (np.concatenate(v, axis=1) for v in (means, log_variances))
    np.testing.assert_allclose(found["mean"], mean, **close)
    np.testing.assert_allclose(found["log_variance"], log_variance, **close)
    latent = mean + np.exp(log_variance / 2) * noise
    decoded = network.decoder(latent.astype(np.float32))
    expected = scipy.special.expit(canvas).reshape(images.shape)
    np.testing.assert_allclose(decoded, expected, **close)


@pytest.mark.parametrize("attention", [False, True])
def test_without_noise_the_posterior_is_that_of_the_encoder(attention):
    network = _build(attention=attention)
    images = _images(3)
    found = network.sampled_posterior({"image": images, "noise": np.zeros((3, 6))})
    np.testing.assert_allclose(found["mean"], network.encoder(images), rtol=1e-5)
    expected = network.log_variance(images)
    np.testing.assert_allclose(found["log_variance"], expected, rtol=1e-5)


@pytest.mark.parametrize("attention", [False, True])
def test_noise_of_a_step_changes_the_steps_behind_it_alone(attention):
    network = _build((5, 7, 3), attention=attention)
    images = _images(2, (5, 7, 3))
    noise = np.zeros((2, 6), np.float32)
    changed = noise.copy()
    changed[:, 2:4] = 1.0
    before, after = (
        network.sampled_posterior({"image": images, "noise": n})["mean"].numpy()
        for n in (noise, changed)
    )
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.all(before[:, 4:] != after[:, 4:])
    assert network.decoder(before).shape == (2, 5, 7, 3)


@pytest.mark.parametrize("attention", [False, True])
def test_a_copy_in_float64_is_the_same_function(attention):
    network = _build(attention=attention)
    inputs = {"image": _images(2), "noise": np.ones((2, 6), np.float32)}
    copy = models.float64_copy(network.sampled_posterior)(inputs)
    assert copy["mean"].dtype == "float64"
    expected = network.sampled_posterior(inputs)["mean"]
    np.testing.assert_allclose(copy["mean"], expected, rtol=1e-4, atol=1e-6)


def test_class_names_are_refused():
    with pytest.raises(ValueError, match="draw has no classifier"):
        draw.build(SHAPE, ("a", "b"), attention=False, seed=0, **_SIZES)
