"""The optimizers by name, as `--optimizer` chooses them."""

import keras

from tfsemae.training.settings import Optimizer


def make(settings: Optimizer) -> keras.optimizers.Optimizer:
    """Makes the optimizer of a run.

    Args:
        settings: of rates and options.

    Returns:
        One whose rate is `learning_rate * decay_rate**(update // decay_steps)`.
    """
    rate = keras.optimizers.schedules.ExponentialDecay(
        settings.learning_rate,
        decay_steps=settings.decay_steps,
        decay_rate=settings.decay_rate,
        staircase=True,
    )
    if settings.optimizer == "sgd":
        sgd = settings.sgd
        return keras.optimizers.SGD(
            rate, momentum=sgd.sgd_momentum, nesterov=sgd.sgd_nesterov
        )
    options = {}
    if settings.adam_epsilon is not None:
        options["epsilon"] = settings.adam_epsilon
    return keras.optimizers.Adam(rate, **options)
