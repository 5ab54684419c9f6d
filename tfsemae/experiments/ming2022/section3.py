"""What the artefacts of section III share: quantities, rows, claims 1 and 2."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tfsemae import statistics
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row
from tfsemae.experiments.estimates import Estimates, Quantity, measured
from tfsemae.experiments.ming2022 import printed
from tfsemae.experiments.runs import Run
from tfsemae.reports.ledger import Claim, Row
from tfsemae.statistics import Above, Below, Interval, Rule, Verdict, Within

_FIRST = 100  # the paper averages over the images of Fig. 3, a handful


def mean_of_first(folder: pathlib.Path, key: str) -> float:
    """The mean of a quantity over the first 100 images, which must be there."""
    with np.load(folder / MEASUREMENTS_FILE) as arrays:
        values = arrays[key][:_FIRST]
    if len(values) < _FIRST:
        raise ValueError(f"{folder / MEASUREMENTS_FILE} has {len(values)} images only.")
    return float(np.mean(values))


def deviation_over_images(folder: pathlib.Path, key: str) -> float:
    """The standard deviation of a quantity over the test images."""
    with np.load(folder / MEASUREMENTS_FILE) as arrays:
        return float(np.std(arrays[key], ddof=1))


def linear_probe_error(folder: pathlib.Path) -> float:
    """What the linear classifier of the code gets wrong, in [0, 1]."""
    return 1 - measured(folder, "linear_probe_accuracy")


QUANTITIES = {
    "psnr": Quantity("PSNR", "dB"),
    "ssim": Quantity("SSIM", "%", 100),
    "psnr_first_100": Quantity(
        "PSNR, first 100 images", "dB", 1, lambda run: mean_of_first(run, "clean/psnr")
    ),
    "ssim_first_100": Quantity(
        "SSIM, first 100 images", "%", 100, lambda run: mean_of_first(run, "clean/ssim")
    ),
    "psnr_deviation": Quantity(
        "PSNR, standard deviation over images",
        "dB",
        1,
        lambda run: deviation_over_images(run, "clean/psnr"),
    ),
    "ssim_deviation": Quantity(
        "SSIM, standard deviation over images",
        "points",
        100,
        lambda run: deviation_over_images(run, "clean/ssim"),
    ),
    "label_accuracy": Quantity("label accuracy", "%", 100),
    "linear_probe_error": Quantity(
        "error of a linear classifier of the code", "%", 100, linear_probe_error
    ),
    "kmeans_nmi": Quantity("k-means NMI of the code"),
    "map_silhouette": Quantity("silhouette of the t-SNE map of 1,000 images"),
    "silhouette": Quantity("silhouette of the code"),
    "scatter_ratio": Quantity("between- / within-class scatter of the code"),
    "knn_accuracy": Quantity("10-NN accuracy of the code", "%", 100),
}
STATEMENTS = {
    1: "Label information costs the reconstruction next to nothing",
    2: "The semantic code forms tighter, better separated classes (Fig. 4)",
}
#: Claim -> quantity -> how its change, semantic against vanilla, is judged.
RULES: dict[int, dict[str, Rule]] = {
    1: {"psnr": Within(printed.PSNR_MARGIN), "ssim": Within(printed.SSIM_MARGIN)},
    2: {
        "linear_probe_error": Below(printed.PROBE_ERROR_CHANGE),
        "kmeans_nmi": Above(printed.NMI_RISE),
        "map_silhouette": Above(printed.MAP_RISE),
    },
}
#: The error of a classifier has no natural scale: its change is in % of itself.
_RELATIVE = ("linear_probe_error",)


def estimates(work: Workspace, runs: Mapping[float | None, Sequence[Run]]) -> Estimates:
    """What the trainings measured, by weight."""
    return Estimates({w: work.folders(each) for w, each in runs.items()}, QUANTITIES)


def effect(found: Estimates, weight: float, key: str) -> Interval:
    """Semantic against vanilla, paired over seeds."""
    change = found.relative_difference if key in _RELATIVE else found.difference
    return change((weight, key), (None, key))


def difference_unit(key: str) -> str:
    """The unit of a difference; that of percentages is in points."""
    unit = QUANTITIES[key].unit
    return "points" if unit == "%" else unit


def effect_unit(key: str) -> str:
    """The unit of `effect`."""
    return "%" if key in _RELATIVE else difference_unit(key)


def verdict(found: Estimates, weight: float, number: int) -> Verdict:
    """The verdict on claim 1 or 2: whether all its quantities pass."""
    return statistics.all_hold(
        rule.verdict(effect(found, weight, key)) for key, rule in RULES[number].items()
    )


def both(found: Estimates, weight: float) -> Verdict:
    """The verdict on claims 1 and 2 together."""
    return statistics.all_hold(verdict(found, weight, number) for number in RULES)


def effect_claim(
    found: Estimates, weight: float, key: str, rule: Rule, id_: str, statement: str
) -> Claim:
    """A claim on the change of one quantity at a weight."""
    change = "in % of the vanilla one" if key in _RELATIVE else "minus vanilla"
    pairs = len(found.paired((weight, key), (None, key))[0])
    return claim(
        id_,
        statement,
        f"{QUANTITIES[key].name}, semantic {change}, paired 95 % "
        f"{found.interval_over(pairs)}",
        effect(found, weight, key),
        rule,
        unit=effect_unit(key),
    )


def rows(
    work: Workspace, found: Estimates, names: Mapping[float | None, str]
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
