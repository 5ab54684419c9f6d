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


ODD = ["batch_size", "validation"]


@pytest.fixture(scope="module")
def on_two(run_python, make_settings, tmp_path_factory):
    """Trains with `STEPS` and with an odd number of each of `ODD`, in one process.

    Returns the folder of each, and what was refused in their order.
    """
    changes = {"steps": STEPS} | {name: {name: 5} for name in ODD}
    folders = {name: tmp_path_factory.mktemp(name) for name in changes}
    given = [
        settings.flat(make_settings(folders[name], strategy="mirrored", **changed))
        for name, changed in changes.items()
    ]
    ended = run_python("-c", SCRIPT, input=json.dumps(given))
    assert ended.status == 0, "\n".join(ended.messages)
    return folders, ended.out.splitlines()


def _column(folder, name):
    with open(folder / "log.csv", newline="") as stream:
        return [float(row[name]) for row in csv.DictReader(stream)]


def _weights(folder):
    found = Autoencoder.load(folder)
    parts = (found.encoder, found.decoder, found.classifier)
    return [weight for part in parts for weight in part.get_weights()]


def test_two_devices_reach_the_loss_of_one(tmp_path, make_settings, on_two):
    one, two = tmp_path / "one", on_two[0]["steps"]
    training.train(make_settings(one, **STEPS))
    for name in ("loss", "reconstruction_loss", "logits_loss", "val_loss"):
        # The mean of two means of 2 images, against the mean of 4: float32 sums in
        # another order, which 20 steps of Adam carry on.
        assert _column(two, name) == pytest.approx(_column(one, name), rel=1e-4), name
    for a, b in zip(_weights(one), _weights(two), strict=True):
        # 20 steps of at most 1e-3 each: a twentieth of one of them.
        np.testing.assert_allclose(a, b, atol=5e-5)


def test_batches_that_do_not_split_equally_are_refused(on_two):
    folders, messages = on_two
    for name, message in zip(ODD, messages, strict=True):  # no other is refused
        assert f"must be a multiple of 2. Received: --{name}=5." in message
        assert not (folders[name] / "checkpoints").exists()
