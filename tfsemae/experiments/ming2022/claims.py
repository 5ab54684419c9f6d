"""The claims of section III and the rules that decide them."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from tfsemae import run_folder, statistics
from tfsemae.reports import Row
from tfsemae.statistics import Interval, Verdict

PSNR_MARGIN, SSIM_MARGIN = 0.5, 1.0  # dB, points

#: Table II; SSIM in %.
PRINTED = {
    "vanilla_psnr": 24.89,
    "vanilla_ssim": 96.39,
    "semantic_psnr": 25.10,
    "semantic_ssim": 95.82,
}


@dataclasses.dataclass(frozen=True)
class Quantity:
    """An entry of metrics.json as it is reported."""

    name: str
    unit: str = ""
    factor: float = 1.0

    def __str__(self):
        """Name and unit, as on an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


QUANTITIES = {
    "psnr": Quantity("PSNR", "dB"),
    "ssim": Quantity("SSIM", "%", 100),
    "psnr_first_100": Quantity("PSNR, first 100 images", "dB"),
    "ssim_first_100": Quantity("SSIM, first 100 images", "%", 100),
    "label_accuracy": Quantity("label accuracy", "%", 100),
    "silhouette": Quantity("silhouette of the code"),
    "scatter_ratio": Quantity("between- / within-class scatter of the code"),
    "knn_accuracy": Quantity("10-NN accuracy of the code", "%", 100),
    "linear_probe_accuracy": Quantity("linear-probe accuracy of the code", "%", 100),
}


@dataclasses.dataclass(frozen=True)
class Test:
    """How the difference of one quantity, semantic minus vanilla, is judged."""

    claim: int
    rule: str
    verdict: Callable[[Interval], Verdict]


def _does_not_fall(effect: Interval) -> Verdict:
    """Only the silhouette has to rise; 10-NN is high from the start."""
    if effect.effect >= 0:
        return "holds"
    return "does not hold" if effect.high < 0 else "undecided"


STATEMENTS = {
    1: "Label information costs the reconstruction next to nothing",
    2: "The semantic code forms tighter, better separated classes (Fig. 4)",
}
TESTS = {
    "psnr": Test(
        1,
        f"within {PSNR_MARGIN:g} dB",
        lambda effect: statistics.within(effect, PSNR_MARGIN),
    ),
    "ssim": Test(
        1,
        f"within {SSIM_MARGIN:g} point",
        lambda effect: statistics.within(effect, SSIM_MARGIN),
    ),
    "silhouette": Test(2, "above 0", statistics.above),
    "knn_accuracy": Test(2, "where it does not fall", _does_not_fall),
}


def measured(folders: Iterable[pathlib.Path]) -> dict[str, np.ndarray]:
    """What finished runs measured.

    Args:
        folders: of the runs, one per seed.

    Returns:
        Key of `QUANTITIES` -> float `[runs]` in its unit.
    """
    found = [run_folder.read_metrics(folder) for folder in folders]
    return {
        key: quantity.factor * np.array([entry[key] for entry in found])
        for key, quantity in QUANTITIES.items()
        if key in found[0]
    }


def rows(network: str, found: Mapping[str, np.ndarray], tag: str) -> list[Row]:
    """A row for each quantity of a network, beside Table II where it prints it.

    Args:
        network: `vanilla`, `semantic`, or a name with its weight.
        found: see `measured`.
        tag: of rows that Table II prints; others say "our choice", unless the
            whole artefact is reduced or a stand-in.
    """
    return [
        Row(
            id=f"{network}_{key}",
            quantity=f"{network}: {QUANTITIES[key].name}",
            unit=QUANTITIES[key].unit,
            printed=PRINTED.get(f"{network}_{key}"),
            measured=values.mean(),
            sd=values.std(ddof=1),
            n=len(values),
            tag=_tag(tag, f"{network}_{key}"),
        )
        for key, values in found.items()
    ]


def _tag(tag: str, row: str) -> str:
    return "our choice" if tag == "as printed" and row not in PRINTED else tag


def effects(
    semantic: Mapping[str, np.ndarray], vanilla: Mapping[str, np.ndarray]
) -> dict[str, Interval]:
    """Paired 95 % t-intervals, semantic minus vanilla, over equal seeds."""
    return {key: statistics.t_interval(semantic[key] - vanilla[key]) for key in TESTS}


def verdict(found: Mapping[str, Interval], claim: int) -> Verdict:
    """The verdict on claim 1 or 2: whether all its tests hold."""
    tests = {key: test for key, test in TESTS.items() if test.claim == claim}
    return statistics.all_hold(test.verdict(found[key]) for key, test in tests.items())
