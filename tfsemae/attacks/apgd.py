"""Projected gradient ascent that chooses its step sizes itself (APGD)."""

import math
from typing import Any, NamedTuple

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks import arguments, gradients, projections
from tfsemae.attacks.arguments import Seed
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.in_ball import InBall
from tfsemae.attacks.projections import Ball, Norm, choose, per_example
from tfsemae.attacks.result import AttackResult
from tfsemae.tensor_checks import TensorLike

_MOMENTUM = 0.75
_RISING = 0.75  # share of steps that must raise the objective
#: After these percentages of the steps, step sizes are looked at: differences shrink
#: from 22 by 3 to 6.
_CHECKPOINTS = (22, 41, 57, 70, 80, 87, 93, 99)
_STATIONARY = 0.01  # of epsilon


class APGD(InBall):
    """Maximises or minimises an objective in a ball, with a step size per example.

    With P the projection onto the ball and the bounds, g the gradient and v its sign
    (Linf) or its direction (L2), a step is:

        z = P(x_k + step_size * v_k)
        x_(k+1) = P(x_k + 0.75 (z - x_k) + 0.25 (x_k - x_(k-1)))

    A step size begins at 2 epsilon. At checkpoints it is halved, and the run goes on
    from its best point, where since the last checkpoint the objective rose in fewer
    than 75 % of the steps, or neither the step size nor the best value changed.

    The objective is a loss that grows as the network fails, such as the cross-entropy
    or `objectives.dlr` of its logits. As for the result, traces and what is owned, it
    is like `PGD`.

    Source: Croce and Hein 2020, "Reliable evaluation of adversarial robustness with an
    ensemble of diverse parameter-free attacks", Algorithm 1 and section 3.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import attacks, objectives
        >>> def classifier(points):  # logits of three classes
        ...     return points @ tf.constant([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
        >>> attack = attacks.APGD(
        ...     lambda points, labels: objectives.dlr(classifier(points), labels),
        ...     epsilon=0.25, bounds=(0, 1), steps=20,
        ... )
        >>> result = attack(tf.constant([[0.75, 0.25]]), tf.constant([0]))
        >>> result.adversarial.numpy().tolist(), bool(result.objective[0] >= 0)
        ([[0.5, 0.5]], True)
    """

    def __init__(
        self,
        objective: Objective,
        *,
        epsilon: TensorLike,
        norm: Norm = "linf",
        steps: TensorLike = 100,
        targeted: bool = False,
        bounds: tuple[float, float] | None = None,
        random_start: bool = True,
        restarts: int = 0,
        seed: Seed = (0, 0),
    ):
        """Configures an attack.

        Args:
            objective: `objective(points, *data)` of float32 `[B, ...]` gives floating
                `[B]`, each value from its own example only.
            epsilon: radius of the ball, in units of the space: a number, `[B]` or a
                variable of either, at least 0. At 0 the result is the start exactly.
            norm: of the ball, "linf" or "l2".
            steps: of each run, a number or a variable, at least 1.
            targeted: whether the objective, such as a distance to a target, is
                minimised.
            bounds: (low, high) of each number of a point, such as (0, 1) of pixels.
            random_start: whether the first run begins at a random point of the ball,
                as in `PGD`, or at the example.
            restarts: further runs, each from a random point of its own.
            seed: two integers, of the random points.

        Raises:
            ValueError: if an argument is out of its range.
        """
        arguments.choice("norm", norm, projections.NORMS)
        arguments.number("restarts", restarts, 0, integer=True)
        super().__init__(
            objective,
            epsilon=epsilon,
            steps=steps,
            targeted=targeted,
            bounds=bounds,
            seed=seed,
        )
        self._norm, self._sign = norm, -1.0 if targeted else 1.0
        self._random_start, self._runs = random_start, 1 + restarts

    def __call__(
        self,
        start: TensorLike,
        *data: Any,
        epsilon: TensorLike | None = None,
        steps: TensorLike | None = None,
        seed: Seed | None = None,
    ) -> AttackResult:
        """Attacks a batch.

        Args:
            start: floating `[B, ...]`, the examples, within the bounds.
            *data: further arguments of the objective, tensors or nests of them; what
                is floating becomes float32.
            epsilon: instead of that of the constructor.
            steps: instead of those of the constructor.
            seed: instead of that of the constructor; take another for each batch.

        Returns:
            See `AttackResult`. `converged` is whether the last step of the best run
            moved its point by at most 1 % of epsilon, in the norm of the ball.

        Raises:
            ValueError: if shapes, types or values do not fit, or the objective does
                not return `[B]` or has no gradient.
        """
        start = tensor_checks.examples("start", start)
        call = self._of_call(start, epsilon, steps, seed)
        return self._compiled(start, *call, arguments.tensors(data))

    def _attack(
        self,
        start: tf.Tensor,
        epsilon: tf.Tensor,
        steps: tf.Tensor,
        seed: tf.Tensor,
        data: tuple,
    ) -> AttackResult:
        ball = Ball(start, epsilon, self._norm, self._bounds)
        value = self._values(start, data)

        def attempt(run: tf.Tensor, best: _Found) -> tuple:
            displacement = ball.random(tf.random.fold_in(seed, run, alg="philox"))
            if not self._random_start:
                displacement = tf.where(run > 0, displacement, 0.0)
            found = self._run(displacement, ball, epsilon, steps, data)
            return run + 1, best.or_better(found)

        everywhere = tf.ones_like(epsilon, tf.bool)
        best = _Found(
            start, value, value > -math.inf, everywhere, tf.zeros_like(everywhere)
        )
        _, best = tf.while_loop(lambda run, _: run < self._runs, attempt, (0, best))
        value = tf.where(best.value > -math.inf, self._sign * best.value, math.nan)
        return AttackResult(
            tf.stop_gradient(best.point),
            tf.stop_gradient(value),
            tf.fill(tf.shape(epsilon), 1 + self._runs * (1 + steps)),
            best.settled,
            best.finite,
            best.flat,
        )

    def _run(
        self,
        displacement: tf.Tensor,
        ball: Ball,
        epsilon: tf.Tensor,
        steps: tf.Tensor,
        data: tuple,
    ) -> "_Found":
        """All steps from one displacement."""
        # Rounded up, in integers: 22 % of 100 steps are 22.
        checkpoints = (tf.constant(_CHECKPOINTS) * steps + 99) // 100

        def step(k: tf.Tensor, state: _State) -> tuple:
            point = ball.point(state.current)
            value, gradient = gradients.exact(self._objective, point, data)
            checkpoint = tf.reduce_any(checkpoints == k)
            state = state.seen(self._score(value), self._sign * gradient)
            return k + 1, self._moved(state.checked(k, checkpoint), ball, k)

        state = _State.at(displacement, 2.0 * epsilon)
        _, state = tf.while_loop(lambda k, _: k < steps, step, (0, state))
        point = ball.point(state.current)
        value = self._values(point, data)
        order = 2 if self._norm == "l2" else math.inf
        way = projections.norms(state.current - state.previous, order)
        best = ball.point(state.best)
        return _Found(
            choose(value > state.best_value, point, best),
            tf.maximum(value, state.best_value),
            state.finite & (value > -math.inf),
            state.flat,
            way <= _STATIONARY * epsilon,
        )

    def _moved(self, state: "_State", ball: Ball, k: tf.Tensor) -> "_State":
        """After a step from the current point along its gradient."""
        if self._norm == "linf":
            direction = tf.sign(state.gradient)
        else:
            direction = projections.unit(state.gradient)
        x = state.current
        ahead = ball.project(x + per_example(state.step_size, x) * direction)
        mixed = _MOMENTUM * (ahead - x) + (1.0 - _MOMENTUM) * (x - state.previous)
        # The first step has no direction to keep.
        after = tf.where(k > 0, ball.project(x + mixed), ahead)
        return state._replace(current=after, previous=x)

    def _values(self, points: tf.Tensor, data: tuple) -> tf.Tensor:
        return self._score(gradients.values(self._objective, points, data))

    def _score(self, value: tf.Tensor) -> tf.Tensor:
        """What is maximised; -infinity where it is not finite."""
        return tf.where(tf.math.is_finite(value), self._sign * value, -math.inf)


