"""Adversarial training of classifiers: images that the step itself attacks."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tfsemae import data, objectives
from tfsemae.training import dropout
from tfsemae.training.procedures import inner_attack
from tfsemae.training.procedures.classifier import ClassifierProcedure
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import Settings

_IMAGE, _ADVERSARIAL = "image", "adversarial"
#: Outputs of a model that takes both.
LOGITS, ADVERSARIAL_LOGITS = "logits", "adversarial_logits"
_KL = "kl"


class AdversarialProcedure(ClassifierProcedure):
    """Training on adversarial images that each step makes.

    Of `fgsm` and `pgd` the cross-entropy is that of the adversarial images alone:

        CE(f(x'), y)

    Of `trades` the images x and the adversarial ones x' pass the network one after the
    other, both as in training; gradients flow to both arguments of the divergence:

        CE(f(x), y) + kl_weight * KL(p(x) || p(x'))

    Accuracy and cross-entropy of the log are those of the images that the loss takes
    them from, of the held-out images those of clean ones.

    The attack is `inner_attack.make`, its random numbers are a function of (seed,
    step). It takes the best point of its steps, where the sources take the last one.

    Source: Madry et al. 2018; Wong et al. 2020; Zhang et al. 2019, eq. (5).
    """

    def _functional(self, inputs: Any, logits: Any, settings: Settings) -> StepCounter:
        network, chosen = self.networks.network, settings.classifier
        attack = inner_attack.make(
            lambda images: network(images, training=False), chosen
        )
        options: dict[str, Any] = {"attack": attack, "seed": settings.run.seed}
        if chosen.procedure in ("fgsm", "pgd"):
            return AdversarialModel(inputs, logits, **options)
        given = dict(inputs) if isinstance(inputs, dict) else {_IMAGE: inputs}
        masks = {name: each for name, each in given.items() if name != _IMAGE}
        given[_ADVERSARIAL] = keras.Input(self.networks.image_shape, name=_ADVERSARIAL)
        outputs = {LOGITS: logits, **self._adversarial_outputs(given, masks)}
        return self._paired(given, outputs, settings, options)

    def _adversarial_outputs(
        self, given: Mapping[str, Any], masks: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Name -> output of the adversarial images."""
        network = self.networks.network
        return {ADVERSARIAL_LOGITS: dropout.apply(network, given[_ADVERSARIAL], masks)}

    def _paired(
        self, inputs: Any, outputs: Any, settings: Settings, options: dict[str, Any]
    ) -> StepCounter:
        """The model of images and adversarial ones."""
        return PairedModel(
            inputs, outputs, kl_weight=settings.classifier.kl_weight, **options
        )

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """See `Procedure`."""
        found = super().batches(
            images, batch_size=batch_size, seed=seed, start_step=start_step
        )
        return self._with_adversarial(found)

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """See `Procedure`."""
        return self._with_adversarial(super().held_out(images, batch_size))

    def _with_adversarial(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Adds the images themselves, in whose place a step puts adversarial ones."""
        if not isinstance(self.model, PairedModel):
            return batches

        def paired(inputs: Any, labels: tf.Tensor) -> tuple:
            given = inputs if isinstance(inputs, dict) else {_IMAGE: inputs}
            return {**given, _ADVERSARIAL: given[_IMAGE]}, labels

        return batches.map(paired)


class AdversarialModel(StepCounter):
    """A functional model whose steps take adversarial images instead of images."""

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        *,
        attack: inner_attack.InnerAttack,
        seed: int,
    ):
        """Takes the ends of the model, its attack, and the seed of the run."""
        super().__init__(inputs, outputs, name="classifier")
        self._attack, self._seed = attack, seed

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Attacks the images of a batch, and does a step of Keras."""
        inputs, labels = data
        images = inputs[_IMAGE] if isinstance(inputs, dict) else inputs
        seed = tf.stack([tf.constant(self._seed, tf.int64), self.step.value])
        # Beside those of the augmentation, which begin with the same two numbers.
        seed = tf.random.fold_in(seed, tf.constant(1, tf.int64))
        moved = tf.stop_gradient(self._attack(images, labels, seed))
        return super().train_step((self._changed(inputs, moved), labels))

    def _changed(self, inputs: Any, moved: tf.Tensor) -> Any:
        return {**inputs, _IMAGE: moved} if isinstance(inputs, dict) else moved


class PairedModel(AdversarialModel):
    """A functional model of images and adversarial ones, with a loss of both."""

    #: Output of whose logits cross-entropy and accuracy are.
    answers = LOGITS

    def __init__(self, inputs: Any, outputs: Any, *, kl_weight: float, **options: Any):
        """Takes the weight of the divergence, and options of `AdversarialModel`."""
        super().__init__(inputs, outputs, **options)
        self._kl_weight = kl_weight
        self.terms = {_KL: keras.metrics.Mean(_KL)}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The loss of a batch; of held-out images the cross-entropy."""
        logits = y_pred[self.answers if training else LOGITS]
        total = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        )
        if not training:
            return total
        for name, (weight, value) in self.weighted(y, y_pred).items():
            self.terms[name].update_state(value)
            total += weight * value
        return total

    def weighted(self, labels: tf.Tensor, outputs: Any) -> dict[str, tuple]:
        """Name -> weight and value of the terms beside the cross-entropy."""
        divergence = objectives.kl_of_logits(
            outputs[LOGITS], outputs[ADVERSARIAL_LOGITS]
        )
        return {_KL: (self._kl_weight, tf.reduce_mean(divergence))}

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, tf.Tensor]:
        """Accuracy of the images whose cross-entropy is taken, and the terms."""
        return super().compute_metrics(x, y, y_pred[self.answers], sample_weight)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Measures images as they are; nothing is attacked."""
        logs = super().test_step(data)
        return {name: value for name, value in logs.items() if name not in self.terms}

    def _changed(self, inputs: Any, moved: tf.Tensor) -> Any:
        return {**inputs, _ADVERSARIAL: moved}
