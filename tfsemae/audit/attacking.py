"""The attacks of an audit, on latents or on images, each example by itself.

What they find of an example does not depend on its batch: random points come from the
caller, an example at a time.
"""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from tfsemae import attacks
from tfsemae.attacks.projections import Ball, norms, per_example
from tfsemae.audit.damage import Damage

PGD_STEPS = 10  # of the plain attack
_FIRST_STEPS = 2  # of the strong attack from each of its points
_DIRECTIONS = 64  # of finite differences; on smaller points, all axes
_WIDTH = 0.05  # of finite differences, in standard deviations of a number
_FAR = 64.0  # radii; what bounds cut off of a direction the rest makes good
GRADIENT = 3  # evaluations of a network that take as long as a gradient, about


@dataclasses.dataclass(frozen=True, kw_only=True)
class Space:
    """What is attacked: latents through the decoder, or images through both.

    Attributes:
        name: `latent` or `input`.
        network: points `[B, ...]` -> images `[B, H, W, C]`.
        shape: of a point.
        spread: root of the total variance of the points, the unit of distances.
        bounds: of each number of a point, or None.
        differentiable: whether the network has a gradient.
    """

    name: str
    network: Callable[[tf.Tensor], tf.Tensor]
    shape: tuple[int, ...]
    spread: float
    bounds: tuple[float, float] | None
    differentiable: bool = True

    @property
    def size(self) -> int:
        """How many numbers a point has."""
        return math.prod(self.shape)

    @property
    def deviation(self) -> float:
        """Root mean square of the standard deviations of the numbers of a point."""
        return self.spread / math.sqrt(self.size)


def evaluations(restarts: int, steps: int) -> int:
    """Evaluations of the network that take as long as the strong attack, about."""
    points = 2 + restarts  # both ends of the singular vector
    return points * (1 + GRADIENT * _FIRST_STEPS) + 1 + GRADIENT * steps


def queries(space: Space) -> int:
    """Evaluations of the network by the query-only attack."""
    return PGD_STEPS * (1 + 2 * min(space.size, _DIRECTIONS))


class Attacks:
    """The attacks on a space.

    The strong attack takes two long steps from each of several points: both ends of
    the top singular vector of the network, and random points. From the best of
    them it goes on as the plain attack does.
    """

    def __init__(
        self, space: Space, damage: Damage, *, steps: int | tf.Variable, seed: int = 0
    ):
        """Configures them.

        Args:
            space: what is attacked.
            damage: whose objective is maximised.
            steps: of the strong attack from its best point, a number or a variable.
            seed: of the directions of finite differences.
        """
        self._space, self._steps = space, steps

        def objective(points: tf.Tensor, clean: tf.Tensor) -> tf.Tensor:
            return damage.objective(clean, space.network(points))

        self._objective = objective
        self._pgd = attacks.PGD(objective, epsilon=0.0, bounds=space.bounds)
        self._strong = attacks.StrongPGD(
            objective,
            space.network,
            epsilon=0.0,
            restarts=0,
            bounds=space.bounds,
            # The random points of the caller take the place of the attack's own.
            random_start=True,
        )
        self._query = attacks.PGD(
            objective,
            epsilon=0.0,
            bounds=space.bounds,
            gradient="finite_difference",
            width=max(_WIDTH * space.deviation, 1e-6),
            directions=_DIRECTIONS,
            seed=(seed, 0),
        )

    def plain(
        self, point: tf.Tensor, clean: tf.Tensor, epsilon: tf.Tensor, starts: tf.Tensor
    ) -> attacks.AttackResult:
        """PGD of 10 steps from one random point of the ball.

        Args:
            point: `[B, ...]`.
            clean: what the network shows of it.
            epsilon: `[B]`.
            starts: displacements in the unit ball `[S, B, ...]`.
        """
        return _one_run(self._pgd, point, clean, epsilon, starts)

    def strong(
        self,
        point: tf.Tensor,
        clean: tf.Tensor,
        epsilon: tf.Tensor,
        starts: tf.Tensor,
        direction: tf.Tensor,
    ) -> attacks.AttackResult:
        """The strong attack; see `plain`. `direction` is the top singular vector."""
        initial = point + tf.map_fn(lambda each: _scaled(each, epsilon), starts)
        first = self._strong(
            point,
            clean,
            epsilon=epsilon,
            steps=_FIRST_STEPS,
            initial=initial,
            direction=direction,
        )
        further = self._pgd(
            point,
            clean,
            epsilon=epsilon,
            steps=self._steps,
            initial=first.adversarial,
        )
        better = further.objective > first.objective
        return further._replace(
            adversarial=tf.where(
                per_example(better, point), further.adversarial, first.adversarial
            ),
            objective=tf.where(better, further.objective, first.objective),
            evaluations=first.evaluations + further.evaluations,
            finite=first.finite & further.finite,
            flat=first.flat & further.flat,
        )

    def query_only(
        self, point: tf.Tensor, clean: tf.Tensor, epsilon: tf.Tensor, starts: tf.Tensor
    ) -> tf.Tensor:
        """As `plain`, with finite differences in place of gradients, `[B, ...]`."""
        return _one_run(self._query, point, clean, epsilon, starts).adversarial

    def noise(
        self, point: tf.Tensor, epsilon: tf.Tensor, normal: tf.Tensor
    ) -> tf.Tensor:
        """A random point at the distance epsilon, of a normal direction."""
        return self.towards(point, epsilon, normal)

    def towards(
        self, point: tf.Tensor, epsilon: tf.Tensor, direction: tf.Tensor
    ) -> tf.Tensor:
        """The point of the ball in a direction, within the bounds."""
        ball = Ball(point, epsilon, "l2", self._space.bounds)
        length = tf.math.divide_no_nan(_FAR * epsilon, norms(direction))
        return ball.point(ball.project(_scaled(direction, length)))

    def singular_step(
        self,
        point: tf.Tensor,
        clean: tf.Tensor,
        epsilon: tf.Tensor,
        direction: tf.Tensor,
    ) -> tf.Tensor:
        """The worse end of one step along the top singular vector."""
        ends = [self.towards(point, epsilon, sign * direction) for sign in (1.0, -1.0)]
        values = [self._objective(end, clean) for end in ends]
        return tf.where(per_example(values[0] >= values[1], point), *ends)


def _one_run(
    attack: attacks.PGD,
    point: tf.Tensor,
    clean: tf.Tensor,
    epsilon: tf.Tensor,
    starts: tf.Tensor,
) -> attacks.AttackResult:
    """The steps of the plain attack from the first random point."""
    initial = point + _scaled(starts[0], epsilon)
    return attack(point, clean, epsilon=epsilon, steps=PGD_STEPS, initial=initial)


def _scaled(points: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    return points * per_example(factors, points)
