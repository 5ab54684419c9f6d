"""What the artefacts of section III share: quantities, rows, claims 1 and 2."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tfsemae import statistics
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.estimates import (
    Estimates,
    OverSeeds,
    Quantity,
)
from tfsemae.experiments.ming2022 import printed
from tfsemae.experiments.runs import Run
from tfsemae.reports.ledger import Row
from tfsemae.statistics import Interval, Verdict
from tfsemae.statistics.verdicts import Above, NotFalling, Rule, Within

_FIRST = 100  # the paper averages over the images of Fig. 3, a handful


def mean_of_first(folder: pathlib.Path, key: str) -> float:
    """The mean of a quantity over the first 100 images, which must be there."""
    with np.load(folder / MEASUREMENTS_FILE) as arrays:
        values = arrays[key][:_FIRST]
    if len(values) < _FIRST:
        raise ValueError(f"{folder / MEASUREMENTS_FILE} has {len(values)} images only.")
    return float(np.mean(values))


QUANTITIES = {
    "psnr": Quantity("PSNR", "dB"),
    "ssim": Quantity("SSIM", "%", 100),
    "psnr_first_100": Quantity(
        "PSNR, first 100 images", "dB", 1, lambda run: mean_of_first(run, "clean/psnr")
    ),
    "ssim_first_100": Quantity(
        "SSIM, first 100 images", "%", 100, lambda run: mean_of_first(run, "clean/ssim")
    ),
    "label_accuracy": Quantity("label accuracy", "%", 100),
    "silhouette": Quantity("silhouette of the code"),
    "scatter_ratio": Quantity("between- / within-class scatter of the code"),
    "knn_accuracy": Quantity("10-NN accuracy of the code", "%", 100),
    "linear_probe_accuracy": Quantity("linear-probe accuracy of the code", "%", 100),
}
STATEMENTS = {
    1: "Label information costs the reconstruction next to nothing",
    2: "The semantic code forms tighter, better separated classes (Fig. 4)",
}
#: Claim -> quantity -> how its difference, semantic minus vanilla, is judged. Only
#: the silhouette has to rise; 10-NN is high from the start.
RULES: dict[int, dict[str, Rule]] = {
    1: {"psnr": Within(printed.PSNR_MARGIN), "ssim": Within(printed.SSIM_MARGIN)},
    2: {"silhouette": Above(), "knn_accuracy": NotFalling()},
}


def estimates(work: Workspace, runs: Mapping[float | None, Sequence[Run]]) -> OverSeeds:
    """What the trainings measured, by weight."""
    return OverSeeds({w: work.folders(each) for w, each in runs.items()}, QUANTITIES)


def effect(found: Estimates, weight: float, key: str) -> Interval:
    """Semantic minus vanilla, paired over seeds."""
    return found.difference((weight, key), (None, key))


def verdict(found: Estimates, weight: float, claim: int) -> Verdict:
    """The verdict on claim 1 or 2: whether all its quantities pass."""
    return statistics.all_hold(
        rule.verdict(effect(found, weight, key)) for key, rule in RULES[claim].items()
    )


def both(found: Estimates, weight: float) -> Verdict:
    """The verdict on claims 1 and 2 together."""
    return statistics.all_hold(verdict(found, weight, claim) for claim in RULES)


def rows(
    work: Workspace, found: OverSeeds, names: Mapping[float | None, str]
) -> Iterator[Row]:
    """A row for each quantity of each network, beside Table II where it prints it.

    `names`: weight -> `vanilla`, `semantic`, or that with its weight.
    """
    for weight, name in names.items():
        for key, quantity in QUANTITIES.items():
            if key == "label_accuracy" and weight is None:
                continue
            number = printed.TABLE_2.get(f"{name}_{key}")
            yield row(
                f"{name}_{key}",
                f"{name}: {quantity.name}",
                found.values(weight, key),
                unit=quantity.unit,
                printed=number,
                tag=work.tag(number),
            )
