"""Top singular vectors of a network's Jacobian, and attacks that begin along them."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks import arguments
from tfsemae.attacks.arguments import Seed
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.pgd import PGD
from tfsemae.attacks.projections import per_example, unit
from tfsemae.attacks.result import AttackResult
from tfsemae.tensor_checks import TensorLike


class SingularTriplets(NamedTuple):
    """Of a Jacobian J per example: `J right_k = values_k * left_k`; all float32."""

    values: tf.Tensor  # `[B, K]`, descending; NaN where J is not finite
    right: tf.Tensor  # `[B, K, ...]` of the points, orthonormal, of arbitrary sign
    left: tf.Tensor  # `[B, K, ...]` of the outputs, orthonormal
    residuals: tf.Tensor  # `[B, K]`, |J^T left_k - values_k * right_k|_2 / values_1


class SingularVectors:
    """Estimates the directions that a network stretches most.

    Subspace iteration on J^T J, for all examples at once: from K random orthonormal
    vectors V, a step is `V <- orth(J^T J V)`, one product with J forwards and one with
    J^T backwards; J itself is never made. The estimates are the singular values of
    J V at the end. The error of vector k shrinks with n iterations like
    `(s_(K+1) / s_k)**(2 n)`, that of its value like the square of this. With K the
    number of columns of J there is none after one.

    They are those of J at a point. Where the network is not linear, they tell what a
    small step does, and are no bound on what a longer one does.

    Source: Golub & Van Loan, "Matrix computations", 4th edition, section 8.2.4
    (orthogonal iteration).

    Example:
        >>> import keras
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> decoder = keras.Sequential(
        ...     [keras.Input((2,)), keras.layers.Rescaling([3.0, 1.0])]
        ... )
        >>> top = attacks.SingularVectors(decoder)(tf.zeros([1, 2]))
        >>> print(f"{top.values[0, 0]:.3f}, {abs(top.right[0, 0, 0]):.3f}")
        3.000, 1.000
    """

    def __init__(
        self,
        network: Callable[[tf.Tensor], tf.Tensor],
        *,
        count: int = 1,
        iterations: TensorLike = 30,
        seed: Seed = (0, 0),
    ):
        """Configures an estimate.

        Args:
            network: of float32 `[B, ...]` one floating tensor `[B, ...]`, as a decoder
                or an encoder does, each output from its own example only.
            count: K, at most as many as an example or an output has numbers.
            iterations: a number or a variable, at least 1.
            seed: two integers, of the first vectors, which all examples share: an
                estimate does not depend on its batch.

        Raises:
            ValueError: if an argument is out of its range.
        """
        arguments.number("count", count, 1, integer=True)
        arguments.number("iterations", iterations, 1, integer=True)
        arguments.seed(seed)
        self._network, self._count = network, count
        self._iterations, self._seed = iterations, seed
        self._compiled = tf.function(  # as in InBall
            functools.partial(self._estimate), autograph=False, reduce_retracing=True
        )

    def __call__(self, points: TensorLike) -> SingularTriplets:
        """Estimates them at a batch of points.

        Args:
            points: floating `[B, ...]`, latents of a decoder or images of an encoder,
                each of a known number of numbers.

        Returns:
            See `SingularTriplets`. Of each estimate, a singular value of J lies within
            `residuals * values[:, :1]`.

        Raises:
            ValueError: if shapes or types do not fit, or the network's output does not
                depend on the points.
        """
        points = tensor_checks.examples("points", points)
        iterations = tf.cast(self._iterations, tf.int32)
        return self._compiled(points, iterations, arguments.seed(self._seed))

    def _estimate(
        self, points: tf.Tensor, iterations: tf.Tensor, seed: tf.Tensor
    ) -> SingularTriplets:
        size = _size("points", points, self._count)
        normal = tf.random.stateless_normal([size, self._count], seed, alg="philox")
        basis = tf.tile(_orthonormal(normal)[tf.newaxis], [tf.shape(points)[0], 1, 1])

        def iterate(step: tf.Tensor, basis: tf.Tensor) -> tuple:
            images, transposed, _ = self._products(points, basis)
            back = transposed(_scaled(images, axis=1)[0])
            back = tf.where(tf.math.is_finite(back), back, 0.0)
            return step + 1, tf.ensure_shape(_orthonormal(back), basis.shape)

        _, basis = tf.while_loop(lambda step, _: step < iterations, iterate, (0, basis))
        images, transposed, outputs = self._products(points, basis)
        finite = tf.reduce_all(tf.math.is_finite(images), axis=[1, 2])
        images = tf.where(per_example(finite, images), images, 0.0)
        images, largest = _scaled(images, axis=[1, 2])
        values, left, rotation = tf.linalg.svd(images, full_matrices=False)
        values *= largest[:, 0]
        right = basis @ rotation
        off = tf.norm(transposed(left) - values[:, tf.newaxis] * right, axis=1)
        off = tf.math.divide_no_nan(off, values[:, :1])
        return SingularTriplets(
            tf.where(finite[:, tf.newaxis], values, math.nan),
            _vectors(right, points),
            _vectors(left, outputs),
            tf.where(finite[:, tf.newaxis], off, math.nan),
        )

    def _products(
        self, points: tf.Tensor, basis: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor], tf.Tensor]:
        """Multiplies with the Jacobians, each K times at each point.

        Args:
            points: `[B, ...]`.
            basis: `[B, D, K]`.

        Returns:
            `J basis`, `[B, M, K]`; a function that multiplies such ones with J^T, once;
            the outputs, `[B * K, ...]`.
        """
        repeated = tf.repeat(points, self._count, axis=0)
        tangents = tf.reshape(tf.linalg.matrix_transpose(basis), tf.shape(repeated))
        with (
            tf.GradientTape(watch_accessed_variables=False) as tape,
            tf.autodiff.ForwardAccumulator(repeated, tangents) as accumulator,
        ):
            tape.watch(repeated)
            outputs = self._network(repeated)
            if not tf.is_tensor(outputs) or not outputs.dtype.is_floating:
                raise ValueError(
                    "`network` must return one floating tensor [B, ...]. "
                    f"Received: {outputs!r:.80}."
                )
            outputs = tf.cast(outputs, tf.float32)
        images = accumulator.jvp(outputs)
        if images is None:
            raise ValueError(
                "`network` must be differentiable in the points. "
                "Received: outputs that do not depend on them."
            )

        def transposed(vectors: tf.Tensor) -> tf.Tensor:
            cotangents = tf.reshape(
                tf.linalg.matrix_transpose(vectors), tf.shape(outputs)
            )
            found = tape.gradient(outputs, repeated, output_gradients=cotangents)
            return self._columns(found, points)

        return self._columns(images, points), transposed, outputs

    def _columns(self, found: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
        """Vectors `[B * K, ...]` as `[B, D, K]`."""
        size = _size("outputs", found, self._count)
        found = tf.reshape(found, [-1, self._count, size])
        found = tf.linalg.matrix_transpose(found)
        return tf.ensure_shape(found, [points.shape[0], size, self._count])


class StrongPGD(PGD):
    """PGD that also begins along the directions which a network stretches most.

    Runs begin at `start + epsilon * right_1` and `start - epsilon * right_1`, with
    right_1 the top right singular vector of the network's Jacobian at the start, and
    then at random points; the best of all counts. The run of `PGD` without restarts, of
    the same seed, is among them: this attack is never the weaker one. What it gains
    tells how far the plain attack is from the worst of the ball.

    Example:
        >>> import keras
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> decoder = keras.Sequential(
        ...     [keras.Input((2,)), keras.layers.Rescaling([3.0, 1.0])]
        ... )
        >>> def damage(latent, clean):
        ...     return tf.reduce_sum((decoder(latent) - clean) ** 2, axis=1)
        >>> attack = attacks.StrongPGD(damage, decoder, epsilon=0.5)
        >>> latent = tf.zeros([1, 2])
        >>> print(f"{attack(latent, decoder(latent)).objective[0]:.4f}")
        2.2500
    """

    def __init__(
        self,
        objective: Objective,
        network: Callable[[tf.Tensor], tf.Tensor],
        *,
        epsilon: TensorLike,
        restarts: int = 5,
        iterations: int = 10,
        **options: Any,
    ):
        """Configures an attack.

        Args:
            objective: see `PGD`.
            network: see `SingularVectors`; what the objective looks through, from the
                attacked space.
            epsilon: see `PGD`.
            restarts: runs that begin at random.
            iterations: of the singular vectors, see `SingularVectors`.
            **options: further ones of `PGD`.

        Raises:
            ValueError: if an argument is out of its range.
        """
        super().__init__(objective, epsilon=epsilon, restarts=restarts, **options)
        self._singular = SingularVectors(network, iterations=iterations)

    def __call__(
        self,
        start: TensorLike,
        *data: Any,
        epsilon: TensorLike | None = None,
        steps: TensorLike | None = None,
        seed: Seed | None = None,
        initial: TensorLike | None = None,
        direction: TensorLike | None = None,
    ) -> AttackResult:
        """Attacks a batch.

        Args:
            start: see `PGD`.
            *data: see `PGD`.
            epsilon: see `PGD`.
            steps: see `PGD`.
            seed: see `PGD`.
            initial: further points at which runs begin.
            direction: floating `[B, ...]`, `SingularTriplets.right[:, 0]` where it is
                known, to attack the same points again with another epsilon.

        Returns:
            See `PGD`; evaluations of the network for singular vectors are not counted.

        Raises:
            ValueError: as `PGD` and `SingularVectors`.
        """
        start = tensor_checks.examples("start", start)
        if direction is None:
            direction = self._singular(start).right[:, 0]
        direction = tensor_checks.examples("direction", direction)
        if not direction.shape.is_compatible_with(start.shape):
            raise ValueError(
                "`direction` must have the shape of `start`. Received: "
                f"direction.shape={direction.shape}, start.shape={start.shape}."
            )
        radii = self._epsilon if epsilon is None else epsilon
        radii = arguments.of_examples("epsilon", radii, start)
        # To the surface of the ball: a corner of that of Linf.
        far = tf.sign(direction) if self._norm == "linf" else unit(direction)
        far *= per_example(radii, start)
        begin = [start + far, start - far]
        if not self._random_start:
            begin.append(start)
        points = tf.stack(begin)
        if initial is not None:
            more = arguments.points_to_begin_at(initial, start)
            points = tf.concat([points, more], axis=0)
        return super().__call__(
            start, *data, epsilon=radii, steps=steps, seed=seed, initial=points
        )


def _size(what: str, tensor: tf.Tensor, count: int) -> int:
    """How many numbers an example has."""
    size = tensor.shape[1:].num_elements()
    if size is None:
        raise ValueError(
            f"The {what} must have a known size, for singular vectors. "
            f"Received: {what} of the shape {tensor.shape}."
        )
    if count > size:
        raise ValueError(
            "`count` must be at most as large as an example of points and outputs. "
            f"Received: count={count}, {what} of the shape {tensor.shape}."
        )
    return size


def _scaled(columns: tf.Tensor, axis: int | list[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Divides by the largest number, since squares of 1e25 and 1e-25 are none."""
    largest = tf.reduce_max(tf.abs(columns), axis=axis, keepdims=True)
    return tf.math.divide_no_nan(columns, largest), largest


def _orthonormal(columns: tf.Tensor) -> tf.Tensor:
    """Vectors `[..., D, K]` of the same span."""
    return tf.linalg.qr(_scaled(columns, axis=-2)[0])[0]


def _vectors(columns: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Columns `[B, D, K]` as `[B, K, ...]` of the shape of examples."""
    shape = [tf.shape(columns)[0], tf.shape(columns)[2], *like.shape[1:]]
    return tf.reshape(tf.linalg.matrix_transpose(columns), shape)
