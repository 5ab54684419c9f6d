"""Domain-adversarial training: features that do not tell a nuisance."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsemae import data, models
from tfsemae.evaluation import nuisance as evaluation
from tfsemae.models.classifier import Classifier
from tfsemae.run_folder import Metrics
from tfsemae.training.procedures import adversary
from tfsemae.training.procedures.classifier import ClassifierProcedure
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import Settings

_LABEL, _NUISANCE = "label", "nuisance"  # outputs, and names in the log


class DomainAdversarialProcedure(ClassifierProcedure):
    """Training against a classifier of a nuisance, the adversary.

    With y the probabilities of the labels and s those of the states of the nuisance,
    both computed from the features h of the network:

        E_primary = -ln y_label,   E_adversary = -ln s_state

    The adversary minimises E_adversary, the head E_primary, and the layers below h
    `E_primary - factor * E_adversary`, in one step on the sum of both losses:
    `models.GradientReversal` lies between h and the adversary. The factor grows
    linearly from 0. In two steps, with `--adversary_updates=separate`, the adversary
    learns first.

    Images get a tint or a turn, see `data.with_nuisance`: those of the training by
    `--nuisance_bias`, those of the test at random. The adversary is no part of the
    network. It has been trained against, so that `evaluate` trains a new one.

    Source: ECE 417, lecture 22, where the factor is 1; Ganin et al. 2016.
    """

    @classmethod
    def build(
        cls, settings: Settings, images: data.Images
    ) -> "DomainAdversarialProcedure":
        """Builds network and adversary; see `ClassifierProcedure.build`.

        Raises:
            ValueError: also if the images cannot have the nuisance.
        """
        chosen = settings.classifier.domain_adversarial
        seen, _ = adversary.seen(images, chosen, "train")
        made = super().build(settings, seen)
        assert isinstance(made, DomainAdversarialProcedure)
        return made

    def __init__(self, networks: Classifier, settings: Settings):
        """Makes the adversary, and compiles; see `ClassifierProcedure`."""
        self._chosen = settings.classifier.domain_adversarial
        features = networks.network.get_layer(networks.features_layer).output
        self._adversary = adversary.build(features.shape[-1], settings.run.seed)
        super().__init__(networks, settings)
        self.optimizers = self.model.optimizers()

    def _functional(self, inputs: Any, logits: Any, settings: Settings) -> StepCounter:
        joint = self.networks.joint()(inputs)
        reversal = models.GradientReversal(name=adversary.REVERSAL)
        states = self._adversary(reversal(joint["features"]))
        outputs = {_LABEL: joint["logits"], _NUISANCE: states}
        return adversary.AdversaryModel(
            inputs, outputs, told=_NUISANCE, settings=settings
        )

    def _objectives(self) -> dict[str, Any]:
        cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        names = (_LABEL, _NUISANCE)
        return {
            "loss": dict.fromkeys(names, cross_entropy),
            "metrics": {
                name: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
                for name in names
            },
        }

    def check(self, images: data.Images, reference: data.Images) -> None:
        """See `Procedure`; the nuisance needs images of these sizes."""
        super().check(self._seen(images, "test")[0], reference)

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """See `Procedure`."""
        pairs = adversary.paired(*self._seen(images, "train"))
        found = super().batches(
            pairs, batch_size=batch_size, seed=seed, start_step=start_step
        )
        return found.map(_targets)

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """See `Procedure`."""
        pairs = adversary.paired(*self._seen(images, "held_out"))
        return super().held_out(pairs, batch_size).map(_targets)

    def evaluate(
        self, images: data.Images, reference: data.Images, *, output_dir: Any, seed: int
    ) -> Metrics:
        """See `Procedure`; also measures what the features tell of the nuisance.

        Returns:
            What a classifier has, and `nuisance`: see `evaluation.nuisance.measure`.
        """
        seen = self._seen(images, "test")
        found = super().evaluate(seen[0], reference, output_dir=output_dir, seed=seed)
        told = evaluation.measure(
            self.networks.joint(),
            self._adversary,
            seen,
            # Without a bias: else labels would tell the state.
            adversary.seen(reference, self._chosen, "train", biased=False),
            seed=seed,
        )
        return {**found, "nuisance": told}

    def _seen(self, images: data.Images, role: str) -> tuple[data.Images, np.ndarray]:
        return adversary.seen(images, self._chosen, role)


def _targets(inputs: Any, pairs: tf.Tensor) -> tuple:
    labels, states = adversary.unpaired(pairs)
    return inputs, {_LABEL: labels, _NUISANCE: states}
