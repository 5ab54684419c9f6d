"""A recogniser of words that is trained against a classifier of the speaker."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsemae import data, models, objectives
from tfsemae.data import speech
from tfsemae.evaluation import classification, nuisance
from tfsemae.evaluation import spelling as evaluation
from tfsemae.models import spelling
from tfsemae.models.recogniser import Recogniser
from tfsemae.run_folder import Metrics
from tfsemae.training import optimizers
from tfsemae.training.procedures import adversary
from tfsemae.training.procedures.procedure import build_of_classes
from tfsemae.training.settings import Settings

_LETTERS, _SPEAKER = "letters", "speaker"  # outputs, and names in the log


class RecogniserProcedure:
    """Minimises `-sum_t{ ln y_t }`, and maximises `-ln s` below the features.

    With y_t the probability of letter t, given the letters before it, and s that of
    the speaker, the lecture minimises

        E = ln s - sum_t{ ln y_t }

    As in `DomainAdversarialProcedure`, the speaker's classifier minimises -ln s in the
    same step, and `models.GradientReversal` lies between it and the features of the
    listener; the factor before ln s is `--reversal_factor`, and grows from 0.

    See `procedure.Procedure` for what the methods do.

    Source: ECE 417, lecture 22.
    """

    @classmethod
    def build(cls, settings: Settings, images: data.Images) -> "RecogniserProcedure":
        """Builds recogniser and adversary for images, and compiles them.

        Args:
            settings: of the run.
            images: of which size, and of which words.

        Raises:
            ValueError: see `build_of_classes`.
        """
        return cls(build_of_classes(settings, images), settings)

    def __init__(self, networks: Recogniser, settings: Settings):
        """Makes the adversary, and compiles.

        Args:
            networks: trained in place.
            settings: of rates and seed.
        """
        self.networks = networks
        self._chosen = settings.classifier.domain_adversarial
        self._seed = settings.run.seed
        self._symbols = spelling.symbols(networks.class_names)
        forced = networks.forced()
        features = forced.output["features"]
        self._adversary = adversary.build(features.shape[-1], self._seed)
        reversal = models.GradientReversal(name=adversary.REVERSAL)
        outputs = {
            _LETTERS: forced.output["logits"],
            _SPEAKER: self._adversary(reversal(features)),
        }
        self.model = adversary.AdversaryModel(
            forced.input, outputs, told=_SPEAKER, settings=settings
        )
        self.model.compile(
            optimizer=optimizers.make(settings.optimizer),
            loss={
                _LETTERS: objectives.spelling_nll,
                _SPEAKER: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            },
            metrics={
                _SPEAKER: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
            },
            jit_compile=settings.run.jit_compile,
            steps_per_execution=settings.steps_per_execution,
        )
        # Before a checkpoint is read: Keras restores only variables that exist.
        self.model.optimizer.build(self.model.trainable_variables)
        self.optimizers = self.model.optimizers()

    def check(self, images: data.Images, reference: data.Images) -> None:
        """See `Procedure`."""
        classification.check(self.networks, images)

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """See `Procedure`."""
        pairs = adversary.paired(*self._seen(images, "train"))
        found = data.batches(pairs, batch_size, seed=seed, start_step=start_step)
        return found.map(self._forced)

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """See `Procedure`."""
        pairs = adversary.paired(*self._seen(images, "held_out"))
        return data.batches(pairs, batch_size, shuffle=False).map(self._forced)

    def preview(self, images: tf.Tensor) -> None:
        """A recogniser makes no images."""

    def evaluate(
        self, images: data.Images, reference: data.Images, *, output_dir: Any, seed: int
    ) -> Metrics:
        """See `Procedure`.

        Returns:
            What `evaluation.spelling.evaluate` measures of `known` and `unseen`
            speakers, who say the same, and `nuisance`: see
            `evaluation.nuisance.measure`.
        """
        known = self._seen(images, "test")
        nobody = np.full(len(images), speech.UNSEEN)
        sets = {
            "known": known[0],
            "unseen": data.with_nuisance(images, nobody, self._chosen.nuisance),
        }
        found = evaluation.evaluate(self.networks, sets, output_dir=output_dir)
        told = nuisance.measure(
            self.networks.listener,
            self._adversary,
            known,
            # Without a bias: else words would tell the speaker.
            adversary.seen(reference, self._chosen, "train", biased=False),
            seed=seed,
        )
        return {**found, "nuisance": told}

    def _seen(self, images: data.Images, role: str) -> tuple[data.Images, np.ndarray]:
        return adversary.seen(images, self._chosen, role)

    def _forced(self, images: tf.Tensor, pairs: tf.Tensor) -> tuple:
        """Inputs with the letters before each letter, and targets."""
        labels, speakers = adversary.unpaired(pairs)
        inputs = {
            "image": images,
            "previous": tf.gather(spelling.previous(self._symbols), labels),
        }
        targets = {_LETTERS: tf.gather(self._symbols, labels), _SPEAKER: speakers}
        return inputs, targets
