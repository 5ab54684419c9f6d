"""The dense networks, by the numbers that follow from their layers."""

import keras
import numpy as np
import pytest

from tfsemae.models import dense

TABACOF = {"latent": 20, "hidden": (512, 512)}


def _build(shape=(28, 28, 1), *, variational=True, seed=0, latent=2, hidden=(256, 64)):
    return dense.build(
        shape, latent=latent, variational=variational, hidden=hidden, seed=seed
    )


def _count(*parts):
    weights = {id(w): w for part in parts if part for w in part.trainable_weights}
    return sum(int(np.prod(w.shape)) for w in weights.values())


@pytest.mark.parametrize(
    ("options", "variational", "weights"),
    [
        (TABACOF, True, 1_360_696),  # the released code of Tabacof 2016
        (TABACOF, False, 1_350_436),
        # 784 * 256 + 256 + 256 * 64 + 64 + 64 * 2 + 2, and back.
        ({"latent": 2, "hidden": ("256", "64")}, False, 435_858),
        ({"latent": 3, "hidden": ()}, False, 784 * 3 + 3 + 3 * 784 + 784),
        ({"latent": 3, "hidden": ("none",)}, False, 784 * 3 + 3 + 3 * 784 + 784),
    ],
)
def test_number_of_weights(options, variational, weights):
    found = _build(variational=variational, **options)
    assert _count(found.encoder, found.decoder, found.log_variance) == weights


def test_the_decoder_mirrors_the_encoder():
    found = _build((6, 5, 3), latent=4, hidden=(32, 16, 8))
    units = {
        name: [
            layer.units
            for layer in getattr(found, name).layers
            if isinstance(layer, keras.layers.Dense)
        ]
        for name in ("encoder", "decoder")
    }
    assert units == {"encoder": [32, 16, 8, 4], "decoder": [8, 16, 32, 90]}
    assert found.decoder.output_shape == (None, 6, 5, 3)


def test_activations_and_initial_weights():
    found = _build(**TABACOF)
    layers = [
        layer
        for part in (found.encoder, found.decoder, found.log_variance)
        for layer in part.layers
        if isinstance(layer, keras.layers.Dense)
    ]
    expected = {"dense1": "relu", "dense2": "relu", "pixels": "sigmoid"}
    for layer in layers:
        assert layer.activation.__name__ == expected.get(layer.name, "linear")
        kernel, bias = layer.get_weights()
        assert not np.any(bias)
        # Glorot's uniform numbers reach up to sqrt(6 / (inputs + outputs)).
        limit = np.sqrt(6 / sum(kernel.shape))
        assert 0.99 * limit < np.max(np.abs(kernel)) <= limit * (1 + 1e-6)  # float32


def test_a_network_by_hand():
    found = _build((1, 2, 1), variational=False, latent=1, hidden=(1,))
    for part in (found.encoder, found.decoder):
        for layer in part.layers:
            layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
    # The image (1, 2): 1 + 2 + 1 = 4, then 5, 6, and sigmoid(7); all biases are 1.
    image = np.float32([1, 2]).reshape(1, 1, 2, 1)
    assert found.encoder(image) == 5
    decoded = found.decoder(found.encoder(image))
    np.testing.assert_allclose(decoded, 1 / (1 + np.exp(-7.0)), rtol=1e-6)
    # Of -8 ReLU gives zero: sigmoid(0 + 1).
    decoded = found.decoder(np.float32([[-9]]))
    np.testing.assert_allclose(decoded, 1 / (1 + np.exp(-1.0)), rtol=1e-6)


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
    heads = first.encoder.get_layer("mean"), first.log_variance.layers[-1]
    assert not np.array_equal(*(head.get_weights()[0] for head in heads))
    others = _build(seed=1).encoder.get_weights()
    assert not np.array_equal(others[0], first.encoder.get_weights()[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (0, 28, 1)}, r"at least 1 pixel.*image_shape=\(0, 28, 1\)"),
        ({"class_names": ("0", "1")}, "dense has no classifier; leave --semantic out"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    defaults = {"image_shape": (28, 28, 1), "latent": 2, "variational": False}
    with pytest.raises(ValueError, match=message):
        dense.build(**defaults | {"hidden": (4,), "seed": 0} | arguments)


def test_a_linear_autoencoder_is_an_affine_map():
    options = {"latent": 2, "hidden": ("none",), "output_activation": "linear"}
    found = dense.build((3, 2, 1), variational=False, seed=0, **options)
    both = found.joint()
    a, b = np.random.default_rng(0).normal(size=(2, 1, 3, 2, 1)).astype(np.float32)
    at = {name: both(x)["reconstruction"] for name, x in (("a", a), ("b", b))}
    # f(2 a - b) = 2 f(a) - f(b), and values leave [0, 1].
    beyond = both(2 * a - b)["reconstruction"]
    np.testing.assert_allclose(beyond, 2 * at["a"] - at["b"], atol=1e-5)
    assert np.min(both(10 * a)["reconstruction"]) < 0
