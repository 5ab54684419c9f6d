import numpy as np
import pytest

from tfsemae import data, models, settings, training
from tfsemae.benchmarks import keras_table1

DIGITS = tuple("0123456789")


def _autoencoder(side=28, channels=1, class_names=DIGITS):
    return models.build(
        "table1",
        (side, side, channels),
        class_names,
        initializer="glorot_uniform",
        seed=0,
    )


def _colours(count):
    random = np.random.default_rng(0)
    images = random.integers(256, size=(count, 32, 32, 3), dtype=np.uint8)
    return data.Images(images, np.arange(count) % 2, ("even", "odd"))


def _settings():
    numbers = {
        "semantic_weight": 0.5,
        "learning_rate": 0.002,
        "decay_rate": 0.9,
        "decay_steps": 7,
        "checkpoint_every": 3,
    }
    return settings.make(training.Settings, {"output_dir": "unused"} | numbers)


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 1), (32, 3)])
def test_operations_of_a_step_are_those_of_table_one(side, channels):
    full, half, grid = side**2, (side // 2) ** 2, (side // 4) ** 2
    code = 4 * grid
    first = channels * full * 25 * 32
    each_channel = [
        half * 25 * 32 * 64,  # second convolution
        grid * 64 * code,  # code
        grid * 25 * 4 * 64,  # transposed convolutions, on the pixels they enter
        half * 25 * 64 * 32,
        full * 32,  # image
    ]
    classifier = [
        grid * 9 * (4 * channels) * 32,
        grid * 32 * 256,
        256 * 10,
    ]
    others = channels * sum(each_channel) + sum(classifier)
    if side == 28:  # multiply-adds per image as the specification has them
        assert first + others == 22_111_360
    # Forward and two gradients, of two operations each; the image needs none.
    expected = 2 * (2 * first + 3 * others)
    assert keras_table1.flop(_autoencoder(side, channels)) == expected


def test_a_pass_per_channel_is_the_same_work():
    folded = _autoencoder(32, 3)
    passes = keras_table1.channel_by_channel(folded)
    assert keras_table1.flop(passes) == keras_table1.flop(folded)
    for part in ("encoder", "decoder", "classifier"):
        ours, theirs = (getattr(network, part).weights for network in (folded, passes))
        assert [id(weight) for weight in ours] == [id(weight) for weight in theirs]


def test_workload_is_what_the_training_sees():
    autoencoder = _autoencoder()
    batches = data.batches(data.load("synthetic", "train"), 4, seed=1)
    content = keras_table1.workload(autoencoder, batches, _settings())
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


def test_workload_names_weights_alike_with_any_number_of_channels():
    images = _colours(4)
    batches = data.batches(images, 4, seed=1)
    one = keras_table1.workload(_autoencoder(), batches, _settings())
    autoencoder = _autoencoder(32, 3, images.class_names)
    three = keras_table1.workload(autoencoder, batches, _settings())
    assert three.keys() == one.keys()
    assert three["images"].shape == (4, 4, 32, 32, 3)
    # Ming 2022, section IV: as many parameters as its three parts have.
    parameters = sum(three[name].size for name in three if "/" in name)
    assert parameters == 1_100_928 + 57_729 + 528_546
