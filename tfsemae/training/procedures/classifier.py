"""Classifiers of images: the cross-entropy of their labels."""

from typing import Any

import keras
import tensorflow as tf

from tfsemae import data
from tfsemae.data.augmentation import augment
from tfsemae.evaluation import classification
from tfsemae.models.classifier import Classifier
from tfsemae.run_folder import Metrics
from tfsemae.training import draws, dropout, fakes, optimizers
from tfsemae.training.procedures.procedure import StepCounter, build_of_classes
from tfsemae.training.settings import Settings


class ClassifierProcedure:
    """Minimises the cross-entropy of the labels (nats), mean over the images.

    Dropout is a function of (seed, step). See `procedure.Procedure` for what the
    methods do.

    Source: Tabacof 2016, released code.
    """

    @classmethod
    def build(cls, settings: Settings, images: data.Images) -> "ClassifierProcedure":
        """Builds the network for images and compiles it.

        Args:
            settings: of the run.
            images: of which size, and of which classes.

        Raises:
            ValueError: see `build_of_classes`.
        """
        return cls(build_of_classes(settings, images), settings)

    def __init__(self, networks: Classifier, settings: Settings):
        """Compiles the network.

        Args:
            networks: trained in place.
            settings: of rates and seed.
        """
        self.networks = networks
        self._settings = settings
        self._masks = dropout.masks(networks.network)
        image = keras.Input(networks.image_shape, name="image")
        given = {
            name: keras.Input(draw.shape, dtype=draw.dtype, name=name)
            for name, draw in self._masks.items()
        }
        logits = dropout.apply(networks.network, image, given)
        inputs = {"image": image, **given} if given else image
        self.model = self._functional(inputs, logits, settings)
        self.model.compile(
            optimizers.make(settings.optimizer),
            jit_compile=settings.run.jit_compile,
            steps_per_execution=settings.steps_per_execution,
            **self._objectives(),
        )
        # Before a checkpoint is read: Keras restores only variables that exist.
        self.model.optimizer.build(self.model.trainable_variables)
        self.optimizers = [self.model.optimizer]

    def _functional(self, inputs: Any, logits: Any, settings: Settings) -> StepCounter:
        """The model that is compiled."""
        return StepCounter(inputs, logits, name="classifier")

    def _objectives(self) -> dict[str, Any]:
        """Loss and metrics that the model is compiled with."""
        return {
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        }

    def check(self, images: data.Images, reference: data.Images) -> None:
        """See `Procedure`; nothing is learned from the reference."""
        classification.check(self.networks, images)

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """See `Procedure`; of few labels and fakes, see `training.fakes`."""
        chosen = self._settings.classifier.fakes
        images = fakes.learnt(images, chosen, self._settings.run.seed)
        batches = data.batches(images, batch_size, seed=seed, start_step=start_step)
        if self._settings.classifier.augment:
            batches = augment(batches, seed=seed, start_step=start_step)
        return draws.add(batches, self._masks, seed=seed, start_step=start_step)

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """See `Procedure`."""
        batches = data.batches(images, batch_size, shuffle=False)
        seed = self._settings.run.seed
        return draws.add(batches, self._masks, seed=seed, held_out=True)

    def preview(self, images: tf.Tensor) -> None:
        """A classifier makes no images."""

    def evaluate(
        self, images: data.Images, reference: data.Images, *, output_dir: Any, seed: int
    ) -> Metrics:
        """See `Procedure`; nothing is learned or drawn at random."""
        return classification.evaluate(self.networks, images, output_dir=output_dir)
