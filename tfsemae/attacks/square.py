"""The square attack: random search in an Linf ball around images, without gradients."""

import math
from typing import Any, NamedTuple

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.attacks import arguments, gradients
from tfsemae.attacks.arguments import Seed
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.in_ball import InBall
from tfsemae.attacks.projections import Ball, choose, per_example
from tfsemae.attacks.result import AttackResult
from tfsemae.tensor_checks import TensorLike

#: After these shares of the steps, in 1 / 10,000, the area of squares is halved.
_HALVED = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
_ALGORITHM = "philox"  # the same numbers on each device


class Square(InBall):
    """Maximises or minimises an objective of images by queries alone.

    The search begins at vertical stripes, one pixel wide, of +-epsilon in each channel.
    A step proposes to set a square at a random place to +-epsilon, with one random sign
    per channel, within the bounds, and keeps what is better. Squares cover a share of
    the image that is halved nine times, down to 1 / 512 of the first.

    It does not use gradients, and so finds what a network with masked gradients hides
    from `PGD`. Each image has its own squares, and is asked no further once its
    objective is beyond `stop_above`. As for traces and what is owned, it is like `PGD`.

    Source: Andriushchenko et al. 2020, "Square attack: a query-efficient black-box
    adversarial attack via random search", Algorithms 1 and 2; the shares are those of
    its released code.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> def darkness(images):
        ...     return -tf.reduce_mean(images, axis=[1, 2, 3])
        >>> attack = attacks.Square(darkness, epsilon=0.25, bounds=(0, 1), steps=500)
        >>> result = attack(tf.ones([1, 4, 4, 1]))
        >>> float(result.objective[0])
        -0.75
    """

    def __init__(
        self,
        objective: Objective,
        *,
        epsilon: TensorLike,
        steps: TensorLike = 5000,
        share: float = 0.8,
        stop_above: TensorLike | None = None,
        targeted: bool = False,
        bounds: tuple[float, float] | None = None,
        seed: Seed = (0, 0),
    ):
        """Configures an attack.

        Args:
            objective: `objective(images, *data)` of float32 `[B, H, W, C]` gives
                floating `[B]`, each value from its own image only. A margin of logits
                such as `objectives.cw_margin(logits, labels, kappa=0)` is usual; it
                need not be differentiable.
            epsilon: radius of the Linf ball, in units of pixels: a number, `[B]` or a
                variable of either, at least 0. At 0 the result is the start exactly.
            steps: proposals, a number or a variable, at least 1.
            share: of the image that the first squares cover, in (0, 1].
            stop_above: the objective, or below if `targeted`, at which an image needs
                no further query; None: never.
            targeted: whether the objective is minimised.
            bounds: (low, high) of each pixel, such as (0, 1).
            seed: two integers, of the random numbers.

        Raises:
            ValueError: if an argument is out of its range.
        """
        arguments.number("share", share, 1e-6, 1)
        if stop_above is not None:
            arguments.number("stop_above", stop_above, -math.inf)
        super().__init__(
            objective,
            epsilon=epsilon,
            steps=steps,
            targeted=targeted,
            bounds=bounds,
            seed=seed,
        )
        self._share, self._stop_above = share, stop_above
        self._sign = -1.0 if targeted else 1.0

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
            start: floating `[B, H, W, C]`, the images, within the bounds.
            *data: further arguments of the objective, tensors or nests of them; what
                is floating becomes float32.
            epsilon: instead of that of the constructor.
            steps: instead of those of the constructor.
            seed: instead of that of the constructor; take another for each batch.

        Returns:
            See `AttackResult`. `evaluations` counts the queries of each image until it
            was stopped; `converged` is whether it was. `flat` is whether no query gave
            another value than the image itself.

        Raises:
            ValueError: if shapes, types or values do not fit, or the objective does
                not return `[B]`.
        """
        start = tensor_checks.images("start", start)
        call = self._of_call(start, epsilon, steps, seed)
        stop = math.inf
        if self._stop_above is not None:
            stop = self._sign * tf.cast(self._stop_above, tf.float32)
        return self._compiled(
            start,
            *call,
            tf.convert_to_tensor(stop, tf.float32),
            arguments.tensors(data),
        )

    def _attack(
        self,
        start: tf.Tensor,
        epsilon: tf.Tensor,
        steps: tf.Tensor,
        seed: tf.Tensor,
        stop: tf.Tensor,
        data: tuple,
    ) -> AttackResult:
        ball = Ball(start, epsilon, "linf", self._bounds)
        own = self._scores(start, data)

        def asked(search: _Search, proposal: tf.Tensor) -> _Search:
            proposal = ball.project(tf.ensure_shape(proposal, start.shape))
            score = self._scores(ball.point(proposal), data)
            return search.asked(proposal, score, own, stop)

        def step(k: tf.Tensor, search: _Search) -> tuple:
            numbers = tf.random.fold_in(seed, k, alg=_ALGORITHM)
            side = self._side(k, steps, tf.shape(start)[1:3])
            square, signs = _squares(side, tf.shape(start), numbers)
            proposal = tf.where(square, _signed(epsilon, signs), search.displacement)
            return k + 1, asked(search, proposal)

        batch, _, width, channels = tf.unstack(tf.shape(start), num=4)
        stripes = _random_signs(tf.stack([batch, 1, width, channels]), seed)
        begun = asked(
            _Search.at(tf.zeros_like(start), own, stop),
            _signed(epsilon, stripes) + tf.zeros_like(start),
        )
        _, found = tf.while_loop(
            lambda k, search: (k <= steps) & tf.reduce_any(search.active),
            step,
            (1, begun),
        )
        better = found.score > own
        value = tf.maximum(found.score, own)
        value = tf.where(value > -math.inf, self._sign * value, math.nan)
        point = ball.point(found.displacement)
        return AttackResult(
            tf.stop_gradient(choose(better, point, start)),
            tf.stop_gradient(value),
            found.queries,
            ~found.active,
            found.finite,
            found.flat,
        )

    def _scores(self, images: tf.Tensor, data: tuple) -> tf.Tensor:
        """What is maximised; -infinity where it is not finite."""
        value = gradients.values(self._objective, images, data)
        return tf.where(tf.math.is_finite(value), self._sign * value, -math.inf)

    def _side(self, k: tf.Tensor, steps: tf.Tensor, sides: tf.Tensor) -> tf.Tensor:
        """Pixels of the side of the squares at a step."""
        done = tf.cast(k, tf.int64) * 10_000 // tf.cast(steps, tf.int64)
        halvings = tf.math.count_nonzero(done > tf.constant(_HALVED, tf.int64))
        share = self._share * tf.pow(0.5, tf.cast(halvings, tf.float32))
        area = share * tf.cast(tf.reduce_prod(sides), tf.float32)
        side = tf.cast(tf.round(tf.sqrt(area)), tf.int32)
        return tf.clip_by_value(side, 1, tf.reduce_min(sides))


class _Search(NamedTuple):
    """The best of each image since the stripes, and what was seen on the way to it."""

    displacement: tf.Tensor  # `[B, H, W, C]`
    score: tf.Tensor  # `[B]`, that is maximised
    active: tf.Tensor  # bool `[B]`, whether it is asked further
    queries: tf.Tensor  # int32 `[B]`
    finite: tf.Tensor  # bool `[B]`
    flat: tf.Tensor  # bool `[B]`, whether all scores were that of the image itself

    @classmethod
    def at(cls, displacement: tf.Tensor, own: tf.Tensor, stop: tf.Tensor) -> "_Search":
        """After the query of the images themselves, which the stripes replace."""
        return cls(
            displacement,
            tf.fill(tf.shape(own), -math.inf),
            ~(own > stop),
            tf.ones_like(own, tf.int32),
            own > -math.inf,
            tf.ones_like(own, tf.bool),
        )

    def asked(
        self, proposal: tf.Tensor, score: tf.Tensor, own: tf.Tensor, stop: tf.Tensor
    ) -> "_Search":
        """After a query; images that are not active stay as they are."""
        better = self.active & (score > self.score)
        best = tf.ensure_shape(tf.where(better, score, self.score), own.shape)
        return _Search(
            choose(better, proposal, self.displacement),
            best,
            self.active & ~(best > stop),
            self.queries + tf.cast(self.active, tf.int32),
            self.finite & (~self.active | (score > -math.inf)),
            self.flat & (~self.active | (score == own)),
        )


def _squares(
    side: tf.Tensor, shape: tf.Tensor, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Random squares within images, bool `[B, H, W, 1]`, and signs `[B, 1, 1, C]`."""
    seeds = tf.unstack(tf.random.split(seed, 2, alg=_ALGORITHM), num=2)
    places = tf.random.stateless_uniform([2, shape[0]], seeds[0], alg=_ALGORITHM)

    def inside(place: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        """Bool `[B, size]`, of one axis."""
        first = tf.cast(place * tf.cast(size - side + 1, tf.float32), tf.int32)
        first = tf.minimum(first, size - side)[:, tf.newaxis]  # if it was rounded up
        pixels = tf.range(size)
        return (pixels >= first) & (pixels < first + side)

    rows = inside(places[0], shape[1])[:, :, tf.newaxis, tf.newaxis]
    columns = inside(places[1], shape[2])[:, tf.newaxis, :, tf.newaxis]
    signs = _random_signs(tf.stack([shape[0], 1, 1, shape[3]]), seeds[1])
    return rows & columns, signs


def _random_signs(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    uniform = tf.random.stateless_uniform(shape, seed, alg=_ALGORITHM)
    return tf.where(uniform < 0.5, -1.0, 1.0)


def _signed(epsilon: tf.Tensor, signs: tf.Tensor) -> tf.Tensor:
    return per_example(epsilon, signs) * signs
