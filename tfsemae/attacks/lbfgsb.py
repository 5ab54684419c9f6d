"""L-BFGS-B on many box-constrained problems at once, by SciPy's own optimizer."""

import contextvars
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tfsemae.attacks import arguments

#: Of points float64 `[B, N]` and a row of data for each: values `[B]`, gradients
#: `[B, N]`.
ValueAndGradients: TypeAlias = Callable[..., tuple[npt.ArrayLike, npt.ArrayLike]]

#: Status of a problem whose line search failed, as it does where values are rounded.
#: SciPy also has 0 (converged) and 1 (too many iterations or evaluations).
ABNORMAL = 2
#: Ours: of a problem that ended at a value or gradient which is not finite.
NON_FINITE = 3


class Minima(NamedTuple):
    """What SciPy returned, one entry per problem."""

    points: np.ndarray  # float64 `[P, N]`; the lowest one seen where NON_FINITE
    values: np.ndarray  # float64 `[P]`, there; NaN where none was finite
    gradients: np.ndarray  # float64 `[P, N]`, there; NaN where NON_FINITE
    status: np.ndarray  # int32 `[P]`, of SciPy or NON_FINITE
    iterations: np.ndarray  # int32 `[P]`
    evaluations: np.ndarray  # int32 `[P]`
    messages: list[str]  # of SciPy, such as "CONVERGENCE: ..."


