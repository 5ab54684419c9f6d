"""Attacks of one gradient step: along the gradient, its sign, or towards a class."""

import functools
import math
from typing import Any, Literal, TypeAlias

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks import arguments, gradients, objectives, projections
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.objectives import Network
from tfsemae.attacks.result import AttackResult
from tfsemae.tensor_checks import TensorLike

Direction: TypeAlias = Literal["gradient", "sign"]


class SingleStep:
    """Adds one step along the gradient of an objective to each example.

    With g the gradient of the objective at x, negated where it is minimised:

        v = g   or   sign(g)
        x' = x + size * v             as the sources print it
        x' = x + size * v / |v|_2     norm="l2"

    The first is longer where the objective is steeper; the second has the length
    `size` for all, so that steps of different directions can be compared. Bounds are
    applied last, and shorten a step.

    An object traces its objective once for all batches of one shape, and owns what it
    traced, as `PGD` does. AutoGraph is off.

    Source: ECE 417, lecture 22 (8 Nov 2018), adversarial images; the sign is that of
    Goodfellow et al. 2015, "Explaining and harnessing adversarial examples", section
    4. Neither clipping nor a norm is printed.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> def height(point):
        ...     return 3 * point[:, 0] + 4 * point[:, 1]
        >>> step = attacks.SingleStep(height, size=0.5)
        >>> step([[0.0, 0.0]]).adversarial.numpy().tolist()
        [[1.5, 2.0]]
        >>> unit = attacks.SingleStep(height, size=0.5, norm="l2")
        >>> print(f"{unit([[0.0, 0.0]]).objective[0]:.1f}")  # 0.5 * |(3, 4)|
        2.5
    """

    def __init__(
        self,
        objective: Objective,
        *,
        size: TensorLike,
        direction: Direction = "gradient",
        norm: Literal["l2"] | None = None,
        targeted: bool = False,
        bounds: tuple[float, float] | None = None,
    ):
        """Configures an attack.

        Args:
            objective: `objective(points, *data)` of float32 `[B, ...]` gives floating
                `[B]`, each value from its own example only.
            size: a number, `[B]` or a variable of either, at least 0: the rate eta, of
                a sign the change epsilon of each number, with a norm the L2 norm of
                the change. At 0 the result is the start exactly.
            direction: "gradient", or "sign" of it.
            norm: "l2" to make all changes equally long; None for the formula as
                printed.
            targeted: whether the objective, a distance to a target, is minimised.
            bounds: (low, high) of each number of a point, such as (0, 1) of pixels.

        Raises:
            ValueError: if an argument is out of its range.
        """
        arguments.number("size", size, 0)
        arguments.choice("direction", direction, ("gradient", "sign"))
        arguments.choice("norm", norm, (None, "l2"))
        arguments.bounds(bounds)
        self._objective, self._size, self._direction = objective, size, direction
        self._norm, self._targeted, self._bounds = norm, targeted, bounds
        self._compiled = tf.function(  # as in InBall
            functools.partial(self._attack), autograph=False, reduce_retracing=True
        )

    def __call__(
        self, start: TensorLike, *data: Any, size: TensorLike | None = None
    ) -> AttackResult:
        """Attacks a batch.

        Args:
            start: floating `[B, ...]`, the examples, within the bounds, which is
                checked outside of a `tf.function` only.
            *data: further arguments of the objective, tensors or nests of them; what
                is floating becomes float32.
            size: instead of that of the constructor.

        Returns:
            See `AttackResult`. `adversarial` is the point after the step, also where
            the objective is no better there: `converged` is whether it is. An example
            whose gradient is zero stays where it is.

        Raises:
            ValueError: if shapes, types or values do not fit, or the objective does
                not return `[B]` or has no gradient.
        """
        start = tensor_checks.examples("start", start)
        size = self._size if size is None else size
        sizes = arguments.of_examples("size", size, start)
        arguments.within(start, self._bounds)
        return self._compiled(start, sizes, arguments.tensors(data))

    def _attack(self, start: tf.Tensor, size: tf.Tensor, data: tuple) -> AttackResult:
        before, gradient = gradients.exact(self._objective, start, data)
        gradient, finite, flat = gradients.examined(gradient)
        step = tf.sign(gradient) if self._direction == "sign" else gradient
        if self._norm == "l2":
            step = _of_norm_one(step)
        sign = -1.0 if self._targeted else 1.0
        point = start + sign * projections.per_example(size, start) * step
        if self._bounds is not None:
            point = tf.clip_by_value(point, *self._bounds)
        point = tf.stop_gradient(point)
        after = gradients.values(self._objective, point, data)
        finite &= tf.math.is_finite(before) & tf.math.is_finite(after)
        return AttackResult(
            point,
            tf.stop_gradient(tf.where(tf.math.is_finite(after), after, math.nan)),
            tf.fill(tf.shape(size), 2),
            sign * after > sign * before,
            finite,
            flat,
        )


