"""The optimizers by name, as `--optimizer` chooses them."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from tfsemae.training.settings import Optimizer


def make(settings: Optimizer) -> keras.optimizers.Optimizer:
    """Makes the optimizer of a run.

    Args:
        settings: of rates, limits and options.

    Returns:
        One whose rate is that of `rate`. It scales gradients down to
        `global_clipnorm`, an L2 norm of all together, adds `weight_decay` times the
        weights, then clips each entry to +-`clipvalue`; Keras' own clip in one way
        only, and subtract the weights from themselves, beside momentum and moments.
    """
    options: dict[str, Any] = {"clipvalue": settings.clipvalue}
    if settings.optimizer == "sgd":
        sgd = settings.sgd
        options |= {"momentum": sgd.sgd_momentum, "nesterov": sgd.sgd_nesterov}
        kind, changed = keras.optimizers.SGD, _ChangedSGD
    else:
        if settings.adam_beta_1 is not None:
            options["beta_1"] = settings.adam_beta_1
        if settings.adam_epsilon is not None:
            options["epsilon"] = settings.adam_epsilon
        kind, changed = keras.optimizers.Adam, _ChangedAdam
    if settings.global_clipnorm is None and not settings.weight_decay:
        return kind(rate(settings), **options)
    name = kind.__name__.lower()  # Keras takes none that begins with _
    made = changed(rate(settings), name=name, **options)
    made.change(settings.global_clipnorm, settings.weight_decay)
    return made


def rate(settings: Optimizer) -> keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate as a function of the number of updates before.

    Args:
        settings: of rates.

    Returns:
        `learning_rate * decay_rate**k`, where k is `update // decay_steps` or, with
        `decay_at`, the number of these that have been reached; with `cosine_steps`
        `learning_rate * (1 + cos(pi * update / cosine_steps)) / 2`, then 0.
    """
    schedules, first = keras.optimizers.schedules, settings.learning_rate
    if settings.cosine_steps is not None:
        return schedules.CosineDecay(first, settings.cosine_steps)
    boundaries = settings.decay_boundaries()
    if boundaries:
        # Keras has a boundary itself still at the rate before it.
        return schedules.PiecewiseConstantDecay(
            [step - 1 for step in boundaries],
            [first * settings.decay_rate**k for k in range(len(boundaries) + 1)],
        )
    return schedules.ExponentialDecay(
        first,
        decay_steps=settings.decay_steps,
        decay_rate=settings.decay_rate,
        staircase=True,
    )


class _Changed:
    """Before all else, scales gradients down to a global norm, and adds weights."""

    _norm: float | None = None
    _decay: float | None = None

    def change(self, norm: float | None, decay: float | None) -> None:
        self._norm, self._decay = norm, decay

    def apply(
        self,
        grads: Iterable[tf.Tensor | None],
        trainable_variables: Iterable[keras.Variable] | None = None,
    ) -> None:
        changed = list(grads)
        if self._norm is not None:
            changed, _ = tf.clip_by_global_norm(changed, self._norm)
        if self._decay:
            known: Any = self
            weights = list(trainable_variables or known._trainable_variables)
            changed = [
                None if each is None else each + self._decay * tf.convert_to_tensor(w)
                for each, w in zip(changed, weights, strict=True)
            ]
            trainable_variables = weights
        super().apply(changed, trainable_variables)  # type: ignore[misc]


class _ChangedAdam(_Changed, keras.optimizers.Adam):
    pass


class _ChangedSGD(_Changed, keras.optimizers.SGD):
    pass
