"""Robust accuracies of the procedures, and whether SCARL helps."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import run_folder
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, estimated_row, whole, with_parts
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.experiments.scarl2023 import runs
from tfsemae.reports.ledger import Claim, NamedWarning, Row
from tfsemae.statistics import Above, Interval

_QUANTITIES = {
    "clean/accuracy": Quantity("accuracy on natural images", "%", 100),
    "noise/accuracy": Quantity("accuracy under random corners of the ball", "%", 100),
    "fgsm/accuracy": Quantity("accuracy under FGSM", "%", 100),
    "pgd20/accuracy": Quantity("accuracy under PGD-20", "%", 100),
    "cw20/accuracy": Quantity("accuracy under CW, 20 steps", "%", 100),
}
_FEW = {"aa_lite/accuracy": Quantity("accuracy under aa_lite", "%", 100)}
_HELPS = "SCARL is more robust than TRADES"
_LEAST_SEEDS = 2  # of a standard error


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes rows and claims of `scarl2023_robustness`."""
    all_images, some = (
        Estimates(
            {
                procedure: [
                    work.folder(runs.attack(procedure, seed, work.scale, few=few))
                    for seed in runs.seeds(work.scale)
                ]
                for procedure in runs.TRAINED
            },
            quantities,
        )
        for few, quantities in ((False, _QUANTITIES), (True, _FEW))
    )
    first = runs.training("scarl", 0, work.scale)
    return {
        "rows": [*_rows(work, all_images), *_rows(work, some)],
        "claims": _helps(all_images, some),
        "pictures": [],
        "choices": [
            work.choice("mi", first, "the formula of the paper is not known to us"),
            work.choice("struct", first, "that of the released code"),
            work.choice("adversarial_steps", first, "as in the released code"),
        ],
        "warnings": list(_warnings(work)),
    }


def _rows(work: Workspace, found: Estimates) -> Iterator[Row]:
    for procedure, name in runs.TRAINED.items():
        for key, quantity in found.quantities.items():
            yield estimated_row(
                found,
                procedure,
                key,
                f"{procedure}_{key.partition('/')[0]}",
                f"{name}: {quantity.name}",
                tag=work.tag(None),
            )


def _helps(all_images: Estimates, some: Estimates) -> list[Claim]:
    """K5: differences of networks of one seed, more than their standard error."""
    parts = []
    for found, key in (
        (all_images, "pgd20/accuracy"),
        (all_images, "cw20/accuracy"),
        (some, "aa_lite/accuracy"),
    ):
        scarl, trades = found.paired(("scarl", key), ("trades", key))
        if len(scarl) < _LEAST_SEEDS:
            return [whole("K5", _HELPS, "fewer than 2 seeds", "undecided")]
        parts.append(
            claim(
                f"K5_{key.partition('/')[0]}",
                _HELPS,
                f"{found.quantities[key].name}, SCARL less TRADES, paired by seed; one "
                f"standard error over {len(scarl)} seeds",
                _within_a_standard_error(scarl - trades),
                Above(0.0),
                unit="points",
            )
        )
    return with_parts("K5", _HELPS, parts)


def _within_a_standard_error(values: np.ndarray) -> Interval:
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    return Interval(mean, mean - error, mean + error)


def _warnings(work: Workspace) -> Iterator[NamedWarning]:
    """What the checks of the attacks found, each with the networks that it was."""
    found = defaultdict(list)
    planned = runs.robustness(work.scale)
    for run in planned:
        for sentence in run_folder.read_metrics(work.folder(run))["warnings"]:
            check, _, text = sentence.partition(": ")
            found[check].append(f"{run.label}: {text}")
    for check, texts in sorted(found.items()):
        what = f"{len(texts)} findings in {len(planned)} attack runs: "
        yield NamedWarning(name=check, text=what + "; ".join(texts))
