"""Quantities, and what runs measured of them: over seeds, or over examples."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from tfsemae import metrics, run_folder, statistics
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.statistics import Interval

#: Measures of latents that are no mean of one value an example.
_OF_LATENTS = {
    "silhouette": metrics.silhouette_statistic,
    "scatter_ratio": metrics.scatter_ratio_statistic,
}


@dataclasses.dataclass(frozen=True)
class Quantity:
    """Something measured, as it is reported.

    Attributes:
        name: for a reader.
        unit: after the factor.
        factor: by which the measured value is multiplied.
        read: folder of a run -> the value; None for the entry of `metrics.json` of
            the key, such as `psnr` or `adversarial/psnr`.
    """

    name: str
    unit: str = ""
    factor: float = 1.0
    read: Callable[[pathlib.Path], float] | None = None

    def __str__(self) -> str:
        """Name and unit, as on an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


class Estimates(Protocol):
    """Measurements of groups of runs, with intervals, in the quantities' units."""

    quantities: Mapping[str, Quantity]  # key -> what is measured
    over: str  # what the intervals are over
    note: str  # what they do not say

    def value(self, group: Any, key: str) -> Interval:
        """A quantity of a group and its interval."""

    def difference(self, first: tuple[Any, str], second: tuple[Any, str]) -> Interval:
        """That of (group, key) minus that of another."""

    def values(self, group: Any, key: str) -> np.ndarray | None:
        """The value of each run; None where intervals are over examples."""


class OverSeeds:
    """Several runs a group: t-intervals over them, differences paired by place."""

    note = ""

    def __init__(
        self,
        folders: Mapping[Any, Sequence[pathlib.Path]],
        quantities: Mapping[str, Quantity],
        *,
        unit: str = "seeds",
    ):
        """Reads what the runs measured.

        Args:
            folders: group -> folders of its runs, in an order that all share.
            quantities: key -> quantity.
            unit: what the runs differ by.
        """
        self._folders, self.quantities = folders, quantities
        count = len(next(iter(folders.values())))
        self.over = f"t-interval over {count} {unit}"
        self.values = functools.cache(self._read)

    def value(self, group: Any, key: str) -> Interval:
        """See `Estimates`."""
        return statistics.t_interval(self.values(group, key))

    def difference(self, first: tuple[Any, str], second: tuple[Any, str]) -> Interval:
        """See `Estimates`."""
        return statistics.t_interval(self.values(*first) - self.values(*second))

    def _read(self, group: Any, key: str) -> np.ndarray:
        quantity = self.quantities[key]
        read = quantity.read or functools.partial(measured, key=key)
        found = [read(folder) for folder in self._folders[group]]
        return quantity.factor * np.array(found)


class OverExamples:
    """One run a group, on the same examples: percentile bootstrap over them."""

    def __init__(
        self,
        folders: Mapping[Any, pathlib.Path],
        quantities: Mapping[str, Quantity],
        *,
        note: str,
    ):
        """Opens what the runs measured of each example.

        Args:
            folders: group -> folder of its run.
            quantities: key, such as `adversarial/psnr` -> quantity.
            note: what the runs have one of.

        Raises:
            ValueError: if the runs are of different examples.
        """
        self._arrays = {}
        for group, folder in folders.items():
            with np.load(folder / MEASUREMENTS_FILE) as arrays:
                self._arrays[group] = dict(arrays)
        first, *others = (arrays["indices"] for arrays in self._arrays.values())
        if not all(np.array_equal(first, other) for other in others):
            raise ValueError(
                f"The runs in {', '.join(map(str, folders.values()))} are of "
                "different images. Make them again with equal flags."
            )
        self.quantities, self._examples = quantities, len(first)
        self._statistic = functools.cache(self._make_statistic)
        self.over = f"bootstrap over {self._examples:,} images"
        self.note = note

    def value(self, group: Any, key: str) -> Interval:
        """See `Estimates`."""
        return self._interval(self._statistic(group, key))

    def difference(self, first: tuple[Any, str], second: tuple[Any, str]) -> Interval:
        """See `Estimates`; paired example by example."""
        a, b = self._statistic(*first), self._statistic(*second)
        return self._interval(lambda counts: a(counts) - b(counts))

    def values(self, group: Any, key: str) -> None:
        """See `Estimates`."""
        return None

    def _interval(self, statistic: statistics.Statistic) -> Interval:
        return statistics.bootstrap_interval(statistic, self._examples, seed=0)

    def _make_statistic(self, group: Any, key: str) -> statistics.Statistic:
        arrays, factor = self._arrays[group], self.quantities[key].factor
        condition, _, measure = key.rpartition("/")
        if measure in _OF_LATENTS:
            latents = arrays[f"{condition}/latent"]
            statistic = _OF_LATENTS[measure](latents, arrays["labels"])
        else:
            statistic = statistics.mean_statistic(arrays[key])
        return lambda counts: factor * statistic(counts)


def over_seeds_or_examples(
    folders: Mapping[Any, Sequence[pathlib.Path]],
    quantities: Mapping[str, Quantity],
    *,
    unit: str,
    note: str,
) -> Estimates:
    """Estimates over the runs of a group, or over the examples of its only run.

    Args:
        folders: group -> folders of its runs, as many in each.
        quantities: key -> quantity.
        unit: what several runs differ by.
        note: what a single run has one of.
    """
    if len(next(iter(folders.values()))) > 1:
        return OverSeeds(folders, quantities, unit=unit)
    single = {group: folder for group, (folder,) in folders.items()}
    return OverExamples(single, quantities, note=note)


def measured(folder: pathlib.Path, key: str) -> float:
    """An entry of `metrics.json`, such as `psnr` or `adversarial/psnr`.

    Args:
        folder: of a finished run.
        key: of the entry.

    Raises:
        ValueError: if there is none, or it is not a finite number.
    """
    found: Any = run_folder.read_metrics(folder)
    for name in key.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, int | float):
        raise ValueError(
            f"{folder / run_folder.METRICS_FILE} has no finite {key}, which the "
            "artefact reports. Make the run again."
        )
    return found
