"""A network that trains in no time, and short runs that are stopped."""

import csv
import itertools
import shutil

import keras
import numpy as np
import pytest

from tfsemae import run_folder, training
from tfsemae.training.procedures.procedure import StepCounter

STEPS = 3  # of an interval


@pytest.fixture(scope="session")
def steps():
    """Steps of an interval of `fit_small`."""
    return STEPS


@pytest.fixture(scope="session")
def small_network():
    """Makes a network of images 2 x 2 with the outputs of an autoencoder."""

    def make(rate=0.1):
        image = keras.Input((2, 2, 1))
        outputs = {
            "reconstruction": keras.layers.Dense(1, name="pixels")(image),
            "logits": keras.layers.Dense(2)(keras.layers.Flatten()(image)),
        }
        network = StepCounter(image, outputs)
        network.compile(
            keras.optimizers.SGD(rate), loss={"reconstruction": "mse", "logits": "mse"}
        )
        network.optimizer.build(network.trainable_variables)
        return network

    return make


@pytest.fixture(scope="session")
def fit_small():
    """Trains a small network on ones, with callbacks.

    The named target is NaN at `bad_step`, counted from 1.
    """

    def fit(network, *callbacks, intervals=1, bad_step=None, bad="logits"):
        def batches():
            for step in itertools.count(1):
                targets = {
                    "reconstruction": np.ones((4, 2, 2, 1), np.float32),
                    "logits": np.ones((4, 2), np.float32),
                }
                if step == bad_step:
                    targets[bad] = targets[bad] * np.nan
                yield np.ones((4, 2, 2, 1), np.float32), targets

        network.fit(
            batches(),
            epochs=intervals,
            steps_per_epoch=STEPS,
            callbacks=list(callbacks),
            shuffle=False,
            verbose=0,
        )

    return fit


@pytest.fixture(scope="session")
def log_rows():
    """The rows of the log of a run, without its seconds."""

    def read(folder):
        with open(folder / "log.csv", newline="") as stream:
            return [dict(row, seconds="") for row in csv.DictReader(stream)]

    return read


@pytest.fixture(scope="module")
def run(tmp_path_factory, make):
    """A finished run of the settings of a test file; tests only read it."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    training.train(make(folder))
    return folder


@pytest.fixture
def assert_continues(tmp_path, log_rows):
    """Stops a finished run of 5 steps before the last one, and continues it.

    The function takes the run, `make` of its settings, the class of its networks, and
    what builds the compiled model anew.
    """

    def check(run, make, networks, build):
        folder = tmp_path / "stopped"
        shutil.copytree(run, folder)
        (folder / "metrics.json").unlink()
        for path in (folder / "checkpoints").glob("step_00000005.*"):
            path.unlink()
        training.train(make(folder))
        assert networks.load(folder).digest() == networks.load(run).digest()
        assert run_folder.read_metrics(folder) == run_folder.read_metrics(run)
        assert log_rows(folder) == log_rows(run)
        variables = []
        for each in (folder, run):
            model = build()
            model.load_weights(each / "checkpoints" / "step_00000005.weights.h5")
            variables.append([*model.weights, *model.optimizer.variables])
        assert model.steps_done() == 5
        for a, b in zip(*variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy(), strict=True)

    return check