class _Found(NamedTuple):
    """The best point of some runs."""

    point: tf.Tensor  # `[B, ...]`
    value: tf.Tensor  # `[B]`, that is maximised
    finite: tf.Tensor  # bool `[B]`, whether all values and gradients were
    flat: tf.Tensor  # bool `[B]`, whether all gradients were zero
    settled: tf.Tensor  # bool `[B]`, whether the last step of its run was small

    def or_better(self, other: "_Found") -> "_Found":
        better = other.value > self.value
        return _Found(
            choose(better, other.point, self.point),
            tf.where(better, other.value, self.value),
            self.finite & other.finite,
            self.flat & other.flat,
            tf.where(better, other.settled, self.settled),
        )


class _State(NamedTuple):
    """A run, of which points are displacements; `[B, ...]` or `[B]`."""

    current: tf.Tensor
    previous: tf.Tensor
    gradient: tf.Tensor  # at the current point, of what is maximised
    value: tf.Tensor  # there
    best: tf.Tensor
    best_gradient: tf.Tensor
    best_value: tf.Tensor
    step_size: tf.Tensor
    rises: tf.Tensor  # steps since the last checkpoint that raised the value
    checkpoint: tf.Tensor  # the step of the last checkpoint, for all examples
    checkpoint_value: tf.Tensor  # the best value there
    halved: tf.Tensor  # bool, whether the step size was halved there
    finite: tf.Tensor  # bool
    flat: tf.Tensor  # bool

    @classmethod
    def at(cls, displacement: tf.Tensor, step_size: tf.Tensor) -> "_State":
        """Before any point was seen."""
        nothing = tf.fill(tf.shape(step_size), -math.inf)
        nothing = tf.ensure_shape(nothing, step_size.shape)
        yes = tf.ones_like(step_size, tf.bool)
        return cls(
            current=displacement,
            previous=displacement,
            gradient=tf.zeros_like(displacement),
            value=nothing,
            best=displacement,
            best_gradient=tf.zeros_like(displacement),
            best_value=nothing,
            step_size=step_size,
            rises=tf.zeros_like(step_size),
            checkpoint=tf.constant(0),
            checkpoint_value=nothing,
            halved=yes,  # before the first checkpoint nothing is compared
            finite=yes,
            flat=yes,
        )

    def seen(self, value: tf.Tensor, gradient: tf.Tensor) -> "_State":
        """With the value and the gradient at the current point."""
        gradient, whole, flat = gradients.examined(gradient)
        better = value > self.best_value
        rose = (value > self.value) & (self.value > -math.inf)
        return self._replace(
            gradient=gradient,
            value=value,
            best=choose(better, self.current, self.best),
            best_gradient=choose(better, gradient, self.best_gradient),
            best_value=tf.maximum(value, self.best_value),
            rises=self.rises + tf.cast(rose, tf.float32),
            finite=self.finite & whole & (value > -math.inf),
            flat=self.flat & flat,
        )

    def checked(self, k: tf.Tensor, checkpoint: tf.Tensor) -> "_State":
        """With smaller steps from the best point where they are due."""
        since = tf.cast(k - self.checkpoint, tf.float32)
        stalled = self.rises < _RISING * since
        stuck = ~self.halved & (self.best_value <= self.checkpoint_value)
        halve = checkpoint & (stalled | stuck)
        return self._replace(
            current=choose(halve, self.best, self.current),
            gradient=choose(halve, self.best_gradient, self.gradient),
            value=tf.where(halve, self.best_value, self.value),
            step_size=tf.where(halve, 0.5 * self.step_size, self.step_size),
            rises=tf.where(checkpoint, 0.0, self.rises),
            checkpoint=tf.where(checkpoint, k, self.checkpoint),
            checkpoint_value=tf.where(
                checkpoint, self.best_value, self.checkpoint_value
            ),
            halved=tf.where(checkpoint, halve, self.halved),
        )
