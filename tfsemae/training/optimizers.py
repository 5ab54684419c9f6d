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
        One whose rate is `learning_rate * decay_rate**(update // decay_steps)`. It
        scales gradients down to `global_clipnorm`, an L2 norm of all together, then
        clips each entry to +-`clipvalue`; Keras' own do one of both.
    """
    rate = keras.optimizers.schedules.ExponentialDecay(
        settings.learning_rate,
        decay_steps=settings.decay_steps,
        decay_rate=settings.decay_rate,
        staircase=True,
    )
    options: dict[str, Any] = {"clipvalue": settings.clipvalue}
    if settings.optimizer == "sgd":
        sgd = settings.sgd
        options |= {"momentum": sgd.sgd_momentum, "nesterov": sgd.sgd_nesterov}
        kind, scaled = keras.optimizers.SGD, _ScaledSGD
    else:
        if settings.adam_beta_1 is not None:
            options["beta_1"] = settings.adam_beta_1
        if settings.adam_epsilon is not None:
            options["epsilon"] = settings.adam_epsilon
        kind, scaled = keras.optimizers.Adam, _ScaledAdam
    if settings.global_clipnorm is None:
        return kind(rate, **options)
    name = kind.__name__.lower()  # Keras takes none that begins with _
    return scaled(settings.global_clipnorm, rate, name=name, **options)


class _Scaled:
    """Before all else, scales gradients down to a global norm."""

    def __init__(self, norm: float, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self._norm = norm

    def apply(
        self,
        grads: Iterable[tf.Tensor | None],
        trainable_variables: Iterable[keras.Variable] | None = None,
    ) -> None:
        scaled, _ = tf.clip_by_global_norm(list(grads), self._norm)
        super().apply(scaled, trainable_variables)  # type: ignore[misc]


class _ScaledAdam(_Scaled, keras.optimizers.Adam):
    pass


class _ScaledSGD(_Scaled, keras.optimizers.SGD):
    pass
