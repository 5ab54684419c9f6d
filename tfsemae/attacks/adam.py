"""Adam within boxes on many problems at once."""

import functools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tfsemae.attacks import arguments, lbfgsb
from tfsemae.attacks.lbfgsb import Minima, ValueAndGradients

#: Status of a problem that did all its steps, as SciPy has it of too many iterations.
ALL_STEPS = 1
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class BatchedAdam:
    """Minimises independent functions in boxes by a fixed number of steps of Adam.

    Each problem has its own moments, and gradients are limited problem by problem:
    scaled down to `global_norm`, an L2 norm, then each entry clipped to +-`clip`. After
    each step the point is projected onto the box. The result is the lowest point that
    was seen. A problem whose value or gradient is not finite stops alone.

    Attributes:
        batch_size: problems at once.

    Source: Kingma & Ba 2015, Algorithm 1; steps, rate and limits from Gondim-Ribeiro
    2018, the released code, where moments persist from one problem to the next, and
    the image alone is clamped, not its distortion.

    Example:
        >>> import numpy as np
        >>> from tfsemae import attacks
        >>> def paraboloids(points, centers):
        ...     away = points - centers
        ...     return (away**2).sum(axis=1), 2 * away
        >>> centers = np.array([[0.5, 2.0], [-1.0, 0.2]])
        >>> minimize = attacks.BatchedAdam(steps=500, learning_rate=0.01)
        >>> found = minimize(paraboloids, np.ones((2, 2)), centers, bounds=(0, 1))
        >>> np.abs(found.points.round(3)).tolist()
        [[0.5, 1.0], [0.0, 0.2]]
    """

    def __init__(
        self,
        *,
        steps: int = 3000,
        learning_rate: float = 1e-3,
        global_norm: float = 3.0,
        clip: float = 1.0,
        batch_size: int = 64,
    ):
        """Configures the solver.

        Args:
            steps: of each problem, at least 1; it is evaluated once more at its end.
            learning_rate: about the most that an entry moves in a step; at least 0.
            global_norm: L2 norm of the gradient of a problem above which it is scaled
                down; at least 0.
            clip: then the most of each of its entries; at least 0.
            batch_size: problems at once, at least 1.

        Raises:
            ValueError: if an argument is out of its range.
        """
        arguments.number("steps", steps, 1, integer=True)
        arguments.number("batch_size", batch_size, 1, integer=True)
        arguments.number("learning_rate", learning_rate, 0)
        arguments.number("global_norm", global_norm, 0)
        arguments.number("clip", clip, 0)
        self.batch_size = batch_size
        self._steps, self._rate = steps, learning_rate
        self._norm, self._clip = global_norm, clip

    def __call__(
        self,
        value_and_gradients: ValueAndGradients,
        start: npt.ArrayLike,
        *data: npt.ArrayLike,
        bounds: tuple[npt.ArrayLike, npt.ArrayLike] = (-math.inf, math.inf),
    ) -> Minima:
        """Solves P problems; arguments and result are those of `BatchedLBFGSB`.

        Returns:
            See `Minima`; `status` is `ALL_STEPS` or `lbfgsb.NON_FINITE`, `iterations`
            the steps done.

        Raises:
            ValueError: if shapes do not fit, or a start is outside of its bounds.
        """
        start, rows = lbfgsb.checked(start, data)
        low, high = lbfgsb.box(start, bounds)
        minima = lbfgsb.unsolved(*start.shape)
        for first in range(0, len(start), self.batch_size):
            chunk = slice(first, first + self.batch_size)
            evaluate = functools.partial(
                lbfgsb.evaluated,
                value_and_gradients,
                rows=[each[chunk] for each in rows],
            )
            found = self._solve(evaluate, start[chunk], low[chunk], high[chunk])
            *arrays, messages = minima
            for array, values in zip(arrays, found[:-1], strict=True):
                array[chunk] = values
            messages[chunk] = found.messages
        return minima

    def _solve(
        self,
        evaluate: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        start: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
    ) -> Minima:
        points, lowest = start.copy(), lbfgsb.unsolved(*start.shape)
        lowest.points[:], lowest.gradients[:] = start, math.nan
        lowest.values[:], lowest.status[:] = math.nan, ALL_STEPS
        first, second = np.zeros((2, *start.shape))
        running = np.ones(len(start), bool)
        for step in range(self._steps + 1):
            values, gradients = evaluate(points)
            lowest.evaluations[running] += 1
            running &= np.isfinite(values) & np.isfinite(gradients).all(axis=1)
            better = running & ~(lowest.values <= values)
            lowest.points[better] = points[better]
            lowest.values[better] = values[better]
            lowest.gradients[better] = gradients[better]
            if step == self._steps or not running.any():
                break
            lowest.iterations[running] += 1
            gradients = self._limited(np.where(running[:, np.newaxis], gradients, 0.0))
            first += (1 - _BETA1) * (gradients - first)
            second += (1 - _BETA2) * (gradients**2 - second)
            mean = first / (1 - _BETA1 ** (step + 1))
            size = np.sqrt(second / (1 - _BETA2 ** (step + 1)))
            points = np.clip(points - self._rate * mean / (size + _EPSILON), low, high)
        lowest.status[~running] = lbfgsb.NON_FINITE
        lowest.gradients[~running] = math.nan
        ends = ["A value or gradient is not finite", "All steps were done"]
        return lowest._replace(messages=[ends[int(each)] for each in running])

    def _limited(self, gradients: np.ndarray) -> np.ndarray:
        norms = np.linalg.norm(gradients, axis=1, keepdims=True)
        scale = np.minimum(1.0, self._norm / np.maximum(norms, np.finfo(float).tiny))
        return np.clip(scale * gradients, -self._clip, self._clip)
