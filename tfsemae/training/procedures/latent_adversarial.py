"""Latent adversarial training: the decoder also learns from attacked latents."""

from typing import Any

import keras
import tensorflow as tf

from tfsemae import attacks
from tfsemae.attacks import objectives
from tfsemae.attacks.projections import unit
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training.procedures.autoencoder import (
    AutoencoderProcedure,
    loss_decoder,
    reconstruction_loss,
    reconstruction_weight,
)
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import Settings

_TERM = "adversarial_loss"
_OBJECTIVES = {
    "output_ssim": objectives.one_minus_ssim,
    "output_mse": objectives.mean_squared_error,
}


class LatentAdversarialProcedure(AutoencoderProcedure):
    """Autoencoder training with further updates of the decoder in each step.

    After the update of `AutoencoderProcedure`, and as often as the settings say: the
    latents z of the batch are moved to z*, within a ball around each, where the
    distance of g(z*) and g(z), such as 1 - SSIM, is greatest, and the decoder g alone
    is updated with the reconstruction loss of g(z*) against the images. The attack uses
    the decoder as at inference. One optimizer applies all updates.

    Source: Lu 2023, Algorithm 1.
    """

    def _functional(self, inputs: Any, outputs: Any, settings: Settings) -> StepCounter:
        return _LatentAdversarial(inputs, outputs, self.networks, settings)


class _LatentAdversarial(StepCounter):
    """A functional model with a step of its own."""

    def __init__(
        self, inputs: Any, outputs: Any, networks: Autoencoder, settings: Settings
    ):
        super().__init__(inputs, outputs, name="autoencoder")
        chosen = settings.procedure.latent_adversarial
        # A function: Keras would write parts that are attributes to checkpoints twice.
        self._networks = lambda: networks
        self._updates = chosen.latent_adversarial_steps
        self._epsilon = chosen.latent_adversarial_epsilon
        self._noise = chosen.latent_adversarial_noise
        self._loss_of = reconstruction_loss(settings.procedure.loss)
        self._weight = reconstruction_weight(settings)
        decoder = loss_decoder(networks, settings.procedure.loss)
        self._loss_decoder = lambda: decoder
        self._seed = settings.run.seed
        objective = chosen.latent_adversarial_objective or "output_ssim"
        self._attack = attacks.PGD(
            _OBJECTIVES[objective](self._decoded),
            epsilon=self._epsilon,
            steps=chosen.latent_adversarial_pgd_steps,
        )
        self._term = keras.metrics.Mean(_TERM)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The step of the autoencoder, then the updates of the decoder."""
        super().train_step(data)
        _, targets = data
        images = targets["reconstruction"]
        latent = self._networks().encoder(images, training=False)
        for number in range(self._updates):
            moved = tf.stop_gradient(self._moved(latent, number))
            self._term.update_state(self._update_decoder(moved, images))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """That of the autoencoder; nothing is attacked."""
        logs = super().test_step(data)
        return {name: value for name, value in logs.items() if name != _TERM}

    def _moved(self, latent: tf.Tensor, number: int) -> tf.Tensor:
        seed = tf.stack([tf.constant(self._seed, tf.int64), self.step.value])
        seed = tf.random.fold_in(seed, tf.constant(number, tf.int64))
        if self._noise:
            normal = tf.random.stateless_normal(tf.shape(latent), seed, alg="philox")
            return latent + self._epsilon * unit(normal)
        return self._attack(latent, self._decoded(latent), seed=seed).adversarial

    def _update_decoder(self, latent: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        decoder = self._loss_decoder()
        with tf.GradientTape() as tape:
            decoded = decoder(latent, training=True)
            loss = tf.reduce_mean(self._loss_of(images, decoded))
            weighted = self._weight * loss
        weights = decoder.trainable_weights
        self.optimizer.apply(tape.gradient(weighted, weights), weights)
        return loss

    def _decoded(self, latent: tf.Tensor) -> tf.Tensor:
        return self._networks().decoder(latent, training=False)
