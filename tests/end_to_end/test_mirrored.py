"""A batch split among two devices trains as on one."""

import csv
import json

import numpy as np
import pytest

from tfsemae import settings, training
from tfsemae.models.autoencoder import Autoencoder

#: Trains with settings from stdin on two virtual processors.
SCRIPT = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
from tfsemae import devices, settings, training
assert devices.strategy("mirrored").num_replicas_in_sync == 2
try:
    training.train(settings.make(training.Settings, json.loads(sys.stdin.read())))
except ValueError as error:
    sys.exit(str(error))
"""

STEPS = {"steps": 20, "checkpoint_every": 7, "validation": 10, "decay_rate": 1.0}


@pytest.fixture
def train_on_two(run_python, make_settings):
    def train(folder, **changes):
        made = make_settings(folder, strategy="mirrored", **changes)
        return run_python("-c", SCRIPT, input=json.dumps(settings.flat(made)))

    return train


def _column(folder, name):
    with open(folder / "log.csv", newline="") as stream:
        return [float(row[name]) for row in csv.DictReader(stream)]


def _weights(folder):
    found = Autoencoder.load(folder)
    parts = (found.encoder, found.decoder, found.classifier)
    return [weight for part in parts for weight in part.get_weights()]


def test_two_devices_reach_the_loss_of_one(tmp_path, make_settings, train_on_two):
    training.train(make_settings(tmp_path / "one", **STEPS))
    ended = train_on_two(tmp_path / "two", **STEPS)
    assert ended.status == 0, "\n".join(ended.messages)
    for name in ("loss", "reconstruction_loss", "logits_loss", "val_loss"):
        one, two = (_column(tmp_path / folder, name) for folder in ("one", "two"))
        # The mean of two means of 2 images, against the mean of 4: float32 sums in
        # another order, which 20 steps of Adam carry on.
        assert two == pytest.approx(one, rel=1e-4), name
    for a, b in zip(
        _weights(tmp_path / "one"), _weights(tmp_path / "two"), strict=True
    ):
        # 20 steps of at most 1e-3 each: a twentieth of one of them.
        np.testing.assert_allclose(a, b, atol=5e-5)


@pytest.mark.parametrize("name", ["batch_size", "validation"])
def test_batch_that_does_not_split_equally_is_refused(tmp_path, train_on_two, name):
    ended = train_on_two(tmp_path, **{name: 5})
    assert ended.status == 1
    assert f"must be a multiple of 2. Received: --{name}=5." in ended.messages[-1]
    assert not (tmp_path / "checkpoints").exists()
