"""The networks of Lu and Chen 2023, by the numbers that follow from their layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae.models import conv, distributions, saved_model
from tfsemae.models.autoencoder import Autoencoder


def _build(shape=(28, 28, 1), latent=10, variational=True, seed=0):
    return conv.build(shape, latent=latent, variational=variational, seed=seed)


def _count(*parts):
    weights = {id(w): w for part in parts for w in part.trainable_weights}
    return sum(int(np.prod(w.shape)) for w in weights.values())


@pytest.mark.parametrize(
    ("shape", "latent", "variational", "encoder", "decoder"),
    [
        ((28, 28, 1), 10, True, 172_180, 169_665),
        ((28, 28, 1), 10, False, 169_610, 169_665),
        ((28, 28, 1), 30, True, 182_460, 174_785),
        ((28, 28, 1), 30, False, 174_750, 174_785),
        ((64, 64, 3), 128, True, 430_016, 299_523),
        ((64, 64, 3), 128, False, 298_816, 299_523),
    ],
)
def test_trainable_parameters(shape, latent, variational, encoder, decoder):
    found = _build(shape, latent, variational)
    heads = [found.encoder] + [found.log_variance] * variational
    assert (_count(*heads), _count(found.decoder)) == (encoder, decoder)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((28, 28, 1), [14, 7, 4, 2]),  # Lu and Chen 2023, three of the four data sets
        ((64, 64, 3), [32, 16, 8, 4]),
        ((17, 17, 1), [9, 5, 3, 2]),
        ((2, 2, 1), [1, 1, 1, 1]),
    ],
)
def test_sizes_halve_and_double_again(shape, sizes):
    found = _build(shape, 4)
    down = [found.encoder.get_layer(f"relu{n}").output.shape[1] for n in (1, 2, 3, 4)]
    assert down == sizes
    names = {layer.name for layer in found.decoder.layers}
    ends = [f"crop{n}" if f"crop{n}" in names else f"deconv{n}" for n in (1, 2, 3, 4)]
    up = [found.decoder.get_layer(name).output.shape[1] for name in ends]
    assert up == [*reversed(sizes[:-1]), shape[0]]
    assert found.decoder.output_shape[1:] == shape


def test_an_odd_size_is_that_of_a_smaller_output_padding():
    found = _build((17, 17, 1), 4)
    layer, code = found.decoder.get_layer("deconv4"), np.ones((1, 4), np.float32)
    before = keras.Model(found.decoder.input, layer.input)(code)
    plain = keras.layers.Conv2DTranspose(
        1, 3, strides=2, padding="same", output_padding=0
    )
    plain.build(before.shape)
    plain.set_weights(layer.get_weights())
    expected = tf.sigmoid(plain(before))
    np.testing.assert_allclose(found.decoder(code), expected, rtol=1e-5)


def test_images_need_not_be_square():
    assert _build((28, 17, 1), 4).decoder.output_shape == (None, 28, 17, 1)


def test_layers_have_the_constants_of_pytorch():
    found = _build()
    for part in (found.encoder, found.decoder):
        for layer in part.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                assert (layer.epsilon, layer.momentum) == (1e-5, 0.9)
            if isinstance(layer, keras.layers.LeakyReLU):
                assert layer.negative_slope == pytest.approx(0.01)


def test_twins_start_from_the_same_weights():
    first, twin = _build(), _build(variational=False)
    assert twin.log_variance is None
    for name in ("encoder", "decoder"):
        pairs = zip(
            getattr(first, name).get_weights(),
            getattr(twin, name).get_weights(),
            strict=True,
        )
        assert all(np.array_equal(a, b) for a, b in pairs)
    others = _build(seed=1).encoder.get_weights()
    assert not np.array_equal(others[0], first.encoder.get_weights()[0])


def test_no_two_layers_start_alike():
    found = _build()
    heads = [found.encoder.get_layer("mean"), found.log_variance.layers[-1]]
    assert not np.array_equal(*(head.get_weights()[0] for head in heads))


def test_encoder_and_log_variance_share_all_but_their_head():
    found = _build()
    found.encoder.get_layer("conv1").kernel.assign(
        np.ones_like(found.encoder.get_layer("conv1").get_weights()[0])
    )
    first = found.log_variance.get_layer("conv1").get_weights()[0]
    assert np.all(first == 1)


def _sums_of_neighbours(side):
    """The first convolution, with weights of 1."""
    encoder = _build((side, side, 1), 4).encoder
    layer = encoder.get_layer("conv1")
    layer.set_weights([np.ones((3, 3, 1, 32)), np.zeros(32)])
    return keras.Model(encoder.input, layer.output)


def test_constant_images_of_an_encoder_have_no_border(tmp_path):
    # One pixel of padding at each side, as in PyTorch: a mirrored image gives a
    # mirrored first feature map where the kernel is symmetric and the size odd.
    first = _sums_of_neighbours(17)
    image = np.random.default_rng(0).random((1, 17, 17, 1), np.float32)
    mirrored = first(image[:, ::-1, ::-1])[:, ::-1, ::-1]
    np.testing.assert_allclose(mirrored, first(image), rtol=1e-5)


def test_even_sizes_are_padded_on_both_sides():
    # "same" padding of Keras would leave out the border at the top and left.
    sums = _sums_of_neighbours(28)(np.ones((1, 28, 28, 1), np.float32))[0, :, :, 0]
    # Four pixels of a corner, six of an edge; the last row and column end inside.
    assert float(sums[0, 0]) == 4
    np.testing.assert_array_equal(sums[0, 1:], np.full(13, 6))
    np.testing.assert_array_equal(sums[1:, 1:], np.full((13, 13), 9))


def test_saved_and_exported_it_gives_the_same(tmp_path):
    found = _build((12, 12, 1), 3)
    found.save(tmp_path)
    loaded = Autoencoder.load(tmp_path)
    images = np.random.default_rng(0).random((4, 12, 12, 1), np.float32)
    saved_model.export(found, tmp_path / "saved_model")
    exported = tf.saved_model.load(tmp_path / "saved_model")
    mean, log_variance = found.encoder(images), found.log_variance(images)
    np.testing.assert_allclose(loaded.log_variance(images), log_variance, rtol=1e-5)
    posterior = exported.posterior(images)
    assert set(posterior) == {"mean", "log_variance"}
    # Graph and eager operations may order float32 sums differently.
    np.testing.assert_allclose(posterior["mean"], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        posterior["log_variance"], log_variance, rtol=1e-4, atol=1e-6
    )
    sample = exported.sample(5, [0, 1])
    assert sample.shape == (5, 12, 12, 1)
    np.testing.assert_array_equal(sample, exported.sample(5, [0, 1]))
    assert not np.array_equal(sample, exported.sample(5, [0, 2]))


def test_a_deterministic_one_has_no_posterior_to_export(tmp_path):
    saved_model.export(_build((12, 12, 1), 3, False), tmp_path / "saved_model")
    exported = tf.saved_model.load(tmp_path / "saved_model")
    assert not hasattr(exported, "posterior")


def test_posterior_prior_and_likelihood():
    # KL of N((1, 0), (1, 4)) from the standard normal: (1 + 3 - log(4)) / 2.
    latents = distributions.posterior([[1.0, 0.0]], [[0.0, np.log(4.0)]])
    found = latents.kl_divergence(distributions.prior(2))
    np.testing.assert_allclose(found, [(4 - np.log(4)) / 2], rtol=1e-6)
    decoded, image = np.full((1, 2, 2, 1), 0.5), np.ones((1, 2, 2, 1))
    likelihood = distributions.likelihood(np.float32(decoded))
    # Up to a constant the squared error, summed over the image.
    difference = likelihood.log_prob(np.float32(decoded)) - likelihood.log_prob(
        np.float32(image)
    )
    np.testing.assert_allclose(difference, [4 * 0.25], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (1, 28, 1)}, "at least 2 x 2 pixels"),
        ({"class_names": ("0", "1")}, "conv has no classifier; leave --semantic out"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    defaults = {"image_shape": (28, 28, 1), "latent": 2, "variational": False}
    with pytest.raises(ValueError, match=message):
        conv.build(**defaults | {"seed": 0} | arguments)
