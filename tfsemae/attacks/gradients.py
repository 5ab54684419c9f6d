"""Values and gradients of an objective, one of each per example.

An objective is `objective(points [B, ...], *data) -> [B]`, where a value depends on
its own example only.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from tfsemae.attacks.projections import norms

Objective: TypeAlias = Callable[..., tf.Tensor]

#: Norm of a gradient that is followed no further.
FLAT = 1e-10
#: Points of central differences that are evaluated at once, if the batch is smaller.
_AT_ONCE = 512


def values(objective: Objective, points: tf.Tensor, data: Sequence[Any]) -> tf.Tensor:
    """Evaluates an objective.

    Args:
        objective: see above.
        points: float32 or float64 `[B, ...]`.
        data: further arguments of the objective.

    Returns:
        `[B]`, of the type of the points.

    Raises:
        ValueError: if the objective returns anything but `[B]` floating numbers.
        Exception: what the objective raises, with the shapes in a note.
    """
    try:
        found = objective(points, *data)
    except Exception as error:
        shapes = ", ".join(str(tensor.shape) for tensor in tf.nest.flatten(data))
        error.add_note(
            f"`objective` received points of the shape {points.shape}"
            + (f" and data of {shapes}." if shapes else ".")
        )
        raise
    rows = points.shape[:1]
    if (
        not tf.is_tensor(found)
        or not found.dtype.is_floating
        or found.shape.rank != 1
        or not found.shape.is_compatible_with(rows)
    ):
        received = (
            f"shape={found.shape}, dtype={found.dtype.name}"
            if tf.is_tensor(found)
            else type(found).__name__
        )
        raise ValueError(
            "`objective` must return a floating tensor [B], one value per example; "
            "reduce over all axes but the first. "
            f"Received: {received} for points of the shape {points.shape}."
        )
    # Where sizes are unknown this fails for another number of values.
    return tf.ensure_shape(
        tf.reshape(tf.cast(found, points.dtype), tf.shape(points)[:1]), rows
    )


def examined(gradient: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What an attack can follow of a gradient.

    Args:
        gradient: floating `[B, ...]`.

    Returns:
        The gradient with 0 for what is not finite; bool `[B]`, whether all was finite;
        bool `[B]`, whether it is flat: of a norm of at most `FLAT`.
    """
    finite = tf.math.is_finite(gradient)
    whole = tf.reduce_all(finite, axis=tf.range(1, tf.rank(gradient)))
    # As tf.where(finite, gradient, 0.0), which takes longer.
    gradient = tf.math.multiply_no_nan(gradient, tf.cast(finite, gradient.dtype))
    return gradient, whole, norms(gradient) <= FLAT


