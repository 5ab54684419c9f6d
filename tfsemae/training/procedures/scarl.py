"""SCARL: adversarial training that draws features to the words of their classes."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsemae import data, objectives
from tfsemae.models import word_heads
from tfsemae.models.classifier import Classifier
from tfsemae.run_folder import Metrics
from tfsemae.training import loading
from tfsemae.training.procedures.adversarial import (
    ADVERSARIAL_LOGITS,
    AdversarialProcedure,
    PairedModel,
)
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import Scarl, Settings

_CODES, _WORDS = "codes", "words"
_MI, _STRUCT = "mi", "struct"
_TEMPERATURES = {"ba": 0.1, "nce": 0.5}
_BATCH = 500


class ScarlProcedure(AdversarialProcedure):
    """Adversarial training with the words of the classes.

    Codes z of adversarial images x' and codes u of words come of a head each, which
    are trained as well and are no part of the classifier:

        CE(f(x'), y) + kl_weight * KL(p(x) || p(x')) + mi_weight * L_MI(z, u)
            + r * struct_weight * L_struct(means of z, u)

    with r of `objectives.gaussian_ramp_up`. x' is that of `trades`. The teacher of
    `--struct=rkd` is a memory of u without gradient, whose momentum is r as well.
    Classes that are absent from a batch are left out of student and teacher. The head
    of the words sees each class once, whatever its share of the batch.

    Source: Kuang et al. 2023, released code; `ba` and `gram` are our choice.
    """

    @classmethod
    def build(cls, settings: Settings, images: data.Images) -> "ScarlProcedure":
        """Builds network and heads; see `ClassifierProcedure.build`.

        Raises:
            ValueError: also if a word of a class is missing.
        """
        made = super().build(settings, images)
        assert isinstance(made, ScarlProcedure)
        return made

    def __init__(self, networks: Classifier, settings: Settings):
        """Makes the heads, and compiles; see `ClassifierProcedure`."""
        vectors = loading.words(settings, networks.class_names)
        self._vectors = vectors.astype(np.float32)
        size = networks.network.get_layer(networks.features_layer).output.shape[-1]
        # Beside the seed of the network, whose first kernel would be drawn alike.
        seeds = np.random.SeedSequence([settings.run.seed, 1]).generate_state(2)
        self._image_head = word_heads.build_head(size, "image_head", seed=seeds[0])
        width = vectors.shape[1]
        self._word_head = word_heads.build_head(width, "word_head", seed=seeds[1])
        super().__init__(networks, settings)

    def _adversarial_outputs(
        self, given: Mapping[str, Any], masks: Mapping[str, Any]
    ) -> dict[str, Any]:
        joint = self.networks.joint()(given["adversarial"])
        words = _Constant(self._vectors)(joint["features"])
        return {
            ADVERSARIAL_LOGITS: joint["logits"],
            _CODES: self._image_head(joint["features"]),
            _WORDS: self._word_head(words),
        }

    def _paired(
        self, inputs: Any, outputs: Any, settings: Settings, options: dict[str, Any]
    ) -> StepCounter:
        chosen = settings.classifier
        return _ScarlModel(
            inputs,
            outputs,
            settings=chosen.scarl,
            vectors=self._vectors,
            kl_weight=chosen.kl_weight,
            **options,
        )

    def evaluate(
        self, images: data.Images, reference: data.Images, *, output_dir: Any, seed: int
    ) -> Metrics:
        """See `Procedure`; also measures the information, and writes the heads.

        Returns:
            What a classifier has, and `word_information`, the lower bound on the mutual
            information of images and words (nats).
        """
        found = super().evaluate(images, reference, output_dir=output_dir, seed=seed)
        words = self._word_head(self._vectors, training=False)
        heads = word_heads.cosines(self._image_head, words.numpy())
        word_heads.save(output_dir, heads)
        joint = self.networks.joint()
        codes = [
            self._image_head(joint(pixels, training=False)["features"], training=False)
            for pixels, _ in data.batches(images, _BATCH, shuffle=False)
        ]
        bound = objectives.word_information(
            tf.concat(codes, axis=0),
            words,
            images.labels,
            temperature=_temperature(self._settings.classifier.scarl),
        )
        return {**found, "word_information": float(bound)}


class _ScarlModel(PairedModel):
    """A functional model with the loss of SCARL."""

    answers = ADVERSARIAL_LOGITS

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        *,
        settings: Scarl,
        vectors: np.ndarray,
        **options: Any,
    ):
        super().__init__(inputs, outputs, **options)
        self._chosen, self._vectors = settings, vectors
        assert settings.ramp_up_steps is not None  # checked
        self._ramp_up_steps = settings.ramp_up_steps
        self._temperature = _temperature(settings)
        for name in (_MI, _STRUCT):
            self.terms[name] = keras.metrics.Mean(name)
        self.memory = self.add_weight(
            shape=(len(vectors), word_heads.WIDTH),
            initializer="zeros",
            trainable=False,
            name="memory",
            aggregation="mean",
        )

    def weighted(self, labels: tf.Tensor, outputs: Any) -> dict[str, tuple]:
        """Those of both images, of the information, and of the structure."""
        codes, words = (
            tf.math.l2_normalize(outputs[name], axis=1) for name in (_CODES, _WORDS)
        )
        ramp = self._ramp()
        structure = self._structure(codes, words, labels, ramp)
        return {
            **super().weighted(labels, outputs),
            _MI: (self._chosen.mi_weight, self._information(codes, words, labels)),
            _STRUCT: (self._chosen.struct_weight * ramp, structure),
        }

    def _ramp(self) -> tf.Tensor:
        """Of the steps before this one, which is counted already."""
        done = tf.cast(self.step.value - 1, tf.float32) / self._ramp_up_steps
        return objectives.gaussian_ramp_up(tf.minimum(done, 1.0))

    def _information(
        self, codes: tf.Tensor, words: tf.Tensor, labels: tf.Tensor
    ) -> tf.Tensor:
        of = objectives.word_nce if self._chosen.mi == "nce" else objectives.word_ba
        return tf.reduce_mean(of(codes, words, labels, temperature=self._temperature))

    def _structure(
        self, codes: tf.Tensor, words: tf.Tensor, labels: tf.Tensor, ramp: tf.Tensor
    ) -> tf.Tensor:
        student = objectives.class_means(codes, labels, len(self._vectors))
        if self._chosen.struct == "gram":
            return objectives.gram_structure(
                student.means, self._vectors, student.present
            )
        memory = objectives.update_class_memory(
            self.memory.value, words, student.present, ramp
        )
        self.memory.assign(memory)
        return objectives.rkd_structure(student.means, memory, student.present)


def _temperature(settings: Scarl) -> float:
    given = settings.mi_temperature
    return _TEMPERATURES[settings.mi] if given is None else given


class _Constant(keras.layers.Layer):
    """Gives an array, whatever it takes."""

    def __init__(self, values: np.ndarray):
        super().__init__(name="word_vectors")
        self._values = values

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.constant(self._values)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._values.shape