class BatchedLBFGSB:
    """Minimises independent functions in boxes, all pending points in one batch.

    Each problem is a `scipy.optimize.minimize(method="L-BFGS-B")` of its own, which is
    suspended where it asks for a value and a gradient. When all have asked, one call
    answers them. Where the batched function gives the bits of a single one, the result
    has the bits of SciPy's with one BLAS thread.

    A problem that ends leaves the batch and the next one takes its place. Batches are
    filled up with copies of their first point to `batch_size` or a power of two below:
    a function that is compiled for each size is compiled a few times.

    While problems are solved the BLAS of NumPy and SciPy has one thread: vectors of
    this length are no work for several.

    Attributes:
        batch_size: problems at once.

    Source: Byrd, Lu, Nocedal & Zhu 1995, "A limited memory algorithm for bound
    constrained optimization"; defaults from Tabacof 2016, the released code.

    Example:
        >>> import numpy as np
        >>> from tfsemae import attacks
        >>> def paraboloids(points, centers):
        ...     away = points - centers
        ...     return (away**2).sum(axis=1), 2 * away
        >>> centers = np.array([[0.5, 2.0], [-1.0, 0.2]])
        >>> minimize = attacks.BatchedLBFGSB(batch_size=2)
        >>> found = minimize(paraboloids, np.ones((2, 2)), centers, bounds=(0, 1))
        >>> found.points.round(6).tolist()  # where the box is nearest to the centers
        [[0.5, 1.0], [0.0, 0.2]]
        >>> found.status.tolist()
        [0, 0]
    """

    def __init__(
        self,
        *,
        maxcor: int = 25,
        factr: float = 10.0,
        pgtol: float = 1e-5,
        maxiter: int = 15000,
        maxfun: int = 15000,
        batch_size: int = 64,
    ):
        """Configures the solver.

        Args:
            maxcor: corrections that approximate the Hessian, at least 1.
            factr: a problem converges when its value falls by at most `factr * eps`
                of itself, or of 1 if that is more, eps that of float64; at least 0.
            pgtol: or when no entry of its projected gradient is larger; at least 0.
            maxiter: iterations of a problem, at least 1.
            maxfun: evaluations of a problem, at least 1; SciPy finishes the iteration.
            batch_size: problems at once, at least 1. Each one takes some
                `16 * maxcor * N` bytes, twice that for small N.

        Raises:
            ValueError: if an argument is out of its range.
        """
        for name, value in [
            ("maxcor", maxcor),
            ("maxiter", maxiter),
            ("maxfun", maxfun),
            ("batch_size", batch_size),
        ]:
            arguments.number(name, value, 1, integer=True)
        arguments.number("factr", factr, 0)
        arguments.number("pgtol", pgtol, 0)
        self.batch_size = batch_size
        self._options = {
            "maxcor": maxcor,
            "ftol": factr * float(np.finfo(np.float64).eps),
            "gtol": pgtol,
            "maxiter": maxiter,
            "maxfun": maxfun,
        }

    def __call__(
        self,
        value_and_gradients: ValueAndGradients,
        start: npt.ArrayLike,
        *data: npt.ArrayLike,
        bounds: tuple[npt.ArrayLike, npt.ArrayLike] = (-math.inf, math.inf),
    ) -> Minima:
        """Solves P problems.

        Args:
            value_and_gradients: of float64 `[B, N]` points and of B rows of each of
                the data, `[B]` values and `[B, N]` gradients of any floating type, as
                arrays or tensors. An entry depends on its own point and row only.
            start: `[P, N]`, within the bounds.
            *data: `[P, ...]`, a row per problem.
            bounds: (low, high), each a number or of a shape that broadcasts to
                `[P, N]`; infinite ones are none.

        Returns:
            See `Minima`.

        Raises:
            ValueError: if shapes do not fit, or a start is outside of its bounds.
        """
        from threadpoolctl import threadpool_limits

        start, rows = checked(start, data)
        low, high = box(start, bounds)
        with threadpool_limits(1, user_api="blas"):
            return self._solve(value_and_gradients, start, low, high, rows)

    def _solve(
        self,
        value_and_gradients: ValueAndGradients,
        start: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        data: list[np.ndarray],
    ) -> Minima:
        minima = unsolved(*start.shape)
        following = iter(range(len(start)))
        active: list[_Problem] = []
        try:
            while True:
                vacant = self.batch_size - len(active)
                for number in itertools.islice(following, vacant):
                    bounds = low[number], high[number]
                    problem = _Problem(number, start[number], bounds, self._options)
                    active.append(problem)
                    problem.begin()
                if not active:
                    return minima
                found = self._evaluate(value_and_gradients, active, data)
                for problem, value, gradient in zip(active, *found, strict=True):
                    problem.answer(float(value), gradient, minima)
                active = [problem for problem in active if not problem.ended]
        finally:
            for problem in active:
                problem.close()

    def _evaluate(
        self,
        value_and_gradients: ValueAndGradients,
        problems: "list[_Problem]",
        data: list[np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values `[B]` and gradients `[B, N]` at the pending points of B problems."""
        count = len(problems)
        padding = min(self.batch_size, 1 << (count - 1).bit_length()) - count
        padded = problems + problems[:1] * padding
        points = np.stack([problem.point for problem in padded])
        numbers = [problem.number for problem in padded]
        rows = [each[numbers] for each in data]
        values, gradients = evaluated(value_and_gradients, points, rows)
        return values[:count], gradients[:count]


def checked(
    start: npt.ArrayLike, data: Sequence[npt.ArrayLike]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Takes starts and data of problems.

    Returns:
        float64 `[P, N]`; arrays of P rows.

    Raises:
        ValueError: if they have other shapes.
    """
    start = np.asarray(start, np.float64)
    if start.ndim != 2 or not start.shape[1]:
        raise ValueError(
            "`start` must have the shape [P, N], with N at least 1. "
            f"Received: start.shape={start.shape}."
        )
    rows = [np.asarray(each) for each in data]
    for each in rows:
        if each.shape[:1] != start.shape[:1]:
            raise ValueError(
                "`data` must have a row for each of the problems, "
                f"{len(start)} of them. Received: data of the shape {each.shape}."
            )
    return start, rows


def evaluated(
    value_and_gradients: ValueAndGradients,
    points: np.ndarray,
    rows: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Values `[B]` and gradients `[B, N]` at points, float64.

    Raises:
        ValueError: if they have other shapes.
    """
    found = value_and_gradients(points, *rows)
    values, gradients = (np.asarray(each, np.float64) for each in found)
    if values.shape != points.shape[:1] or gradients.shape != points.shape:
        raise ValueError(
            "`value_and_gradients` must return values [B] and gradients [B, N]. "
            f"Received: the shapes {values.shape} and {gradients.shape} for points "
            f"of the shape {points.shape}."
        )
    return values, gradients


def box(
    start: np.ndarray, bounds: tuple[npt.ArrayLike, npt.ArrayLike]
) -> tuple[np.ndarray, np.ndarray]:
    """Makes bounds of each problem, and checks that its start is within.

    A start that is not a number passes: its problem ends at once, and alone.

    Args:
        start: float64 `[P, N]`.
        bounds: see `BatchedLBFGSB`.

    Returns:
        float64 `[P, N]` both; read only.

    Raises:
        ValueError: if shapes do not fit, low is above high, or a start is outside.
    """
    low, high = (np.asarray(each, np.float64) for each in bounds)
    try:
        low, high = (np.broadcast_to(each, start.shape) for each in (low, high))
    except ValueError as error:
        raise ValueError(
            "`bounds` must be (low, high), numbers or of shapes that broadcast to that "
            f"of `start`. Received: shapes {low.shape} and {high.shape}, "
            f"start.shape={start.shape}."
        ) from error
    if not np.all(low <= high):
        raise ValueError("`bounds` must be (low, high), low at most high everywhere.")
    outside = (start < low) | (start > high)
    if outside.any():
        problem, entry = np.argwhere(outside)[0]
        raise ValueError(
            "`start` must lie within the bounds; clip or rescale it. Received: "
            f"start[{problem}, {entry}]={start[problem, entry]} outside of "
            f"[{low[problem, entry]}, {high[problem, entry]}] in problem {problem}."
        )
    return low, high


def unsolved(count: int, size: int) -> Minima:
    """Arrays of zeros for as many problems, of points `[count, size]`."""
    return Minima(
        points=np.zeros((count, size)),
        values=np.zeros(count),
        gradients=np.zeros((count, size)),
        status=np.zeros(count, np.int32),
        iterations=np.zeros(count, np.int32),
        evaluations=np.zeros(count, np.int32),
        messages=[""] * count,
    )


class _Problem:
    """One call of SciPy, suspended where it asks for a value and a gradient."""

    def __init__(
        self,
        number: int,
        start: np.ndarray,
        bounds: tuple[np.ndarray, np.ndarray],
        options: dict[str, Any],
    ):
        from greenlet import greenlet

        self.number = number
        self.point = start  # at which it waits for an answer
        self._bounds, self._options = bounds, options
        self._gradient: np.ndarray | None = None
        self._lowest = start, math.nan  # point and value
        self._iterations = self._evaluations = 0
        self._greenlet = greenlet(self._minimize)
        # Otherwise an empty one: NumPy's handling of errors is a part of it.
        self._greenlet.gr_context = contextvars.copy_context()

    @property
    def ended(self) -> bool:
        return self._greenlet.dead

    def begin(self) -> None:
        """Runs SciPy until it asks for the first time."""
        self._greenlet.switch()

    def answer(self, value: float, gradient: np.ndarray, minima: Minima) -> None:
        """Runs SciPy until it asks again, or ends; writes what it found.

        Args:
            value: at `point`.
            gradient: `[N]`.
            minima: gets the entry of this problem.
        """
        self._evaluations += 1
        if not (math.isfinite(value) and np.isfinite(gradient).all()):
            return self._give_up(minima)
        if not self._lowest[1] <= value:
            self._lowest = self.point, value
        self._gradient = gradient
        found = self._greenlet.switch(value, gradient)
        if self.ended:
            # Where low = high everywhere SciPy evaluates once and leaves the rest out.
            entry = (
                found.x,
                found.fun,
                found.get("jac", gradient),
                found.get("status", 0),
                found.get("nit", 0),
                found.nfev,
            )
            self._write(minima, entry, found.message)

    def close(self) -> None:
        """Unwinds SciPy where it is suspended; nothing if it has ended."""
        self._greenlet.throw()

    def _give_up(self, minima: Minima) -> None:
        self.close()
        counts = self._iterations, self._evaluations
        entry = (*self._lowest, math.nan, NON_FINITE, *counts)
        self._write(minima, entry, "A value or gradient is not finite")

    def _write(self, minima: Minima, entry: tuple, message: str) -> None:
        *arrays, messages = minima
        for array, value in zip(arrays, entry, strict=True):
            array[self.number] = value
        messages[self.number] = message

    def _minimize(self) -> Any:
        from scipy import optimize

        return optimize.minimize(
            self._ask,
            self.point,
            method="L-BFGS-B",
            jac=True,
            bounds=optimize.Bounds(*self._bounds),
            callback=self._count,
            options=self._options,
        )

    def _ask(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        self.point = point  # a copy of SciPy's
        return self._greenlet.parent.switch()

    def _count(self, intermediate_result: Any) -> None:
        self._iterations += 1
