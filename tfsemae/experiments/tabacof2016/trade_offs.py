"""What attacks over penalties measured: a curve for each pair, and its shape."""

import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfsemae import metrics, run_folder, statistics
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.experiments.intervals import hull, interval
from tfsemae.statistics import Interval

_HALF = 0.5  # of both normalised distances


class Quantity(NamedTuple):
    """What is measured of the curve of a pair.

    Attributes:
        name: for a reader.
        read: measurements of a run -> value of each pair `[P]`, NaN where it has none.
        unit: of the values.
    """

    name: str
    read: Callable[["Measurements"], np.ndarray]
    unit: str = ""


class Measurements:
    """What an attack run measured, read when it is asked for.

    Attributes:
        folder: of the run.
        found: its `metrics.json`.
    """

    def __init__(self, folder: pathlib.Path):
        """Args: folder: of a finished run of `--attack=lbfgsb`."""
        self.folder, self.found = folder, run_folder.read_metrics(folder)
        self.array = functools.cache(self._array)
        self.of_pairs = functools.cache(self._of_pairs)

    def _array(self, name: str) -> np.ndarray:
        """An array of `measurements.npz`, such as `curve/distance`."""
        with np.load(self.folder / MEASUREMENTS_FILE) as arrays:
            return arrays[name]

    @property
    def pairs(self) -> int:
        """Number of the pairs."""
        return len(self.array("pairs"))

    def _of_pairs(self, quantity: str) -> np.ndarray:
        """A quantity of `QUANTITIES` of each pair, `[P]`."""
        return QUANTITIES[quantity].read(self)

    @functools.cached_property
    def hinges(self) -> list[metrics.Hinge | None]:
        """The fit of each pair; None of one that has too few points."""
        return [self._fitted(metrics.fit_hinge, pair) for pair in range(self.pairs)]

    def shape(self, fit: Callable[..., float]) -> np.ndarray:
        """A number of the curve of each pair, `[P]`, NaN where there are too few."""
        found = [self._fitted(fit, pair) for pair in range(self.pairs)]
        return np.array([np.nan if each is None else each for each in found])

    def _fitted(self, fit: Callable[..., Any], pair: int) -> Any:
        x, y = self.array("curve/distortion")[pair], self.array("curve/distance")[pair]
        if not np.isfinite(y).all():
            return None
        try:
            return fit(x, y)
        except ValueError:  # fewer than 5 points
            return None


def _of_hinge(name: str) -> Callable[[Measurements], np.ndarray]:
    return lambda run: np.array(
        [np.nan if fit is None else getattr(fit, name) for fit in run.hinges]
    )


def _beats_logistic(run: Measurements) -> np.ndarray:
    hinge, logistic = run.of_pairs("rmse"), run.shape(metrics.logistic_rmse)
    return np.where(np.isnan(hinge + logistic), np.nan, 100.0 * (hinge < logistic))


def _steepness(run: Measurements) -> np.ndarray:
    """NaN of a level, whose slope is 0."""
    slopes = np.abs(run.of_pairs("slope"))
    steepest = run.shape(metrics.steepest_slope)
    return np.divide(
        steepest, slopes, out=np.full(len(slopes), np.nan), where=slopes > 0
    )


def _tolerable(run: Measurements) -> np.ndarray:
    x, y = run.array("curve/distortion"), run.array("curve/distance")
    reached = ((x <= _HALF) & (y <= _HALF)).any(axis=1)
    return np.where(np.isnan(y).any(axis=1), np.nan, 100.0 * reached)


def _half_distortion(run: Measurements) -> np.ndarray:
    near = run.array("curve/distance") <= _HALF
    norms = np.where(near, run.array("adversarial/distortion"), np.inf)
    least = norms.min(axis=1)
    return np.where(np.isfinite(least), least, np.nan)


#: Key -> what is measured.
QUANTITIES = {
    "auddc": Quantity("AUDDC", lambda run: run.array("curve/auddc")),
    "rounded_auddc": Quantity(
        "AUDDC, adversarial images of 8 bits",
        lambda run: run.array("curve/rounded_auddc"),
    ),
    "position": Quantity("X of the hinge", _of_hinge("position")),
    "slope": Quantity("slope up to the hinge", _of_hinge("slope")),
    "level": Quantity("Z from the hinge on", _of_hinge("level")),
    "correlation": Quantity(
        "Pearson's correlation up to the hinge", _of_hinge("correlation")
    ),
    "rmse": Quantity("root mean square error of the hinge", _of_hinge("rmse")),
    "beats_logistic": Quantity(
        "pairs that a hinge fits better than a logistic curve", _beats_logistic, "%"
    ),
    "steepness": Quantity(
        "largest slope over bins of 0.1, over that of the hinge", _steepness
    ),
    "tolerable": Quantity("pairs with X and Z up to 0.5", _tolerable, "%"),
    "half_distortion": Quantity("least |d| with Z up to 0.5", _half_distortion),
}


class TradeOffs:
    """Attacks on networks of several seeds, all on the same pairs.

    Attributes:
        groups: what was attacked how -> measurements, by seed.
    """

    def __init__(self, groups: Mapping[Any, Sequence[Measurements]]):
        """Checks that the pairs are the same.

        Args:
            groups: see the class.

        Raises:
            ValueError: if two runs attacked other pairs.
        """
        self.groups = groups
        runs = [run for each in groups.values() for run in each]
        for run in runs:
            if not np.array_equal(run.array("pairs"), runs[0].array("pairs")):
                raise ValueError(
                    "Networks are compared on the same pairs. Received other ones in "
                    f"{runs[0].folder} and {run.folder}; make the runs again."
                )

    def means(self, group: Any, quantity: str) -> list[float]:
        """The mean over pairs for each seed, of those that have a value."""
        return [float(np.nanmean(run.of_pairs(quantity))) for run in self.groups[group]]

    def value(self, group: Any, quantity: str) -> Interval:
        """The mean and its interval over pairs, joined over seeds."""
        return hull(_interval(run.of_pairs(quantity)) for run in self.groups[group])

    def worst(self, group: Any, quantity: str) -> Interval:
        """The largest value of a pair: its mean over seeds, and the least and most."""
        found = [np.nanmax(run.of_pairs(quantity)) for run in self.groups[group]]
        return Interval(float(np.mean(found)), float(min(found)), float(max(found)))

    def difference(self, first: Any, second: Any, quantity: str) -> Interval:
        """That of one group minus another, pair by pair, joined over seeds."""
        return hull(
            _interval(a.of_pairs(quantity) - b.of_pairs(quantity))
            for a, b in zip(self.groups[first], self.groups[second], strict=True)
        )

    def beyond(self, group: Any, radius: float) -> Interval:
        """Pairs in % with Z > 0.5 after an L-inf attack of a radius."""
        found = []
        for run in self.groups[group]:
            column = int(np.argmin(np.abs(run.array("linf_epsilon") - radius)))
            distance = run.array("curve/linf_distance")[:, column]
            far = np.where(np.isnan(distance), np.nan, 100.0 * (distance > _HALF))
            found.append(_interval(far))
        return hull(found)


def _interval(values: np.ndarray) -> Interval:
    values = values[np.isfinite(values)]
    if len(values) < 2:
        raise ValueError(
            "An interval over pairs needs at least 2 of them. Received: "
            f"{len(values)} pairs with a value; attack more."
        )
    return interval(statistics.mean_statistic(values), len(values))
