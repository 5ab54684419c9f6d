"""Section 3: attacks on autoencoders, their curves, and Figs. 2 and 3."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.tabacof2016 import claims, pictures, printed, runs
from tfsemae.experiments.tabacof2016.runs import (
    AE,
    KL,
    L2,
    MAIN,
    RELEASED,
    VAE,
    Group,
)
from tfsemae.experiments.tabacof2016.trade_offs import (
    QUANTITIES,
    Measurements,
    TradeOffs,
)
from tfsemae.reports.ledger import Choice, Row

#: Which of our attacks the authors made.
_PUBLISHED = {Group(VAE, RELEASED): "vae", Group(AE, L2): "ae"}
_OF_FURTHER = ("auddc", "tolerable")
_OF_RUNS = {
    "converged": "problems that SciPy calls converged",
    "abnormal": "problems that ended by an abnormal line search",
}


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of an artefact of section 3."""
    dataset = work.artefact.name.removeprefix("tabacof2016_")
    found = TradeOffs(
        {
            group: [
                Measurements(work.folder(run))
                for run in runs.attacks(group, dataset, work.scale)
            ]
            for group in (*MAIN, *runs.further(dataset))
        }
    )
    return {
        "rows": list(_rows(work, dataset, found)),
        "claims": list(claims.claims(found)),
        "pictures": pictures.draw(work, dataset, found),
        "choices": _choices(work, dataset),
    }


def _rows(work: Workspace, dataset: str, found: TradeOffs) -> Iterator[Row]:
    stands_for = runs.STANDS_FOR.get(dataset)
    published = printed.RELEASED[stands_for or dataset]
    for group in found.groups:
        numbers = published.get(_PUBLISHED.get(group, ""), {})
        for key in QUANTITIES if group in MAIN else _OF_FURTHER:
            values = found.means(group, key)
            if not np.isfinite(values).all():  # of a smoke run
                continue
            quantity, number = QUANTITIES[key], numbers.get(key)
            interval = found.value(group, key)
            yield dataclasses.replace(
                row(
                    f"{group.id}_{key}",
                    f"{runs.NAMES[dataset]}, {group}: {quantity.name}",
                    values,
                    unit=quantity.unit,
                    printed=number,
                    tag="stand-in" if stands_for else work.tag(number),
                    note="mean over pairs; interval over pairs, joined over seeds"
                    + ("; beside it the authors' published results" if numbers else ""),
                ),
                low=interval.low,
                high=interval.high,
            )
        for key, ended in _OF_RUNS.items():
            yield row(
                f"{group.id}_{key}",
                f"{runs.NAMES[dataset]}, {group}: {ended}",
                [100 * run.found[key] for run in found.groups[group]],
                unit="%",
                tag="stand-in" if stands_for else work.tag(None),
            )


def _choices(work: Workspace, dataset: str) -> list[Choice]:
    trained = runs.training(VAE, dataset, 0, work.scale)
    attack = runs.attacks(Group(VAE, KL), dataset, work.scale)[0]
    of_training = {
        "binarize": "the paper says binarised; the released code leaves the test "
        "images grey",
        "steps": "not printed; that of the released code",
    }
    of_attack = {
        "distance": "the KL divergence that the paper prints; `released` is what the "
        "code computes in its place",
        "least_log2_penalty": "that of the released code, of one row for its 100",
        "seed": "pairs of our own, shared by all networks",
    }
    return [
        *(
            work.choice(flag, trained, why)
            for flag, why in of_training.items()
            if dataset == "mnist" or flag != "binarize"
        ),
        *(work.choice(flag, attack, why) for flag, why in of_attack.items()),
    ]
