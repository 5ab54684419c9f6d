"""A batch split among two devices trains as on one."""

import csv
import json

import numpy as np
import pytest

from tfsemae import settings, training
from tfsemae.models.autoencoder import Autoencoder

#: Trains with each of the settings from stdin on two virtual processors; tells on
#: stdout what was refused.
SCRIPT = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
from tfsemae import devices, settings, training
assert devices.strategy("mirrored").num_replicas_in_sync == 2
for given in json.loads(sys.stdin.read()):
    try:
        training.train(settings.make(training.Settings, given))
    except ValueError as error:
        print(error)
"""

STEPS = {"steps": 20, "checkpoint_every": 7, "validation": 10, "decay_rate": 1.0}


@pytest.fixture(scope="module")
def train_on_two(run_python, make_settings):
    def train(changes):
        """Folder -> what changes there."""
        given = [
            settings.flat(make_settings(folder, strategy="mirrored", **changed))
            for folder, changed in changes.items()
        ]
        ended = run_python("-c", SCRIPT, input=json.dumps(given))
        assert ended.status == 0, "\n".join(ended.messages)
        return ended.out.splitlines()

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
    assert train_on_two({tmp_path / "two": STEPS}) == []
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


ODD = ["batch_size", "validation"]


@pytest.fixture(scope="module")
def refused(tmp_path_factory, train_on_two):
    """Name of a setting of 5 -> folder and message."""
    folders = [tmp_path_factory.mktemp(name) for name in ODD]
    changes = [{name: 5} for name in ODD]
    messages = train_on_two(dict(zip(folders, changes, strict=True)))
    return dict(zip(ODD, zip(folders, messages, strict=True), strict=True))


@pytest.mark.parametrize("name", ODD)
def test_batch_that_does_not_split_equally_is_refused(refused, name):
    folder, message = refused[name]
    assert f"must be a multiple of 2. Received: --{name}=5." in message
    assert not (folder / "checkpoints").exists()
