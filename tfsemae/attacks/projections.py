"""Balls around examples, within bounds or without: projections, random points."""

from typing import Literal, TypeAlias

import tensorflow as tf

Norm: TypeAlias = Literal["l2", "linf"]
NORMS = ("l2", "linf")

#: Newton's steps of a projection; 4 are usual, each leaves at least one kink behind.
_MOST_NEWTON_STEPS = 50


class Ball:
    """The points within a distance of each example, and within bounds.

    What is added to an example is its displacement.
    """

    def __init__(
        self,
        center: tf.Tensor,
        epsilon: tf.Tensor,
        norm: Norm,
        bounds: tuple[float, float] | None = None,
    ):
        """Takes one ball per example.

        Args:
            center: float32 `[B, ...]`, within the bounds.
            epsilon: float32 `[B]`, the radii, not negative.
            norm: of the distance.
            bounds: of each number of a point, or None.
        """
        self._center = center
        self._epsilon = epsilon
        self._norm = norm
        self._bounds = bounds

    def project(self, displacement: tf.Tensor) -> tf.Tensor:
        """The nearest displacement, in the L2 norm, that stays in the ball.

        Args:
            displacement: float32 `[B, ...]`.

        Returns:
            float32 `[B, ...]`; zero where epsilon is zero.
        """
        box = None
        if self._bounds is not None:
            low, high = self._bounds
            box = low - self._center, high - self._center
        if self._norm == "l2":
            return _project_l2(displacement, self._epsilon, box)
        radius = per_example(self._epsilon, displacement)
        displacement = tf.clip_by_value(displacement, -radius, radius)
        return displacement if box is None else tf.clip_by_value(displacement, *box)

    def point(self, displacement: tf.Tensor) -> tf.Tensor:
        """The example moved by a displacement.

        It is rounded towards the center: the float32 nearest to a point of the
        sphere may lie outside of it, by far more than 1e-6 of a small epsilon.

        Args:
            displacement: float32 `[B, ...]`, from `project`.

        Returns:
            float32 `[B, ...]`, within the bounds exactly.
        """
        point = _add_toward_first(self._center, displacement)
        return point if self._bounds is None else tf.clip_by_value(point, *self._bounds)

    def random(self, seed: tf.Tensor) -> tf.Tensor:
        """A random displacement of each example.

        L2: of a uniform direction and a length `epsilon * U(0, 1)`; Linf: uniform in
        the ball. Of equal seeds the numbers behind it are equal, whatever epsilon.

        Args:
            seed: int `[2]`.

        Returns:
            float32 `[B, ...]`, projected.
        """
        shape = tf.shape(self._center)
        seeds = tf.unstack(tf.random.split(seed, 2, alg=_ALGORITHM), num=2)
        if self._norm == "l2":
            normal = tf.random.stateless_normal(shape, seeds[0], alg=_ALGORITHM)
            length = tf.random.stateless_uniform(shape[:1], seeds[1], alg=_ALGORITHM)
            relative = unit(normal) * per_example(length, normal)
        else:
            uniform = tf.random.stateless_uniform(shape, seeds[0], alg=_ALGORITHM)
            relative = 2.0 * uniform - 1.0
        return self.project(relative * per_example(self._epsilon, relative))


#: The same numbers on each device, though XLA draws other ones.
_ALGORITHM = "philox"