def exact(
    objective: Objective, points: tf.Tensor, data: Sequence[Any]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Differentiates an objective backwards.

    Args:
        objective: differentiable.
        points: float32 or float64 `[B, ...]`.
        data: further arguments of the objective.

    Returns:
        `[B]` values and `[B, ...]` gradients, of the type of the points.

    Raises:
        ValueError: as `values`, and if the objective cannot be differentiated.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(points)
        value = values(objective, points, data)
    # Of the sum: an example's value depends on no other example.
    gradient = tape.gradient(value, points)
    if gradient is None:
        raise ValueError(
            "`objective` must be differentiable in its first argument; where it can "
            'only be evaluated, use gradient="finite_difference". '
            "Received: an objective without a gradient."
        )
    return value, tf.ensure_shape(tf.convert_to_tensor(gradient), points.shape)


def central_differences(
    objective: Objective,
    points: tf.Tensor,
    data: Sequence[Any],
    *,
    width: float,
    directions: tf.Tensor | None = None,
    bounds: tuple[float, float] | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Estimates the gradient of an objective that can only be evaluated.

    Computes `(f(x + width u) - f(x - width u)) / (2 width)` for each direction u, many
    of them in one batch. K directions take 2 K values. The sum of the directions, each
    times its difference, is the projection of the gradient onto their span: all of it
    for the D axes.

    Args:
        objective: need not be differentiable.
        points: float32 `[B, ...]`.
        data: tensors `[B, ...]` with a row per example, which is repeated for its
            points, or shared ones, which are passed as they are: `[]` or `[1, ...]`.
        width: half of the distance of the two points, in units of `points`.
        directions: `[K, D]`, orthonormal rows, the same for all examples; None for the
            axes.
        bounds: (low, high); points are clipped to them, and the difference is divided
            by the distance that is left along the direction.

    Returns:
        float32 `[B]` values and `[B, ...]` gradients.

    Raises:
        ValueError: as `values`, and if data have another number of rows.
    """
    rows, size = tf.shape(points)[0], tf.reduce_prod(tf.shape(points)[1:])
    count = size if directions is None else tf.shape(directions)[0]
    together = _AT_ONCE // (2 * tf.maximum(rows, 1))
    together = tf.maximum(1, tf.minimum(together, count))
    flat = tf.reshape(points, [rows, size])
    for tensor in tf.nest.flatten(data):
        _check_rows(tensor, points)
    value = values(objective, points, data)  # first: its errors tell the user's shape
    repeated = tf.nest.map_structure(
        lambda tensor: _repeat(tensor, points, 2 * together), data
    )

    def basis(first: tf.Tensor) -> tf.Tensor:
        """The directions from this one on, with zeros after the last."""
        numbers = first + tf.range(together)
        if directions is None:
            return tf.one_hot(numbers, size)
        found = tf.gather(directions, tf.minimum(numbers, count - 1))
        return tf.where((numbers < count)[:, tf.newaxis], found, 0.0)

    @tf.autograph.experimental.do_not_convert
    def slopes(first: tf.Tensor) -> tf.Tensor:
        step = basis(first)[:, tf.newaxis]  # [together, 1, D]
        pair = tf.stack([flat + width * step, flat - width * step])
        if bounds is not None:
            pair = tf.clip_by_value(pair, *bounds)
        # float32 moves a point by almost `width`: divide by what it moved.
        distances = tf.reduce_sum((pair[0] - pair[1]) * step, axis=-1)
        shape = tf.concat([[2 * together * rows], tf.shape(points)[1:]], axis=0)
        pair = tf.ensure_shape(tf.reshape(pair, shape), [None, *points.shape[1:]])
        found = tf.reshape(values(objective, pair, repeated), [2, together, rows])
        return tf.math.divide_no_nan(found[0] - found[1], distances)

    starts = tf.range(0, count, together)
    found = tf.map_fn(
        slopes, starts, fn_output_signature=tf.TensorSpec((None, None), tf.float32)
    )
    found = tf.transpose(tf.reshape(found, [-1, rows])[:count])
    if directions is not None:
        found = tf.matmul(found, directions)
    gradient = tf.ensure_shape(tf.reshape(found, tf.shape(points)), points.shape)
    return value, gradient


def random_directions(count: int, size: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws orthonormal rows `[count, size]`, of uniform directions.

    Args:
        count: number of rows; at most `size` are possible.
        size: of a row.
        seed: two integers.
    """
    columns = tf.minimum(count, size)
    normal = tf.random.stateless_normal([size, columns], seed, alg="philox")
    return tf.transpose(tf.linalg.qr(normal).q)


def _check_rows(tensor: tf.Tensor, points: tf.Tensor) -> None:
    rows = tensor.shape[:1]
    if not (rows.is_compatible_with(points.shape[:1]) or rows in ([], [1])):
        raise ValueError(
            '`data` must have a row per example, or one for all, with gradient="'
            'finite_difference"; let the objective close over other tensors. '
            f"Received: data of the shape {tensor.shape} for points of the shape "
            f"{points.shape}."
        )


def _repeat(tensor: tf.Tensor, points: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
    """All rows `times` times, in the order of stacked batches of points."""
    shared = tensor.shape.rank == 0 or (tensor.shape[0] == 1 and points.shape[0] != 1)
    if shared:
        return tensor
    return tf.tile(tensor, tf.one_hot(0, tensor.shape.rank, times, 1))
