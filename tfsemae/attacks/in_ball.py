"""What attacks within a ball have in common: their configuration and their call."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfsemae.attacks import arguments
from tfsemae.attacks.arguments import Seed
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.result import AttackResult
from tfsemae.tensor_checks import TensorLike


class Call(NamedTuple):
    """Arguments of one call, checked."""

    epsilon: tf.Tensor  # float32 `[B]`
    steps: tf.Tensor  # int32, a number
    seed: tf.Tensor  # int64 `[2]`


class InBall:
    """An attack that owns its compiled function `_attack`."""

    _attack: Callable[..., AttackResult]

    def __init__(
        self,
        objective: Objective,
        *,
        epsilon: TensorLike,
        steps: TensorLike,
        targeted: bool,
        bounds: tuple[float, float] | None,
        seed: Seed,
    ):
        """Takes what all have; `PGD` describes it.

        Raises:
            ValueError: if an argument is out of its range.
        """
        arguments.number("epsilon", epsilon, 0)
        arguments.number("steps", steps, 1, integer=True)
        arguments.bounds(bounds)
        arguments.seed(seed)
        self._objective, self._targeted = objective, targeted
        self._epsilon, self._steps = epsilon, steps
        self._bounds, self._seed = bounds, seed
        # AutoGraph would make many lines of an error. A partial function, since
        # TensorFlow counts the traces of a method over all objects, and would warn.
        self._compiled = tf.function(
            functools.partial(self._attack), autograph=False, reduce_retracing=True
        )

    def _of_call(
        self,
        start: tf.Tensor,
        epsilon: TensorLike | None,
        steps: TensorLike | None,
        seed: Seed | None,
    ) -> Call:
        """The arguments of a call, in place of which are those of the constructor.

        Args:
            start: `[B, ...]`.
            epsilon: see `PGD`.
            steps: see `PGD`.
            seed: see `PGD`.

        Raises:
            ValueError: if one is out of its range, or the start out of the bounds.
        """
        epsilon = self._epsilon if epsilon is None else epsilon
        steps = self._steps if steps is None else steps
        arguments.number("steps", steps, 1, integer=True)
        arguments.within(start, self._bounds)
        return Call(
            arguments.of_examples("epsilon", epsilon, start),
            tf.cast(steps, tf.int32),
            arguments.seed(self._seed if seed is None else seed),
        )