def step_plain(classifier: Network, **options: Any) -> SingleStep:
    """A step that makes the label less likely: `x + eta * dE/dx`.

    E is the cross-entropy of the label, -ln y_label. Its gradient shrinks with
    1 - y_label: where the classifier is sure, this step is short. Compare it with
    others at `norm="l2"`.

    Args:
        classifier: images float32 `[B, ...]` -> logits `[B, K]`.
        **options: of `SingleStep`: `size`, which is eta, and others.

    Returns:
        An attack: `attack(images, labels)`, labels int `[B]` or one for all.

    Source: ECE 417, lecture 22.

    Example:
        >>> import keras
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> classifier = keras.Sequential(
        ...     [keras.Input((2,)), keras.layers.Rescaling([2.0, 0.0])]
        ... )
        >>> attack = attacks.step_plain(classifier, size=0.5)
        >>> attack(tf.zeros([1, 2]), 0).adversarial.numpy().tolist()  # 0.5 * 2 * 0.5
        [[-0.5, 0.0]]
    """
    return SingleStep(objectives.cross_entropy(classifier), **options)


def step_sign(classifier: Network, **options: Any) -> SingleStep:
    """A step of epsilon in each pixel: `x + epsilon * sign(dE/dx)`.

    E is the cross-entropy of the label; this is the fast gradient sign method (FGSM).

    Args:
        classifier: images float32 `[B, ...]` -> logits `[B, K]`.
        **options: of `SingleStep`: `size`, which is epsilon, and others.

    Returns:
        An attack: `attack(images, labels)`, labels int `[B]` or one for all.

    Source: ECE 417, lecture 22, epsilon 0.007; Goodfellow et al. 2015.
    """
    return SingleStep(
        objectives.cross_entropy(classifier), **{"direction": "sign"} | options
    )


def step_fake(classifier: Network, **options: Any) -> SingleStep:
    """A step towards a chosen mistake: `x + eta * d/dx (ln y_fake - ln y_label)`.

    The difference is that of two logits: its gradient does not shrink where the
    classifier is sure, and of a linear classifier it is the same everywhere.

    Args:
        classifier: images float32 `[B, ...]` -> logits `[B, K]`.
        **options: of `SingleStep`: `size`, which is eta, and others.

    Returns:
        An attack: `attack(images, labels, fakes)`, both int `[B]` or one for all.

    Source: ECE 417, lecture 22.
    """
    return SingleStep(objectives.log_odds(classifier), **options)


def _of_norm_one(step: tf.Tensor) -> tf.Tensor:
    """Divides each example by its L2 norm, however small; zero stays zero."""
    largest = tf.reduce_max(tf.abs(step), axis=tf.range(1, tf.rank(step)))
    # The square of 1e-25 is zero.
    return projections.unit(
        tf.math.divide_no_nan(step, projections.per_example(largest, step))
    )
