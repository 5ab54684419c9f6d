"""The printed networks: layers, shapes and weights."""

import numpy as np
import pytest

from tfsemae import models

NAMES = tuple("0123456789")

#: Of the released code: counts of weights, by hand from the sizes of the layers.
DENSE = {
    "hidden1": 784 * 1024 + 1024,
    "hidden2": 1024 * 1024 + 1024,
    "logits": 1024 * 10 + 10,
}
CONV = {
    "conv1_same": 9 * 3 * 32 + 32,
    "conv1_valid": 9 * 32 * 32 + 32,
    "conv2_same": 9 * 32 * 64 + 64,
    "conv2_valid": 9 * 64 * 32 + 32,
    "hidden": 1152 * 512 + 512,
    "logits": 512 * 10 + 10,
}


def _counts(network):
    return {k.name: k.count_params() for k in network.layers if k.count_params()}


@pytest.mark.parametrize(
    ("name", "shape", "layers", "total", "dropout", "width"),
    [
        ("dense_classifier", (28, 28, 1), DENSE, 1_863_690, [0.5, 0.5], 1024),
        ("conv_classifier", (32, 32, 3), CONV, 642_570, [0.25, 0.25, 0.5], 512),
    ],
)
def test_printed_network(name, shape, layers, total, dropout, width):
    made = models.build(name, shape, NAMES, seed=0)
    assert _counts(made.network) == layers
    assert made.network.count_params() == total
    rates = [k.rate for k in made.network.layers if hasattr(k, "rate")]
    assert rates == dropout
    assert made.network.get_layer(made.features_layer).output.shape == (None, width)
    # Logits: no softmax, and so no activation.
    assert made.network.layers[-1].activation.__name__ == "linear"


@pytest.mark.parametrize(
    ("shape", "flat"),
    # Sides 28 - 26 - 13 - 11 - 5, 64 - 62 - 31 - 29 - 14, 10 - 8 - 4 - 2 - 1.
    [((28, 28, 1), 5 * 5 * 32), ((64, 64, 3), 14 * 14 * 32), ((10, 28, 1), 5 * 32)],
)
def test_convolutions_at_other_sizes(shape, flat):
    network = models.build("conv_classifier", shape, ("a", "b"), seed=0).network
    assert network.get_layer("flatten").output.shape == (None, flat)


@pytest.mark.parametrize("name", ["dense_classifier", "conv_classifier"])
def test_the_seed_gives_the_weights(name):
    first, again, other = (
        models.build(name, (12, 12, 1), ("a", "b"), seed=seed).network.get_weights()
        for seed in (0, 0, 1)
    )
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or np.any(a != c)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_shape": (9, 12, 1)}, r"at least 10 x 10 .*image_shape=\(9, 12, 1\)"),
        ({"class_names": ()}, r"conv_classifier needs the names .*class_names=\(\)"),
        ({"class_names": ("a",)}, "at least 2 classes"),
        ({"width": 3}, "has the options none. Received: width"),
    ],
)
def test_what_cannot_be_built_is_refused(change, message):
    fitting = {"image_shape": (12, 12, 1), "class_names": ("a", "b"), "seed": 0}
    with pytest.raises(ValueError, match=message):
        models.build("conv_classifier", **fitting | change)
