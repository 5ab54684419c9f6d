"""The small convolutional classifier: sizes by hand, and its seed."""

import numpy as np
import pytest

from tfsemae import models

NAMES = tuple("0123456789")

#: By hand; sides 28, 14, 7.
COUNTS = {
    "conv1": 9 * 1 * 16 + 16,
    "conv2": 9 * 16 * 32 + 32,
    "dense": 7 * 7 * 32 * 64,
    "features": 4 * 64,  # scale and shift, moving mean and variance
    "hidden": 64 * 64 + 64,
    "logits": 64 * 10 + 10,
}


def test_layers():
    made = models.build("small_conv_classifier", (28, 28, 1), NAMES, seed=0)
    counts = {k.name: k.count_params() for k in made.network.layers}
    assert {name: n for name, n in counts.items() if n} == COUNTS
    assert made.network.count_params() == sum(COUNTS.values()) == 110_218
    assert made.joint().output["features"].shape == (None, 64)
    layers = [k for k in made.network.layers if hasattr(k, "activation")]
    bends = [k.activation.__name__ for k in layers]
    assert bends == ["relu", "relu", "linear", "relu", "linear"]


def test_the_seed_gives_the_weights():
    first, again, other = (
        models.build("small_conv_classifier", (8, 8, 1), NAMES, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first.digest() == again.digest() != other.digest()
    # Equal shapes do not start alike.
    hidden = models.build("small_conv_classifier", (4, 4, 2), NAMES, seed=0).network
    a, b = (hidden.get_layer(name).kernel.numpy() for name in ("dense", "hidden"))
    assert not np.array_equal(a[:32], b[:32])


def test_without_classes_it_is_refused():
    message = r"small_conv_classifier needs the names .*class_names=\(\)"
    with pytest.raises(ValueError, match=message):
        models.build("small_conv_classifier", (8, 8, 1), (), seed=0)
