"""What the training loop asks of a procedure, and what several of them share."""

from typing import Any, Protocol

import keras
import tensorflow as tf

from tfsemae import data, models
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier
from tfsemae.models.gan import Gan
from tfsemae.models.recogniser import Recogniser
from tfsemae.run_folder import Metrics
from tfsemae.training.settings import Settings


class StepCounter(keras.Model):
    """A functional model that counts the training steps it has done.

    The count is a weight, so that checkpoints keep it. It is not that of an
    optimizer: a step may apply several updates, or several optimizers.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        """Takes the arguments of a functional `keras.Model`."""
        super().__init__(*args, **kwargs)
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name="step",
            aggregation="only_first_replica",
        )

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Does a step of Keras and counts it."""
        self.step.assign_add(1)
        return super().train_step(data)

    def steps_done(self) -> int:
        """The number of training steps done."""
        # By way of NumPy: int() does not take a mirrored variable.
        return int(self.step.numpy())


def build_of_classes(settings: Settings, images: data.Images) -> Any:
    """Builds the network of a run that needs the classes of its images.

    Args:
        settings: of the run.
        images: of which size, and of which classes.

    Raises:
        ValueError: if there are no labels; see `models.build`.
    """
    if images.labels is None:
        raise ValueError(
            f"--dataset={settings.data.dataset} has no labels, which "
            f"--model={settings.network.model} needs. Name a labelled data set."
        )
    return models.build(
        settings.network.model,
        images.images.shape[1:],
        images.class_names,
        seed=settings.run.seed,
        **settings.network.options,
    )


class Procedure(Protocol):
    """How networks are trained.

    Attributes:
        model: compiled, its optimizers built; `fit` trains it.
        optimizers: those that it applies.
    """

    model: StepCounter
    optimizers: list[keras.optimizers.Optimizer]

    @property
    def networks(self) -> Autoencoder | Classifier | Gan | Recogniser:
        """What is trained, and saved at the end."""

    def check(self, images: data.Images, reference: data.Images) -> None:
        """Raises ValueError if `evaluate` could not measure these images."""

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """Endless training batches of inputs and targets from a step on."""

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """One pass of inputs and targets, for the validation loss."""

    def preview(self, images: tf.Tensor) -> tf.Tensor | None:
        """A picture of what the networks do now: `[B, H, W, C]` in [0, 1].

        None of networks that make no images.
        """

    def evaluate(
        self,
        images: data.Images,
        reference: data.Images,
        *,
        output_dir: Any,
        seed: int,
    ) -> Metrics:
        """Measures the trained networks; writes pictures and arrays."""
