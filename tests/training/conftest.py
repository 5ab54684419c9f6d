"""A network that trains in no time, for the tests of what happens beside it."""

import itertools

import keras
import numpy as np
import pytest

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
