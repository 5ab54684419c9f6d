"""Quantities, and what several runs measured of them."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae import run_folder, statistics
from tfsemae.statistics import Interval


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


class Estimates:
    """Several runs a group: t-intervals over them, differences paired by place.

    Attributes:
        quantities: key -> what is measured.
    """

    def __init__(
        self,
        folders: Mapping[Any, Sequence[pathlib.Path]],
        quantities: Mapping[str, Quantity],
        *,
        unit: str = "seeds",
    ):
        """Reads what the runs measured.

        Args:
            folders: group -> folders of its runs, in an order that all share; of
                groups of two sizes, the first runs are compared.
            quantities: key -> quantity.
            unit: what the runs differ by.
        """
        self._folders, self.quantities = folders, quantities
        self._unit = unit
        self._values = functools.cache(self._read)

    def interval_over(self, count: int) -> str:
        """What the interval of that many values is over."""
        return f"t-interval over {count} {self._unit}"

    def values(self, group: Any, key: str) -> np.ndarray:
        """The value of each run of a group, `[N]`."""
        return self._values(group, key)

    def value(self, group: Any, key: str) -> Interval:
        """A quantity of a group and its interval."""
        return statistics.t_interval(self.values(group, key))

    def difference(self, first: tuple[Any, str], second: tuple[Any, str]) -> Interval:
        """That of (group, key) minus that of another, paired run by run."""
        a, b = self.paired(first, second)
        return statistics.t_interval(a - b)

    def relative_difference(
        self, first: tuple[Any, str], second: tuple[Any, str]
    ) -> Interval:
        """The difference in % of the second one, run by run."""
        a, b = self.paired(first, second)
        return statistics.t_interval(100 * (a / b - 1))

    def paired(self, *groups: tuple[Any, str]) -> list[np.ndarray]:
        """The values of several (group, key) of the runs that all have, `[N]` each."""
        found = [self.values(*group) for group in groups]
        return [values[: min(map(len, found))] for values in found]

    def _read(self, group: Any, key: str) -> np.ndarray:
        quantity = self.quantities[key]
        read = quantity.read or functools.partial(measured, key=key)
        found = [read(folder) for folder in self._folders[group]]
        return quantity.factor * np.array(found)


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
