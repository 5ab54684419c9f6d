"""Areas under the curves of a VAE, a convolutional one, and DRAW, on MNIST.

No printed number could be had: the rows have none beside ours.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import models
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, corrected, row, whole
from tfsemae.experiments.tabacof2016 import pictures
from tfsemae.experiments.tabacof2016.printed import AREA
from tfsemae.experiments.tabacof2016.runs import Group
from tfsemae.experiments.tabacof2016.trade_offs import (
    QUANTITIES,
    Measurements,
    TradeOffs,
)
from tfsemae.experiments.tabacof2018 import runs
from tfsemae.reports import figures
from tfsemae.reports.ledger import Choice, Claim, Picture, Row
from tfsemae.statistics import Above

_LEAST_PAIRS = 2  # of an interval
_TOO_FEW = "fewer than 2 pairs have a curve"
_QUANTITIES = ("auddc", "tolerable", "half_distortion")


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `tabacof2018_draw`."""
    found = TradeOffs(
        {
            group: [Measurements(work.folder(runs.attack(group, work.scale)))]
            for group in runs.GROUPS
        }
    )
    return {
        "rows": list(_rows(work, found)),
        "claims": claims(found),
        "pictures": draw(work, found),
        "choices": list(_choices(work)),
    }


def _rows(work: Workspace, found: TradeOffs) -> Iterator[Row]:
    for group in runs.GROUPS:
        for key in _QUANTITIES:
            if _pairs(found, key, group) < _LEAST_PAIRS:  # of a smoke run
                continue
            values, quantity = found.means(group, key), QUANTITIES[key]
            interval = found.value(group, key)
            yield dataclasses.replace(
                row(
                    f"{group.id}_{key}",
                    f"MNIST, {group}: {quantity.name}",
                    values,
                    unit=quantity.unit,
                    tag=work.tag(None),
                    note="mean over pairs; 95 % bootstrap interval over pairs",
                ),
                low=interval.low,
                high=interval.high,
            )


def claims(found: TradeOffs) -> list[Claim]:
    """What the source concludes, decided pair by pair and corrected by Holm's method.

    Args:
        found: of `runs.GROUPS`.
    """
    compared = [
        (
            "recurrence",
            "Recurrence makes an autoencoder more resistant",
            Group(runs.DRAW, runs.LATENT),
            Group(runs.VAE, runs.LATENT),
        ),
        (
            "attention",
            "Attention makes DRAW more resistant",
            Group(runs.ATTENTION, runs.LATENT),
            Group(runs.DRAW, runs.LATENT),
        ),
        *(
            (
                f"output_{network.id}",
                f"An attack on the output does less than one on the latent ({network})",
                Group(network, runs.OUTPUT),
                Group(network, runs.LATENT),
            )
            for network in runs.NETWORKS
        ),
    ]
    decided, p_values, undecided = [], [], []
    for id_, statement, first, second in compared:
        if _pairs(found, "auddc", first, second) < _LEAST_PAIRS:
            undecided.append(whole(id_, statement, _TOO_FEW, "undecided"))
            continue
        decided.append(
            claim(
                id_,
                statement,
                f"AUDDC, {first} minus {second}; 95 % bootstrap interval over pairs",
                found.difference(first, second, "auddc"),
                Above(AREA),
            )
        )
        p_values.append(_p_value(found, first, second))
    if decided:
        decided = corrected(decided, p_values)
    return [*decided, *undecided]


def _pairs(found: TradeOffs, quantity: str, *groups: Group) -> int:
    """Number of the pairs of which all have a value."""
    each = [found.groups[group][0].of_pairs(quantity) for group in groups]
    return int(np.isfinite(each).all(axis=0).sum())


def _p_value(found: TradeOffs, first: Group, second: Group) -> float:
    """Wilcoxon's test that the median difference of pairs is at the bound."""
    from scipy import stats

    a, b = (found.groups[group][0].of_pairs("auddc") for group in (first, second))
    beyond = (a - b)[np.isfinite(a - b)] - AREA
    return float(stats.wilcoxon(beyond).pvalue)


def draw(work: Workspace, found: TradeOffs) -> list[Picture]:
    """Draws curves of all networks, and the first pairs of each latent attack."""
    latent = {
        group: found.groups[group][0]
        for group in runs.GROUPS
        if group.attack is runs.LATENT
    }
    drawn = pictures.draw_curves("MNIST", latent, work.output_dir)
    for group, run in latent.items():
        trained = work.folder(runs.training(group.network, work.scale))
        path = work.output_dir / f"images_{group.id}.png"
        figures.image_grid(pictures.images(run, models.Autoencoder.load(trained)), path)
        drawn.append(
            Picture(
                file=path.name,
                caption=f"MNIST, {group}: adversarial images at the greatest penalty "
                "with which the output is nearer to the target than to the original.",
            )
        )
    return drawn


def _choices(work: Workspace) -> Iterator[Choice]:
    trained = runs.training(runs.DRAW, work.scale)
    attack = runs.attack(Group(runs.DRAW, runs.LATENT), work.scale)
    output = runs.attack(Group(runs.DRAW, runs.OUTPUT), work.scale)
    yield work.choice("steps", trained, "reduced: the released code has 200 epochs")
    yield work.choice(
        "learning_rate", trained, "higher than 1e-4 of the released code, for few steps"
    )
    yield work.choice("penalties", attack, "reduced: the released code has 50, and 0")
    yield work.choice("seed", attack, "pairs of two classes, shared by all networks")
    yield work.choice("fixed_draws", output, "equal draws for all steps of a search")
