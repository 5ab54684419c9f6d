"""The adversary of a nuisance, against which networks are trained."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsemae import data
from tfsemae.data.nuisance import STATES
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import DomainAdversarial

REVERSAL = "reversal"  # name of the layer before it
_HIDDEN = 64  # units of the adversary, as many as of the head of small_conv_classifier
#: Of the states of the nuisance, by what the images are for.
_SEEDS = {"train": 0, "held_out": 1, "test": 2}


class AdversaryModel(StepCounter):
    """A functional model whose gradients are reversed by a growing factor."""

    def __init__(self, inputs: Any, outputs: Any, *, chosen: DomainAdversarial):
        super().__init__(inputs, outputs, name="classifier")
        self._end, self._ramp = chosen.reversal_factor, chosen.reversal_ramp_steps

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Sets the factor by the steps done before, and does a step of Keras."""
        done = tf.cast(self.step.value, tf.float32)
        share = tf.minimum(done / self._ramp, 1.0) if self._ramp else 1.0
        self.get_layer(REVERSAL).factor.assign(self._end * share)
        return super().train_step(data)


def build(size: int, seed: int) -> keras.Model:
    """Features `[B, size]` -> logits of the states."""
    # Beside the seed of the network, whose first kernel would be drawn alike.
    seeds = np.random.SeedSequence([seed, 1]).generate_state(2)
    first, second = (keras.initializers.GlorotUniform(int(each)) for each in seeds)
    layers = [
        keras.Input((size,), name="features"),
        keras.layers.Dense(_HIDDEN, "relu", kernel_initializer=first, name="hidden"),
        keras.layers.Dense(STATES, kernel_initializer=second, name="states"),
    ]
    return keras.Sequential(layers, name="adversary")


def seen(
    images: data.Images, chosen: DomainAdversarial, role: str, *, biased: bool = True
) -> tuple[data.Images, np.ndarray]:
    """Images with their nuisance, and its states."""
    bias = chosen.nuisance_bias if biased and role != "test" else 0.0
    states = data.nuisance_states(
        len(images), seed=_SEEDS[role], labels=images.labels, bias=bias
    )
    return data.with_nuisance(images, states, chosen.nuisance), states


def paired(images: data.Images, states: np.ndarray) -> data.Images:
    """Images whose labels are pairs of label and state, as one number."""
    names = tuple(
        f"{name} {state}" for name in images.class_names for state in range(STATES)
    )
    assert images.labels is not None  # checked
    return data.Images(images.images, images.labels * STATES + states, names)


def unpaired(pairs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Labels and states of such pairs, int64 `[B]` each."""
    return pairs // STATES, pairs % STATES
