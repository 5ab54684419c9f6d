"""What attacks share that weigh an objective against the size of the distortion."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks import arguments, gradients, lbfgsb, projections
from tfsemae.attacks.arguments import Seed
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.lbfgsb import NON_FINITE, Minima, ValueAndGradients
from tfsemae.tensor_checks import TensorLike


class PenalizedResult(NamedTuple):
    """What an attack found, one entry per example: an `AttackResult`, and more."""

    adversarial: tf.Tensor  # `[B, ...]`, the minimum, else the start
    objective: tf.Tensor  # `[B]`, there, without the penalty; NaN: nowhere finite
    evaluations: tf.Tensor  # int32 `[B]`, of value and gradient
    converged: tf.Tensor  # bool `[B]`, whether status is 0
    finite: tf.Tensor  # bool `[B]`, whether all values and gradients were
    flat: tf.Tensor  # bool `[B]`, whether no gradient of the objective exceeded 1e-10
    minimum: tf.Tensor  # float64 `[B]`, objective and penalty, as the solver saw it
    status: tf.Tensor  # int32 `[B]`, of SciPy or `adam.ALL_STEPS`, or `NON_FINITE`
    iterations: tf.Tensor  # int32 `[B]`


class Solver(Protocol):
    """Minimises many functions in boxes at once."""

    batch_size: int

    def __call__(
        self,
        value_and_gradients: ValueAndGradients,
        start: npt.ArrayLike,
        *data: npt.ArrayLike,
        bounds: tuple[npt.ArrayLike, npt.ArrayLike],
    ) -> Minima:
        """See `BatchedLBFGSB`."""


class Problems(NamedTuple):
    """P problems, each to minimise over one point of N numbers."""

    start: tf.Tensor  # `[P, ...]`, the examples
    penalty: tf.Tensor  # float64 `[P]`
    data: tuple  # tensors of P rows, or shared
    begin: np.ndarray  # float64 `[P, N]`, within the box
    low: float  # of the box
    high: float


class PenalizedAttack:
    """Base of attacks that minimise `objective(a) + C * |a - x|_2^2` within a box."""

    _new_solver: Callable[..., Solver]  # of each attack

    def __init__(
        self,
        objective: Objective,
        *,
        penalty: TensorLike = 1.0,
        squared: bool = True,
        targeted: bool = True,
        bounds: tuple[float, float] | None = (0.0, 1.0),
        start_radius: float | None = None,
        dtype: str = "float32",
        seed: Seed = (0, 0),
        **options: Any,
    ):
        """Configures an attack.

        Args:
            objective: `objective(points, *data)` of `[B, ...]` gives floating `[B]`,
                each value from its own example only: a network runs as at inference,
                and draws no random numbers of its own.
            penalty: C, a number or `[B]`, at least 0.
            squared: whether the penalty is on the squared norm.
            targeted: whether the objective, a distance to a target, is minimised;
                otherwise its negative is.
            bounds: (low, high) of each number of a point, rounded to the type of the
                start; None for none.
            start_radius: a run begins at the example and uniform random numbers of at
                most this size, projected onto the box. By default 1e-8, as released;
                0.01 where the objective is maximised, since the gradient of a distance
                to the example vanishes there.
            dtype: of points and floating data that the objective gets, `float32` or
                `float64`.
            seed: two integers, of the random numbers.
            **options: of the solver; the class names them.

        Raises:
            ValueError: if an argument is out of its range.
        """
        solver = self._new_solver(**options)
        arguments.number("penalty", penalty, 0)
        arguments.bounds(bounds)
        arguments.choice("dtype", dtype, ("float32", "float64"))
        arguments.seed(seed)
        if start_radius is None:
            start_radius = 1e-8 if targeted else 0.01
        arguments.number("start_radius", start_radius, 0)
        self._objective, self._penalty, self._squared = objective, penalty, squared
        self._sign = 1 if targeted else -1
        self._bounds, self._seed, self._radius = bounds, seed, start_radius
        self._dtype, self._solver = tf.as_dtype(dtype), solver
        self._compiled = tf.function(  # as in InBall
            functools.partial(self._evaluate), autograph=False
        )

    def _problems(
        self,
        start: TensorLike,
        data: tuple,
        penalty: TensorLike | None,
        seed: Seed | None,
    ) -> Problems:
        """Checks the arguments of a call."""
        received = tf.convert_to_tensor(start)
        start = tensor_checks.examples("start", received, self._dtype)
        penalty = self._penalty if penalty is None else penalty
        penalty = tf.cast(arguments.of_examples("penalty", penalty, start), tf.float64)
        data = arguments.tensors(data, self._dtype)
        for tensor in tf.nest.flatten(data):
            _check_rows(tensor, start)
        example = flat_rows(start).numpy()
        bounds = self._bounds or (-math.inf, math.inf)
        low, high = tf.cast(tf.cast(bounds, received.dtype), tf.float64).numpy()
        lbfgsb.box(example, (low, high))
        noise = tf.random.stateless_uniform(
            start.shape,
            arguments.seed(self._seed if seed is None else seed),
            *(-self._radius, self._radius),
            tf.float64,
            alg="philox",
        )
        begin = np.clip(example + flat_rows(noise).numpy(), low, high)
        return Problems(start, penalty, data, begin, low, high)

    def __call__(
        self,
        start: TensorLike,
        *data: Any,
        penalty: TensorLike | None = None,
        seed: Seed | None = None,
    ) -> PenalizedResult:
        """Attacks a batch.

        Args:
            start: floating `[B, ...]`, the examples, within the bounds.
            *data: further arguments of the objective, tensors or nests of them: with a
                row per example, `[B, ...]`, or shared, `[]` or `[1, ...]`.
            penalty: instead of that of the constructor.
            seed: instead of that of the constructor; take another for each batch.

        Returns:
            See `PenalizedResult`; floating in `dtype`, unless it says another.

        Raises:
            ValueError: if shapes, types or values do not fit, the objective does not
                return `[B]` or has no gradient, or this runs inside a `tf.function`.
        """
        if not tf.executing_eagerly():
            raise ValueError(
                f"`{type(self).__name__}` runs its solver between evaluations; call it "
                "outside of tf.function. Received: a call inside of one."
            )
        problems = self._problems(start, data, penalty, seed)
        evaluate = self._traced(*problems[:3])
        steepest = np.zeros(len(problems.begin))

        def value_and_gradients(points: np.ndarray, rows: np.ndarray) -> tuple:
            total, gradient, _, steepness = evaluate(points, rows)
            steepest[rows] = np.fmax(steepest[rows], steepness)
            return total, gradient

        rows = np.arange(len(problems.begin), dtype=np.int32)
        box = problems.low, problems.high
        minima = self._solver(value_and_gradients, problems.begin, rows, bounds=box)
        return self._result(minima, evaluate, problems.start, box, steepest)

    def _traced(
        self, start: tf.Tensor, penalty: tf.Tensor, data: tuple
    ) -> Callable[[np.ndarray, np.ndarray], tuple]:
        """The compiled function, of points `[B, N]` and the rows of their examples."""
        everything = start, penalty, data

        def spec(tensor: tf.Tensor) -> tf.TensorSpec:
            # An unknown number of rows: one trace serves all batches.
            rows = [] if is_shared(tensor, start) else [None]
            return tf.TensorSpec(rows + tensor.shape[len(rows) :], tensor.dtype)

        function = self._compiled.get_concrete_function(
            tf.TensorSpec([None, start.shape[1:].num_elements()], tf.float64),
            tf.TensorSpec([None], tf.int32),
            *tf.nest.map_structure(spec, everything),
        )
        return lambda points, rows: function(
            tf.constant(points, tf.float64), tf.constant(rows, tf.int32), *everything
        )

    def _result(
        self,
        minima: Minima,
        evaluate: Callable[[np.ndarray, np.ndarray], tuple],
        start: tf.Tensor,
        bounds: tuple[float, float],
        steepest: np.ndarray,
    ) -> PenalizedResult:
        nowhere = np.isnan(minima.values)
        points = np.where(
            nowhere[:, np.newaxis], flat_rows(start).numpy(), minima.points
        )
        # As it is returned, in `dtype`.
        points = np.clip(points.astype(self._dtype.as_numpy_dtype), *bounds)
        values = np.full(len(points), math.nan)
        found = np.flatnonzero(~nowhere)
        for first in range(0, len(found), self._solver.batch_size):
            rows = found[first : first + self._solver.batch_size]
            values[rows] = evaluate(points[rows], rows)[2]
        return PenalizedResult(
            adversarial=tf.reshape(tf.cast(points, self._dtype), start.shape),
            objective=tf.cast(values, self._dtype),
            evaluations=tf.constant(minima.evaluations),
            converged=tf.constant(minima.status == 0),
            finite=tf.constant(minima.status != NON_FINITE),
            flat=tf.constant(steepest <= gradients.FLAT),
            minimum=tf.constant(minima.values),
            status=tf.constant(minima.status),
            iterations=tf.constant(minima.iterations),
        )

    def _evaluate(
        self,
        points: tf.Tensor,
        rows: tf.Tensor,
        start: tf.Tensor,
        penalty: tf.Tensor,
        data: tuple,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """What is minimised, its gradients, the objective, and norms of its gradient.

        Args:
            points: float64 `[B, N]`.
            rows: int32 `[B]`, the examples of the points.
            start: `[P, ...]`.
            penalty: float64 `[P]`.
            data: tensors of P rows, or shared.

        Returns:
            float64 `[B]`, `[B, N]`, `[B]` and `[B]`.
        """

        def of_points(tensor: tf.Tensor) -> tf.Tensor:
            shared = not tensor.shape.rank or tensor.shape[0] is not None
            return tensor if shared else tf.gather(tensor, rows)

        start, penalty, data = tf.nest.map_structure(of_points, (start, penalty, data))
        examples = tf.reshape(tf.cast(points, self._dtype), tf.shape(start))
        examples = tf.ensure_shape(examples, [None, *start.shape[1:]])
        value, gradient = gradients.exact(self._objective, examples, data)
        value, gradient = tf.cast(value, tf.float64), flat_rows(gradient)
        way = points - flat_rows(start)
        size = tf.reduce_sum(tf.square(way), axis=1)
        if self._squared:
            slope = 2 * way
        else:
            size = tf.sqrt(size)  # of no derivative at 0, where 0 is one of many
            slope = tf.math.divide_no_nan(way, size[:, tf.newaxis])
        return (
            self._sign * value + penalty * size,
            self._sign * gradient + penalty[:, tf.newaxis] * slope,
            value,
            projections.norms(gradient),
        )


def flat_rows(examples: tf.Tensor) -> tf.Tensor:
    """`[B, ...]` as float64 `[B, N]`."""
    size = examples.shape[1:].num_elements()
    return tf.cast(tf.reshape(examples, [-1, size]), tf.float64)


def is_shared(tensor: tf.Tensor, start: tf.Tensor) -> bool:
    """Whether data have one row for all examples."""
    return not tensor.shape.rank or (tensor.shape[0] == 1 and start.shape[0] != 1)


def _check_rows(tensor: tf.Tensor, start: tf.Tensor) -> None:
    if not is_shared(tensor, start) and tensor.shape[0] != start.shape[0]:
        raise ValueError(
            "`data` must have a row per example, or one for all; let the objective "
            f"close over other tensors. Received: data of the shape {tensor.shape} for "
            f"{start.shape[0]} examples."
        )
