"""The adversary of a nuisance, against which networks are trained."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsemae import data
from tfsemae.data.nuisance import STATES
from tfsemae.training import optimizers
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import DomainAdversarial, Settings

REVERSAL = "reversal"  # name of the layer before it
_NAME = "adversary"  # of its own layer
_HIDDEN = 64  # units of the adversary, as many as of the head of small_conv_classifier
#: Of the states of the nuisance, by what the images are for.
_SEEDS = {"train": 0, "held_out": 1, "test": 2}


class AdversaryModel(StepCounter):
    """A functional model whose gradients are reversed by a growing factor.

    By default one step of Keras trains all parts. With `--adversary_updates=separate`
    the adversary takes a step of its own before, by an optimizer of its own, and that
    of Keras leaves it as it is. Then images pass twice, and so do their statistics
    where features are normalised over the batch.
    """

    def __init__(self, inputs: Any, outputs: Any, *, told: str, settings: Settings):
        """Args: told: name of the adversary's output; settings: of the run."""
        super().__init__(inputs, outputs, name="classifier")
        chosen = settings.classifier.domain_adversarial
        self._end, self._ramp = chosen.reversal_factor, chosen.reversal_ramp_steps
        self._told = told
        # An attribute, so that checkpoints hold it.
        self.adversary_optimizer = None
        if chosen.adversary_updates == "separate":
            adversary = self.get_layer(_NAME)
            self.adversary_optimizer = optimizers.make(settings.optimizer)
            # Before a checkpoint is read: Keras restores only variables that exist.
            self.adversary_optimizer.build(adversary.trainable_variables)
            adversary.trainable = False  # for the step of Keras

    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """Those that a step applies."""
        own = self.adversary_optimizer
        return [self.optimizer] if own is None else [self.optimizer, own]

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Sets the factor by the steps done before, and does a step of Keras."""
        done = tf.cast(self.step.value, tf.float32)
        share = tf.minimum(done / self._ramp, 1.0) if self._ramp else 1.0
        self.get_layer(REVERSAL).factor.assign(self._end * share)
        if self.adversary_optimizer is not None:
            inputs, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
            self._update_adversary(self.adversary_optimizer, inputs, targets)
        return super().train_step(data)

    def _update_adversary(
        self, optimizer: keras.optimizers.Optimizer, inputs: Any, targets: Any
    ) -> None:
        weights = self.get_layer(_NAME).weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([weight.value for weight in weights])
            states = self(inputs, training=True)[self._told]
            losses = keras.losses.sparse_categorical_crossentropy(
                targets[self._told], states, from_logits=True
            )
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, weights), weights)


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
    return keras.Sequential(layers, name=_NAME)


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
