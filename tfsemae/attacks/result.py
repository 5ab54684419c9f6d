"""What every iterative attack returns."""

from typing import NamedTuple

import tensorflow as tf


class AttackResult(NamedTuple):
    """What an attack found; one entry per example, constants to a gradient tape."""

    adversarial: tf.Tensor  # float32 `[B, ...]`, the best point, else the start
    objective: tf.Tensor  # float32 `[B]`, there; NaN where it was nowhere finite
    evaluations: tf.Tensor  # int32 `[B]`, values computed; exact gradients add none
    converged: tf.Tensor  # bool `[B]`, as the attack defines it
    finite: tf.Tensor  # bool `[B]`, whether all values and gradients were
    flat: tf.Tensor  # bool `[B]`, whether no gradient had a norm above 1e-10
