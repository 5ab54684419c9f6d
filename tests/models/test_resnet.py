"""Residual networks: weights, grids, and the padding of PyTorch."""

import keras
import numpy as np
import pytest

from tfsemae import models

NAMES = tuple("0123456789")

#: Name -> weights that are trained, width of the features, side of the last grid.
PRINTED = {
    "preact_resnet8": (77_850, 64, 4),
    "preact_resnet18": (11_172_170, 512, 4),
    "wide_resnet34_10": (46_160_474, 640, 8),
}


def _trained(network):
    return sum(int(np.prod(w.shape)) for w in network.trainable_weights)


@pytest.mark.parametrize("name", PRINTED)
def test_weights_and_grids(name):
    weights, width, side = PRINTED[name]
    made = models.build(name, (32, 32, 3), NAMES, seed=0)
    assert _trained(made.network) == weights
    assert made.network.get_layer(made.features_layer).output.shape == (None, width)
    last = made.network.get_layer("last_relu").output
    assert last.shape == (None, side, side, width)
    convolutions = [
        layer
        for layer in made.network.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (3, 3)
    ]
    # Depth: 3 x 3 convolutions and the last layer.
    depth = {"preact_resnet8": 8, "preact_resnet18": 18, "wide_resnet34_10": 32}
    assert len(convolutions) + 1 == depth[name]
    assert not any(layer.use_bias for layer in convolutions)
    (norm, *_) = (
        layer
        for layer in made.network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    assert (norm.momentum, norm.epsilon) == (0.9, 1e-5)  # PyTorch's


def test_stride_2_is_centred_on_even_pixels():
    # As PyTorch's padding of 1; Keras' "same" would centre on odd ones.
    network = models.build("preact_resnet8", (8, 8, 3), NAMES, seed=0).network
    stem = network.get_layer("stem")
    kernel = np.zeros(stem.kernel.shape, np.float32)
    kernel[1, 1, 0, 0] = 1.0
    stem.set_weights([kernel])
    image = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    found = keras.Model(network.input, stem.output)(image)
    np.testing.assert_array_equal(found[0, ..., 0], image[0, ::2, ::2, 0])


def test_class_names_are_needed():
    with pytest.raises(ValueError, match=r"preact_resnet8 needs .*class_names=\(\)"):
        models.build("preact_resnet8", (8, 8, 3), seed=0)