def per_example(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Values `[B]` as `[B, 1, ...]`, of the rank of `like`."""
    return tf.reshape(values, [-1] + [1] * (like.shape.rank - 1))


def choose(examples: tf.Tensor, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Examples `[B, ...]` of `a` where bool `[B]` is true, else those of `b`."""
    # Copies whole rows; tf.where compares number by number, and takes 4 times as long.
    return tf.raw_ops.Select(condition=examples, x=a, y=b)


def norms(vectors: tf.Tensor, order: float = 2) -> tf.Tensor:
    """The norm of each example of `[B, ...]`: `[B]`."""
    return tf.norm(_rows(vectors), ord=order, axis=1)


def unit(vectors: tf.Tensor, order: int = 2, floor: float = 1e-10) -> tf.Tensor:
    """Divides each example by its norm, or by a floor that is larger.

    Args:
        vectors: float32 `[B, ...]`.
        order: of the norm.
        floor: a zero vector stays zero, one of the norm 1e-12 does not become noise.

    Returns:
        float32 `[B, ...]`.
    """
    # The square of 1e20 is infinite.
    largest = tf.reduce_max(tf.abs(_rows(vectors)), axis=1)
    vectors = vectors / per_example(tf.maximum(largest, 1.0), vectors)
    return vectors / per_example(tf.maximum(norms(vectors, order), floor), vectors)


def _rows(vectors: tf.Tensor) -> tf.Tensor:
    """`[B, ...]` as `[B, D]`."""
    shape = tf.shape(vectors)
    return tf.reshape(vectors, [shape[0], tf.reduce_prod(shape[1:])])


def _project_l2(
    displacement: tf.Tensor,
    epsilon: tf.Tensor,
    box: tuple[tf.Tensor, tf.Tensor] | None,
) -> tf.Tensor:
    """Projects onto the L2 ball and a box around zero, both at once.

    To clip what was projected onto the ball would give a point of both as well, but
    not the nearest one, and ascent would end before the best of the sphere.

    The nearest point has the coordinates `clip(s * d_i, low_i, high_i)` with the
    largest s <= 1 at which the norm is epsilon. In q = s**2 the squared norm
    `f(q) = sum_i min(q d_i**2, b_i**2)`, with b_i the bound on the side of d_i, is
    concave, increasing and piecewise linear: Newton's method from the left of the
    solution rises to it, and ends there after finitely many steps.
    """
    if box is None:
        length = norms(displacement)
        scale = tf.minimum(1.0, tf.math.divide_no_nan(epsilon, length))
        return displacement * per_example(scale, displacement)
    bound = tf.where(displacement > 0, box[1], -box[0])
    squares, limits = _rows(tf.square(displacement)), _rows(tf.square(bound))
    target = tf.square(epsilon)

    def newton(step: int, q: tf.Tensor, _: tf.Tensor) -> tuple:
        free = q[:, tf.newaxis] * squares
        slope = tf.reduce_sum(tf.where(free < limits, squares, 0.0), axis=1)
        missing = target - tf.reduce_sum(tf.minimum(free, limits), axis=1)
        after = tf.minimum(1.0, q + tf.math.divide_no_nan(missing, slope))
        # Rounding moves a solution up and down: it is kept.
        rises = after > q * (1.0 + 1e-6)
        return step + 1, tf.where(rises, after, q), tf.reduce_any(rises)

    # Left of the solution: as if no bound were reached.
    q = tf.math.divide_no_nan(target, tf.reduce_sum(squares, axis=1))
    q = tf.minimum(1.0, q)
    _, q, _ = tf.while_loop(
        lambda step, _, rises: rises & (step < _MOST_NEWTON_STEPS),
        newton,
        (0, q, tf.constant(True)),
    )
    return tf.clip_by_value(displacement * per_example(tf.sqrt(q), bound), *box)


def _add_toward_first(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """`a + b`, rounded towards `a`."""
    total = a + b
    # Exactly a + b - total (Knuth, The Art of Computer Programming 2, 4.2.2, B).
    moved = total - a
    error = (a - (total - moved)) + (b - moved)
    # The next float on the side of a, by its bits: their order is that of magnitudes.
    # Integers in place of tf.where, which takes longer than all of the rest.
    away = tf.cast(tf.sign(total) * tf.sign(b), tf.int32)
    beyond = tf.cast(tf.sign(error) * tf.sign(b) < 0, tf.int32)
    return tf.bitcast(tf.bitcast(total, tf.int32) - beyond * away, tf.float32)
