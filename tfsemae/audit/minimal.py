"""The smallest perturbation of each example that does a damage."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfsemae.attacks.projections import norms, per_example
from tfsemae.audit.attacking import Attacks, Space
from tfsemae.audit.damage import Damage

ROUNDS = 7  # of the bisection over epsilon
_FINEST = 2.0**-10  # of the spread: the first step along a direction
_DOUBLINGS = 17  # to 64 times the spread
_HALVINGS = 12  # of a step along a direction
_FARTHEST = _FINEST * 2.0 ** (_DOUBLINGS - 1)


def evaluations(attack: int, rounds: int) -> int:
    """Evaluations of the network that take as long as a search, about.

    Args:
        attack: those of one attack.
        rounds: attacks.
    """
    bracket = 3 * (_DOUBLINGS + _HALVINGS)  # along noise and both ends of a direction
    return bracket + rounds * (attack + 1 + _HALVINGS)


class Smallest(NamedTuple):
    """What was found, one entry per example."""

    epsilon: (
        tf.Tensor
    )  # `[B]`, L2 norm of the perturbation; infinite where none does it
    point: tf.Tensor  # `[B, ...]`, the perturbed point; the example where none does it
    missed: tf.Tensor  # `[B]`, the largest radius at which the attack failed
    noise: tf.Tensor  # `[B]`, L2 norm of the noise that does it; or infinite
    flat: tf.Tensor  # `[B]`, 1 where no gradient was found, else 0
    finite: tf.Tensor  # `[B]`, 1 where all values and gradients were, else 0


class Search:
    """Bisects over epsilon with the strong attack, all examples in parallel.

    Where there is no gradient, the query-only attack takes its place.

    Each example has its own epsilon. The first bracket comes from steps along the top
    singular vector. Where an attack succeeds, the way to the point that it found is
    shortened as long as the damage is done: what counts is a perturbation that does
    it, never a radius alone.
    """

    def __init__(
        self,
        space: Space,
        damage: Damage,
        attacks: Attacks,
        *,
        rounds: int | tf.Variable = ROUNDS,
    ):
        """Configures a search.

        Args:
            space: what is perturbed.
            damage: that is to be done.
            attacks: on the space, of the same damage.
            rounds: strong attacks, each of another radius.
        """
        self._space, self._damage, self._attacks = space, damage, attacks
        self._rounds = rounds

    def __call__(
        self,
        point: tf.Tensor,
        clean: tf.Tensor,
        starts: tf.Tensor,
        direction: tf.Tensor,
        normal: tf.Tensor,
    ) -> Smallest:
        """Searches for a batch; part of a `tf.function`.

        Args:
            point: float32 `[B, ...]`.
            clean: what the network shows of it.
            starts: see `Attacks.plain`.
            direction: top singular vectors `[B, ...]`.
            normal: `[B, ...]`, the direction of the noise.
        """

        def attack(epsilon: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            if not self._space.differentiable:
                found = self._attacks.query_only(point, clean, epsilon, starts)
                return found, tf.zeros_like(epsilon, tf.bool), epsilon >= 0
            result = self._attacks.strong(point, clean, epsilon, starts, direction)
            return result.adversarial, result.flat, result.finite

        def reached(points: tf.Tensor) -> tf.Tensor:
            return self._damage.reached(clean, self._space.network(points))

        noise, high, best = self._first_bracket(point, reached, direction, normal)

        def bisect(
            step: tf.Tensor,
            low: tf.Tensor,
            high: tf.Tensor,
            best: tf.Tensor,
            flat: tf.Tensor,
            finite: tf.Tensor,
        ) -> tuple:
            middle = tf.where(low > 0, tf.sqrt(low * high), 0.5 * high)
            epsilon = tf.where(high < math.inf, middle, self._farthest)
            end, zero, whole = attack(epsilon)
            share = _shortened(lambda t: reached(_between(point, end, t)), epsilon)
            moved = _between(point, end, tf.where(share < math.inf, share, 0.0))
            length = tf.where(share < math.inf, norms(moved - point), math.inf)
            better = length < high
            return (
                step + 1,
                tf.where(share < math.inf, low, tf.minimum(epsilon, high)),
                tf.where(better, length, high),
                tf.where(per_example(better, point), moved, best),
                flat & zero,
                finite & whole,
            )

        every = high >= 0
        _, low, high, best, flat, finite = tf.while_loop(
            lambda step, *_: step < self._rounds,
            bisect,
            (0, tf.zeros_like(high), high, best, every, every),
        )
        return Smallest(
            high,
            tf.ensure_shape(best, point.shape),
            low,
            noise,
            tf.cast(flat, tf.float32),
            tf.cast(finite, tf.float32),
        )

    def _first_bracket(
        self,
        point: tf.Tensor,
        reached: Callable[[tf.Tensor], tf.Tensor],
        direction: tf.Tensor,
        normal: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The least noise that does it, and the least of all steps, with its end."""
        ways = [normal]
        if self._space.differentiable:
            ways += [direction, -direction]
        # One way at a time: the draws of a random model belong to places in a batch.
        lengths, ends = tf.map_fn(
            lambda way: self._along(point, reached, way),
            tf.stack(ways),
            fn_output_signature=(
                tf.TensorSpec(point.shape[:1], tf.float32),
                tf.TensorSpec(point.shape, tf.float32),
            ),
        )
        least = tf.argmin(lengths, axis=0)
        best = tf.gather(
            tf.transpose(ends, [1, 0, *range(2, ends.shape.rank)]), least, batch_dims=1
        )
        high = tf.reduce_min(lengths, axis=0)
        return (
            lengths[0],
            high,
            tf.where(per_example(high < math.inf, point), best, point),
        )

    @property
    def _farthest(self) -> float:
        """The radius beyond which nothing is searched."""
        if self._space.bounds is None:
            return _FARTHEST * self._space.spread
        low, high = self._space.bounds
        return (high - low) * math.sqrt(self._space.size)

    def _along(
        self,
        point: tf.Tensor,
        reached: Callable[[tf.Tensor], tf.Tensor],
        direction: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The shortest step in a direction that does the damage, and its end."""

        def at(distance: tf.Tensor) -> tf.Tensor:
            return self._attacks.towards(point, distance, direction)

        def double(step: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tuple:
            distance = tf.fill(tf.shape(high), _FINEST * self._space.spread) * tf.pow(
                2.0, tf.cast(step, tf.float32)
            )
            distance = tf.minimum(distance, self._farthest)
            done, open_ = reached(at(distance)), high == math.inf
            return (
                step + 1,
                tf.where(open_ & ~done, distance, low),
                tf.where(open_ & done, distance, high),
            )

        zero = tf.zeros_like(norms(direction))
        _, low, high = tf.while_loop(
            lambda step, _, high: (step < _DOUBLINGS) & tf.reduce_any(high == math.inf),
            double,
            (0, zero, zero + math.inf),
        )

        def halve(step: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tuple:
            middle = tf.where(high < math.inf, (low + high) / 2, low)
            done = (high < math.inf) & reached(at(middle))
            return (
                step + 1,
                tf.where(done, low, middle),
                tf.where(done, middle, high),
            )

        _, low, high = tf.while_loop(
            lambda step, *_: step < _HALVINGS, halve, (0, low, high)
        )
        end = at(tf.where(high < math.inf, high, 0.0))
        # Bounds may leave less than was asked for.
        length = tf.where(high < math.inf, norms(end - point), math.inf)
        return length, end


def _between(point: tf.Tensor, end: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    return point + per_example(share, point) * (end - point)


def _shortened(reached: Callable[[tf.Tensor], tf.Tensor], like: tf.Tensor) -> tf.Tensor:
    """The least share of a way found at which the damage is done; or infinite."""
    whole = reached(tf.ones_like(like))

    def halve(step: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tuple:
        middle = (low + high) / 2
        done = reached(middle)
        return step + 1, tf.where(done, low, middle), tf.where(done, middle, high)

    _, _, high = tf.while_loop(
        lambda step, *_: step < _HALVINGS,
        halve,
        (0, tf.zeros_like(like), tf.ones_like(like)),
    )
    return tf.where(whole, high, math.inf)
