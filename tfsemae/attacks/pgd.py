"""Projected gradient descent and ascent on any objective, in any space."""

import math
from typing import Any, Literal, NamedTuple

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks import arguments, gradients, projections
from tfsemae.attacks.arguments import Seed
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.in_ball import InBall
from tfsemae.attacks.projections import Ball, Norm
from tfsemae.attacks.result import AttackResult
from tfsemae.tensor_checks import TensorLike

_STATIONARY = 0.01  # of a step


class PGD(InBall):
    """Maximises or minimises an objective in a ball around each example.

    With g_k the gradient of the objective, negated where it is minimised, and P the L2
    projection onto the ball and the bounds, both at once, a step of a run is:

        v_k = g_k / max(|g_k|_2, 1e-10)   or   sign(g_k)
        x_(k+1) = P(x_k + step_size * v_k)

    With momentum, v_k is made of `m_k = momentum * m_(k-1) + g_k / |g_k|_1` instead of
    g_k. The result is the best of the example itself and of all points of all runs:
    more restarts are never worse, nor is an attack than none.

    The space is that of the objective: pixels, where it closes over an encoder, or
    latents, where it closes over a decoder. An object traces its objective once for
    all batches of one shape, once more for all other batch sizes, and never for
    another epsilon, number of steps or seed. It owns what it traced: networks are
    freed with it. AutoGraph is off; an objective with loops or branches over tensors
    takes `tf.while_loop` and `tf.cond`, or is a `tf.function`.

    Source: Madry et al. 2018, "Towards deep learning models resistant to adversarial
    attacks", section 2.1; Lu 2023, eqs. (4) to (6), with the L2 step; momentum from
    Dong et al. 2018, "Boosting adversarial attacks with momentum", eqs. (6) and (7).

    Example:
        >>> import keras
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> decoder = keras.Sequential(
        ...     [keras.Input((2,)), keras.layers.Rescaling([3.0, 1.0])]
        ... )
        >>> def damage(latent, clean):
        ...     return tf.reduce_sum((decoder(latent) - clean) ** 2, axis=1)
        >>> attack = attacks.PGD(damage, epsilon=0.5, restarts=9)
        >>> latent = tf.zeros([1, 2])
        >>> result = attack(latent, decoder(latent))
        >>> print(f"{result.objective[0]:.2f}")  # at most (3 * 0.5)**2
        2.25
        >>> weaker = attack(latent, decoder(latent), epsilon=0.1)
        >>> print(f"{weaker.objective[0]:.2f}")
        0.09
    """

    def __init__(
        self,
        objective: Objective,
        *,
        epsilon: TensorLike,
        norm: Norm = "l2",
        steps: TensorLike = 10,
        step_norm: Norm | None = None,
        step_size: TensorLike | None = None,
        path_length: float = 2.5,
        momentum: float = 0.0,
        targeted: bool = False,
        bounds: tuple[float, float] | None = None,
        random_start: bool | None = None,
        restarts: int = 0,
        gradient: Literal["exact", "finite_difference"] = "exact",
        width: float = 5e-3,
        directions: int | None = None,
        seed: Seed = (0, 0),
    ):
        """Configures an attack.

        Args:
            objective: `objective(points, *data)` of float32 `[B, ...]` gives floating
                `[B]`, each value from its own example only: a network runs as at
                inference.
            epsilon: radius of the ball, in units of the space: a number, `[B]` or a
                variable of either, at least 0. At 0 the result is the start exactly.
            norm: of the ball, "l2" or "linf".
            steps: of each run, a number or a variable, at least 1.
            step_norm: "l2" for a step along the gradient, "linf" for one along its
                sign; by default that of the ball.
            step_size: a number, `[B]` or a variable; by default
                `path_length * epsilon / steps`, with which more steps are finer and go
                no farther.
            path_length: of all steps of a run, in units of epsilon.
            momentum: share of the former direction that is kept, in [0, 1]; 0 is none.
            targeted: whether the objective, a distance to a target, is minimised.
            bounds: (low, high) of each number of a point, such as (0, 1) of pixels.
            random_start: whether the first run begins at a random point, otherwise at
                the example; by default where the objective is maximised, since the
                gradient of a distance to the example vanishes there. A random point
                has a uniform direction and a distance epsilon * U(0, 1) (L2), or is
                uniform in the ball (Linf).
            restarts: further runs, each from a random point of its own.
            gradient: "exact", or "finite_difference" of an objective that can only be
                evaluated; data then have a row per example or are shared, `[]` or
                `[1, ...]`.
            width: of finite differences, in units of the space: points lie that far
                from the iterate, also outside of the ball.
            directions: of finite differences, which take two values for each of them:
                so many random ones, orthonormal, other ones in each step and the same
                for all examples; None, or no fewer than the D numbers of an example,
                for the D axes.
            seed: two integers, of the random points and directions. Equal seeds give
                equal starts whatever epsilon, for batches of one shape; a call that XLA
                compiles draws other ones.

        Raises:
            ValueError: if an argument is out of its range.
        """
        arguments.choice("norm", norm, projections.NORMS)
        arguments.choice("step_norm", step_norm, (None, *projections.NORMS))
        arguments.choice("gradient", gradient, ("exact", "finite_difference"))
        arguments.number("step_size", 0 if step_size is None else step_size, 0)
        arguments.number("path_length", path_length, 0)
        arguments.number("momentum", momentum, 0, 1)
        arguments.number("restarts", restarts, 0, integer=True)
        arguments.number("width", width, 1e-6)
        if directions is not None:
            arguments.number("directions", directions, 1, integer=True)
        super().__init__(
            objective,
            epsilon=epsilon,
            steps=steps,
            targeted=targeted,
            bounds=bounds,
            seed=seed,
        )
        self._norm, self._momentum, self._restarts = norm, momentum, restarts
        self._step_norm, self._step_size = step_norm or norm, step_size
        self._path_length = path_length
        self._random_start = not targeted if random_start is None else random_start
        self._queried = gradient == "finite_difference"
        self._width, self._directions = width, directions

    def __call__(
        self,
        start: TensorLike,
        *data: Any,
        epsilon: TensorLike | None = None,
        steps: TensorLike | None = None,
        seed: Seed | None = None,
        initial: TensorLike | None = None,
    ) -> AttackResult:
        """Attacks a batch.

        Args:
            start: floating `[B, ...]`, the examples: images or latents, within the
                bounds, which is checked outside of a `tf.function` only.
            *data: further arguments of the objective, tensors or nests of them; what
                is floating becomes float32.
            epsilon: instead of that of the constructor.
            steps: instead of those of the constructor.
            seed: instead of that of the constructor; take another for each batch.
            initial: `[B, ...]` or `[S, B, ...]`, points at which one run or S runs
                begin, in place of the first run; restarts follow them. What lies
                outside of the ball is projected.

        Returns:
            See `AttackResult`. `converged` is whether the last step of the best run
            moved its point by at most 1 % of a step, as on the sphere where the
            gradient points outwards; with fixed steps a run does not settle at an
            optimum inside the ball.

        Raises:
            ValueError: if shapes, types or values do not fit, or the objective does
                not return `[B]` or has no gradient.
        """
        start = tensor_checks.examples("start", start)
        call = self._of_call(start, epsilon, steps, seed)
        if self._step_size is None:
            path = self._path_length * call.epsilon
            step_size = path / tf.cast(call.steps, tf.float32)
        else:
            step_size = arguments.of_examples("step_size", self._step_size, start)
        if initial is not None:
            initial = arguments.points_to_begin_at(initial, start)
        return self._compiled(
            start,
            call.epsilon,
            step_size,
            call.steps,
            call.seed,
            initial,
            arguments.tensors(data),
        )

    def _attack(
        self,
        start: tf.Tensor,
        epsilon: tf.Tensor,
        step_size: tf.Tensor,
        steps: tf.Tensor,
        seed: tf.Tensor,
        initial: tf.Tensor | None,
        data: tuple,
    ) -> AttackResult:
        ball = Ball(start, epsilon, self._norm, self._bounds)
        all_examples = tf.ones_like(epsilon, tf.bool)
        nothing = tf.fill(tf.shape(epsilon), -math.inf)
        best, evaluations = _Best(start, nothing, all_examples, all_examples), 0
        draws = self._restarts
        if initial is not None or self._random_start:
            value = gradients.values(self._objective, start, data)
            best, evaluations = best.seen(start, self._signed(value)), 1
            draws += initial is None
        else:  # the start is the first point of the first run
            initial = start[tf.newaxis]
        given = 0 if initial is None else tf.shape(initial)[0]

        def drawn(run: tf.Tensor) -> tf.Tensor:
            return ball.random(tf.random.fold_in(seed, run - given, alg="philox"))

        def begin(run: tf.Tensor) -> tf.Tensor:
            if initial is None:
                return drawn(run)
            return tf.cond(
                run < given,
                lambda: ball.project(initial[run] - start),
                lambda: drawn(run),
            )

        def attempt(run: tf.Tensor, best: _Best, converged: tf.Tensor) -> tuple:
            of_run = tf.random.fold_in(seed, runs + run, alg="philox")
            found, settled = self._run(
                begin(run), best, ball, step_size, steps, of_run, data
            )
            better = found.value > best.value
            return run + 1, found, tf.where(better, settled, converged)

        runs = given + draws
        _, best, converged = tf.while_loop(
            lambda run, *_: run < runs, attempt, (0, best, tf.zeros_like(best.finite))
        )
        each = 1 + steps * (1 + self._queries(start))
        value = self._signed(best.value)
        value = tf.where(tf.math.is_finite(value), value, math.nan)
        return AttackResult(
            best.point,
            tf.stop_gradient(value),
            tf.fill(tf.shape(epsilon), evaluations + runs * each),
            converged,
            best.finite,
            best.flat,
        )

    def _run(
        self,
        displacement: tf.Tensor,
        best: "_Best",
        ball: Ball,
        step_size: tf.Tensor,
        steps: tf.Tensor,
        seed: tf.Tensor,
        data: tuple,
    ) -> tuple["_Best", tf.Tensor]:
        """All steps from one displacement; whether the last of them moved nothing."""

        def step(
            k: tf.Tensor,
            displacement: tf.Tensor,
            velocity: tf.Tensor,
            best: _Best,
            _: tf.Tensor,
        ) -> tuple:
            point = ball.point(displacement)
            value, gradient = self._gradient(point, data, seed, k)
            best = best.seen(point, self._signed(value), gradient)
            gradient = self._signed(gradients.examined(gradient)[0])
            velocity, direction = self._direction(velocity, gradient)
            moved = projections.per_example(step_size, direction) * direction
            after = ball.project(displacement + moved)
            length = projections.norms(direction)
            settled = projections.norms(after - displacement) <= (
                _STATIONARY * step_size * length
            )
            return k + 1, after, velocity, best, settled & (length > 0)

        none = tf.zeros_like(best.finite)
        velocity = tf.zeros_like(displacement) if self._momentum else tf.zeros([])
        _, displacement, _, best, settled = tf.while_loop(
            lambda k, *_: k < steps, step, (0, displacement, velocity, best, none)
        )
        point = ball.point(displacement)
        value = gradients.values(self._objective, point, data)
        return best.seen(point, self._signed(value)), settled

    def _gradient(
        self, point: tf.Tensor, data: tuple, seed: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Values and gradients, of which differences may take random directions."""
        if not self._queried:
            return gradients.exact(self._objective, point, data)
        count, directions = self._random_directions(point), None
        if count is not None:
            directions = gradients.random_directions(
                count,
                tf.reduce_prod(tf.shape(point)[1:]),
                tf.random.fold_in(seed, step, alg="philox"),
            )
        return gradients.central_differences(
            self._objective,
            point,
            data,
            width=self._width,
            directions=directions,
            bounds=self._bounds,
        )

    def _random_directions(self, start: tf.Tensor) -> int | None:
        """How many differences are taken along; None for all axes."""
        size = start.shape[1:].num_elements()
        wanted = self._directions
        if wanted is None or (size is not None and wanted >= size):
            return None
        return wanted

    def _queries(self, start: tf.Tensor) -> tf.Tensor | int:
        """Values of a step for its gradient."""
        if not self._queried:
            return 0
        size = tf.reduce_prod(tf.shape(start)[1:])
        count = self._random_directions(start)
        return 2 * (size if count is None else tf.minimum(count, size))

    def _direction(
        self, velocity: tf.Tensor, gradient: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if self._momentum:
            gradient = self._momentum * velocity + projections.unit(gradient, order=1)
            velocity = gradient
        if self._step_norm == "linf":
            return velocity, tf.sign(gradient)
        return velocity, projections.unit(gradient)

    def _signed(self, value: tf.Tensor) -> tf.Tensor:
        """What is maximised, of the objective, and the other way round."""
        return -value if self._targeted else value


class _Best(NamedTuple):
    """The best point so far, and what was seen on the way to it."""

    point: tf.Tensor  # `[B, ...]`
    value: tf.Tensor  # `[B]`, that is maximised; -infinity before any is finite
    finite: tf.Tensor  # bool `[B]`, whether all values and gradients were
    flat: tf.Tensor  # bool `[B]`, whether all gradients were zero

    def seen(
        self, point: tf.Tensor, value: tf.Tensor, gradient: tf.Tensor | None = None
    ) -> "_Best":
        """After one more point."""
        valid = tf.math.is_finite(value)
        better = valid & (value > self.value)
        finite, flat = self.finite & valid, self.flat
        if gradient is not None:
            _, whole, nothing = gradients.examined(gradient)
            finite, flat = finite & whole, flat & nothing
        return _Best(
            projections.choose(better, point, self.point),
            tf.where(better, value, self.value),
            finite,
            flat,
        )
