import numpy as np
import pytest

from tfsemae import data, models
from tfsemae.benchmarks import keras_table1
from tfsemae.training import loop

DIGITS = tuple("0123456789")


def _autoencoder(side=28):
    return models.build(
        "table1", (side, side, 1), DIGITS, initializer="glorot_uniform", seed=0
    )


def _settings():
    numbers = {
        "semantic_weight": 0.5,
        "learning_rate": 0.002,
        "decay_rate": 0.9,
        "decay_steps": 7,
        "checkpoint_every": 3,
    }
    names = loop.Settings.__dataclass_fields__
    return loop.Settings(**(dict.fromkeys(names) | numbers))


@pytest.mark.parametrize("side", [28, 32])
def test_operations_of_a_step_are_those_of_table_one(side):
    full, half, grid = side**2, (side // 2) ** 2, (side // 4) ** 2
    code = 4 * grid
    first = full * 25 * 32
    others = [
        half * 25 * 32 * 64,  # second convolution
        grid * 64 * code,  # code
        grid * 25 * 4 * 64,  # transposed convolutions, on the pixels they enter
        half * 25 * 64 * 32,
        full * 32,  # image
        grid * 9 * 4 * 32,  # classifier
        grid * 32 * 256,
        256 * 10,
    ]
    if side == 28:  # multiply-adds per image as the specification has them
        assert first + sum(others) == 22_111_360
    # Forward and two gradients, of two operations each; the image needs none.
    expected = 2 * (2 * first + 3 * sum(others))
    assert keras_table1.flop(_autoencoder(side)) == expected


def test_workload_is_what_the_training_sees():
    autoencoder, settings = _autoencoder(), _settings()
    batches = data.batches(data.load("synthetic", "train"), 4, seed=1)
    content = keras_table1.workload(autoencoder, batches, settings)
    for images, labels, batch in zip(
        content["images"], content["labels"], batches.take(4), strict=True
    ):
        np.testing.assert_array_equal(images, batch[0])
        np.testing.assert_array_equal(labels, batch[1])
    kernel = autoencoder.decoder.get_layer("deconv2").kernel
    np.testing.assert_array_equal(content["decoder/deconv2/kernel"], kernel)
    # Table I: 666,948 + 57,729 + 405,418 parameters, in 18 arrays.
    weights = [content[name] for name in content if "/" in name]
    assert len(weights) == 18
    assert sum(weight.size for weight in weights) == 1_130_095
    assert content["semantic_weight"] == 0.5
    assert content["learning_rate"] == 0.002
    assert content["decay_rate"] == 0.9
    assert content["decay_steps"] == 7
    assert content["epsilon"] == 1e-7
