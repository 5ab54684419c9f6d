"""The compiled steps of an audit of one space; each example by itself."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfsemae import attacks
from tfsemae.attacks.projections import norms
from tfsemae.audit.attacking import Attacks, Space
from tfsemae.audit.damage import Compare, Damage
from tfsemae.audit.minimal import Search
from tfsemae.evaluation import draws

ITERATIONS = 10  # of singular vectors that attacks begin along
Values = dict[str, dict[str, tf.Tensor]]
_NORMAL, _STARTS = range(2)  # streams of random numbers


class Steps:
    """Searches and attacks of one space, traced once for all batches and radii.

    Attributes:
        space: what is attacked.
    """

    def __init__(
        self,
        space: Space,
        damage: Damage,
        measures: Mapping[str, Compare],
        *,
        effort: Mapping[str, tf.Variable],
        seed: int,
    ):
        """Configures the steps.

        Args:
            space: what is attacked.
            damage: what an attack maximises and a search asks for.
            measures: name -> metric of clean and attacked images.
            effort: variables `steps` and `rounds`, which a plan may lower.
            seed: of all random numbers.
        """
        self.space = space
        self._measures, self._seed = measures, seed
        self._attacks = Attacks(space, damage, steps=effort["steps"], seed=seed)
        self._search = Search(space, damage, self._attacks, rounds=effort["rounds"])
        self._singular = attacks.SingularVectors(space.network, iterations=ITERATIONS)
        point = tf.TensorSpec((None, *space.shape), tf.float32)
        starts = tf.TensorSpec((None, None, *space.shape), tf.float32)
        radius = tf.TensorSpec((), tf.float32)
        self.smallest = _compiled(self._smallest, point, starts, point)
        self.attacked = _compiled(self._attacked, point, starts, point, point, radius)
        self.queried = _compiled(self._queried, point, starts, radius)

    def numbers(self, restarts: int) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
        """Begins the random numbers of consecutive examples.

        Returns:
            Number of examples -> `starts` `[S, B, ...]` in the unit ball, and `normal`
            `[B, ...]`.
        """
        place = ("latent", "input").index(self.space.name)
        shape = self.space.shape
        normal = draws.normal([self._seed, place, _NORMAL], shape)
        starts = [
            draws.in_unit_ball([self._seed, place, _STARTS, run], shape, "l2")
            for run in range(restarts)
        ]
        return lambda count: (np.stack([run(count) for run in starts]), normal(count))

    def _smallest(
        self, point: tf.Tensor, starts: tf.Tensor, normal: tf.Tensor
    ) -> Values:
        if self.space.differentiable:
            direction = self._singular(point).right[:, 0]
            whole = tf.reduce_all(
                tf.math.is_finite(direction), axis=tf.range(1, tf.rank(direction))
            )
            direction = tf.where(tf.math.is_finite(direction), direction, 0.0)
        else:
            direction, whole = normal, tf.ones_like(norms(normal), tf.bool)
        clean = self.space.network(point)
        found = self._search(point, clean, starts, direction, normal)
        values = found._asdict() | {"direction": direction}
        values["finite"] *= tf.cast(whole, tf.float32)
        return {"smallest": values}

    def _attacked(
        self,
        point: tf.Tensor,
        starts: tf.Tensor,
        normal: tf.Tensor,
        direction: tf.Tensor,
        radius: tf.Tensor,
    ) -> Values:
        """Metrics of each attack of a radius."""
        clean = self.space.network(point)
        epsilon = tf.fill(tf.shape(point)[:1], radius)
        moved = {"noise": self._attacks.noise(point, epsilon, normal)}
        if self.space.differentiable:
            step = self._attacks.singular_step(point, clean, epsilon, direction)
            moved["singular_step"] = step
            plain = self._attacks.plain(point, clean, epsilon, starts)
            moved["pgd"] = plain.adversarial
            strong = self._attacks.strong(point, clean, epsilon, starts, direction)
            moved["strong"] = strong.adversarial
        return {name: self._measured(clean, end) for name, end in moved.items()}

    def _queried(
        self, point: tf.Tensor, starts: tf.Tensor, radius: tf.Tensor
    ) -> Values:
        clean = self.space.network(point)
        epsilon = tf.fill(tf.shape(point)[:1], radius)
        end = self._attacks.query_only(point, clean, epsilon, starts)
        return {"query_only": self._measured(clean, end)}

    def _measured(self, clean: tf.Tensor, end: tf.Tensor) -> dict[str, tf.Tensor]:
        changed = self.space.network(end)
        return {name: f(clean, changed) for name, f in self._measures.items()}


def _compiled(step: Callable[..., Any], *signature: tf.TensorSpec) -> Any:
    return tf.function(step, input_signature=signature, autograph=False)


def gradient_kind(network: Callable[[tf.Tensor], tf.Tensor], points: np.ndarray) -> str:
    """Whether a network can be differentiated: `exact` or `none`."""
    given = tf.constant(points)
    try:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(given)
            found = network(given)
        return "none" if tape.gradient(found, given) is None else "exact"
    except (LookupError, TypeError, tf.errors.UnimplementedError):
        return "none"  # an operation without a gradient


def gradient_error(
    network: Callable[[tf.Tensor], tf.Tensor],
    points: np.ndarray,
    deviation: float,
    seed: int,
) -> float:
    """How far gradients are from differences of values, 0 where they agree.

    Of random weighted sums of the outputs, over pairs of opposite points 0.001 standard
    deviations away: |gradient - difference| / |difference|. The points are first moved
    by 0.1 standard deviations at random: where pixels are equal, as in a flat
    background, maxima tie, and no gradient is the slope in all directions.

    Args:
        network: differentiable.
        points: `[B, ...]`.
        deviation: standard deviation of a number of a point.
        seed: of weights and directions.
    """
    random = np.random.default_rng([seed, 7])
    moved = points + 0.1 * deviation * random.standard_normal(points.shape)
    given = tf.constant(moved, tf.float32)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(given)
        found = network(given)
        weights = tf.constant(random.standard_normal(found.shape), tf.float32)
        value = tf.reduce_sum(found * weights)
    gradient = tape.gradient(value, given)
    width = 0.001 * deviation
    slopes, differences = [], []
    for _ in range(4):
        direction = random.standard_normal(points.shape).astype(np.float32)
        sums = [
            tf.reduce_sum(
                tf.reshape(
                    network(given + sign * width * direction) * weights,
                    [len(points), -1],
                ),
                axis=1,
            )
            for sign in (1.0, -1.0)
        ]
        differences.append((sums[0] - sums[1]).numpy() / (2 * width))
        product = tf.reshape(gradient * direction, [len(points), -1])
        slopes.append(tf.reduce_sum(product, axis=1).numpy())
    slope, difference = np.stack(slopes), np.stack(differences)
    scale = float(np.linalg.norm(difference))
    error = float(np.linalg.norm(slope - difference))
    return error / scale if scale > 0 else (math.inf if error > 0 else 0.0)
