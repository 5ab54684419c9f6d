"""Vanilla and semantic autoencoders: one loss for pixels, one for labels."""

from typing import Any

import keras
import tensorflow as tf

from tfsemae import data, evaluation, models
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.run_folder import Metrics
from tfsemae.training import warm_start
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import Settings


class AutoencoderProcedure:
    """Minimises reconstruction loss + weight * classification loss.

    Without classifier there is the reconstruction loss alone. See
    `procedure.Procedure` for what the methods do.

    Source: Ming 2022, section III; shared decoders, section IV.
    """

    @classmethod
    def build(cls, settings: Settings, images: data.Images) -> "AutoencoderProcedure":
        """Builds the networks for images and compiles them.

        Args:
            settings: of the run.
            images: of which size, and of which classes if there is a classifier.

        Raises:
            ValueError: see `models.build` and the constructor.
        """
        networks = models.build(
            settings.network.model,
            images.images.shape[1:],
            images.class_names if settings.procedure.semantic else (),
            seed=settings.run.seed,
            **settings.network.options,
        )
        return cls(networks, settings)

    def __init__(self, networks: Autoencoder, settings: Settings):
        """Compiles the networks.

        Args:
            networks: trained in place.
            settings: of losses, weights, rates, and where weights come from.

        Raises:
            ValueError: if weights are to come from networks of other shapes.
        """
        chosen = settings.procedure
        warm_start.copy_weights(networks, "decoder", chosen.decoder_from)
        warm_start.copy_weights(networks, "encoder", chosen.encoder_from)
        if chosen.decoder_from and not chosen.train_decoder:
            networks.decoder.trainable = False
        self.networks = networks
        self.model = _compiled(networks, settings)
        self.optimizers = [self.model.optimizer]
        self._semantic, self._shuffle_labels = chosen.semantic, chosen.shuffle_labels
        self._dataset = settings.data.dataset

    def check(self, images: data.Images, reference: data.Images) -> None:
        """See `Procedure`."""
        # Without class names there is no classifier to tell by.
        labelled = images.labels is not None and reference.labels is not None
        if self._semantic and not labelled:
            raise ValueError(
                f"--dataset={self._dataset} has no labels, which --semantic needs. "
                "Leave --semantic out or name a labelled data set."
            )
        evaluation.check(self.networks, images, reference)

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """See `Procedure`."""
        return self._with_targets(
            data.batches(
                images,
                batch_size,
                seed=seed,
                start_step=start_step,
                shuffle_labels=self._shuffle_labels,
            )
        )

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """See `Procedure`."""
        return self._with_targets(data.batches(images, batch_size, shuffle=False))

    def preview(self, images: tf.Tensor) -> tf.Tensor:
        """The reconstructions."""
        return self.model(images, training=False)["reconstruction"]

    def evaluate(
        self, images: data.Images, reference: data.Images, *, output_dir: Any, seed: int
    ) -> Metrics:
        """See `Procedure`."""
        return evaluation.evaluate(
            self.networks, images, reference, output_dir=output_dir, seed=seed
        )

    def _with_targets(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        semantic = self.networks.classifier is not None

        def split(images, labels=None):
            targets = {"reconstruction": images}
            return images, targets | {"logits": labels} if semantic else targets

        return batches.map(split)


def _compiled(networks: Autoencoder, settings: Settings) -> StepCounter:
    joint = networks.joint()
    model = StepCounter(joint.input, joint.output, name="autoencoder")
    rate = keras.optimizers.schedules.ExponentialDecay(
        settings.optimizer.learning_rate,
        decay_steps=settings.optimizer.decay_steps,
        decay_rate=settings.optimizer.decay_rate,
        staircase=True,
    )
    loss: dict[str, Any] = {"reconstruction": settings.procedure.loss}
    weights = {"reconstruction": 1.0}
    if networks.classifier is not None:
        loss["logits"] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        weights["logits"] = settings.procedure.semantic_weight
    model.compile(
        keras.optimizers.Adam(rate),
        loss=loss,
        loss_weights=weights,
        jit_compile=settings.run.jit_compile,
        steps_per_execution=settings.steps_per_execution,
    )
    # Before a checkpoint is read: Keras restores only variables that exist.
    model.optimizer.build(model.trainable_variables)
    return model
