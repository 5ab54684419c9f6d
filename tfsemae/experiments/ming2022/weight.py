"""What the paper does not print: the weight of the classification loss."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tfsemae.experiments import pictures
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, whole
from tfsemae.experiments.estimates import Estimates, OverSeeds
from tfsemae.experiments.ming2022 import printed, runs, section3
from tfsemae.experiments.ming2022.section3 import QUANTITIES, RULES, STATEMENTS
from tfsemae.reports.ledger import Choice, Claim, Picture

_ANY_WEIGHT = "3_both"


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes rows, claims and frontiers of `ming2022_weight`, and chooses."""
    found = section3.estimates(work, runs.weight(work.scale))
    weights = runs.WEIGHTS[work.scale]
    names = {None: "vanilla"} | {w: f"semantic{w:g}" for w in weights}
    return {
        "rows": list(section3.rows(work, found, names)),
        "claims": [
            _any_weight(found, weights),
            *(_claim(found, weight, n) for weight in weights for n in RULES),
        ],
        "pictures": _draw(work, found, weights),
        "choices": [
            Choice(
                flag="semantic_weight",
                value=choose_weight(found, weights),
                reason="the smallest at which claims 1 and 2 hold; where there is "
                "none, the one that breaks claim 1 least among those at which claim 2 "
                "holds",
            )
        ],
    }


def choose_weight(found: Estimates, weights: Sequence[float]) -> float:
    """Chooses the weight of the classification.

    Args:
        found: the measurements; weight None is the vanilla network.
        weights: to choose from.

    Returns:
        The smallest weight at which claims 1 and 2 hold. Where there is none, the
        one that breaks claim 1 least, in units of its margins, among those at
        which claim 2 holds; among all, where there is none such either.
    """
    tighter = [w for w in weights if section3.verdict(found, w, 2) == "holds"]
    if both := [w for w in tighter if section3.both(found, w) == "holds"]:
        return min(both)
    return min(tighter or weights, key=lambda w: _cost(found, w))


def _cost(found: Estimates, weight: float) -> float:
    psnr, ssim = (section3.effect(found, weight, key) for key in ("psnr", "ssim"))
    return max(
        abs(psnr.effect) / printed.PSNR_MARGIN, abs(ssim.effect) / printed.SSIM_MARGIN
    )


def _claim(found: OverSeeds, weight: float, number: int) -> Claim:
    """A claim at a weight: the effect of its first quantity, the other in the note."""
    (key, rule), (beside, beside_rule) = RULES[number].items()
    other, effect = QUANTITIES[beside], section3.effect(found, weight, beside)
    decided = claim(
        f"{number}_weight{weight:g}",
        f"{STATEMENTS[number]}: weight {weight:g}",
        f"{other.name} {beside_rule.sentence(other.unit)}; {QUANTITIES[key]}, "
        "semantic minus vanilla",
        section3.effect(found, weight, key),
        rule,
        unit=QUANTITIES[key].unit,
        note=f"{other}: {effect.effect:+.2f}, interval {effect.low:+.2f} to "
        f"{effect.high:+.2f}",
    )
    return dataclasses.replace(
        decided, verdict=section3.verdict(found, weight, number), part_of=_ANY_WEIGHT
    )


def _any_weight(found: OverSeeds, weights: Sequence[float]) -> Claim:
    verdicts = {f"{weight:g}": section3.both(found, weight) for weight in weights}
    held, undecided = (
        ", ".join(weight for weight, verdict in verdicts.items() if verdict == each)
        for each in ("holds", "undecided")
    )
    return whole(
        _ANY_WEIGHT,
        "A weight exists at which claims 1 and 2 hold together",
        f"claims 1 and 2 at {len(weights)} weights",
        "holds" if held else "undecided" if undecided else "does not hold",
        note=f"together at: {held or 'none'}; undecided at: {undecided or 'none'}",
    )


def _draw(work: Workspace, found: OverSeeds, weights: Sequence[float]) -> list[Picture]:
    seeds, listed = runs.WEIGHT_SCALES[work.scale].seeds, [f"{w:g}" for w in weights]
    printed_levels = {
        key: [
            (f"{name}, printed", printed.TABLE_2[f"{name}_{key}"])
            for name in ("vanilla", "semantic")
        ]
        for key in ("psnr", "ssim")
    }
    return [
        pictures.frontiers(
            found,
            key,
            printed_levels,
            {"semantic, by weight": weights, "vanilla": [None]},
            work.output_dir / f"frontier_{key}.png",
            f"Reconstruction against the {QUANTITIES[key].name}. One point per weight, "
            f"along the curve {', '.join(listed)}: mean and standard deviation over "
            f"{seeds} seeds.",
        )
        for key in ("silhouette", "knn_accuracy")
    ]
