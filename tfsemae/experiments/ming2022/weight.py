"""What the paper does not print: the weight of the classification loss."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.artefact import Made
from tfsemae.experiments.claims import Estimates, OverSeeds, claim
from tfsemae.experiments.ming2022 import printed, runs, section3
from tfsemae.experiments.ming2022.section3 import QUANTITIES, RULES, STATEMENTS
from tfsemae.reports import figures
from tfsemae.reports.ledger import Choice, Claim, Picture
from tfsemae.statistics import Interval

_ANY_WEIGHT = "3_both"


def build(made: Made) -> Mapping[str, Any]:
    """Makes rows, claims and frontiers of `ming2022_weight`, and chooses."""
    found = section3.estimates(made, runs.weight(made.scale))
    weights = runs.WEIGHTS[made.scale]
    names = {None: "vanilla"} | {w: f"semantic{w:g}" for w in weights}
    return {
        "rows": [
            row
            for weight, name in names.items()
            for row in section3.rows(made, found, weight, name)
        ],
        "claims": [_any_weight(found, weights), *_claims_by_weight(found, weights)],
        "pictures": _draw(made, found, weights),
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
    both = [w for w in tighter if section3.verdict(found, w, 1) == "holds"]
    if both:
        return min(both)
    return min(tighter or weights, key=lambda w: _cost(found, w))


def _cost(found: Estimates, weight: float) -> float:
    margins = {"psnr": printed.PSNR_MARGIN, "ssim": printed.SSIM_MARGIN}
    return max(
        abs(section3.effect(found, weight, key).effect) / margin
        for key, margin in margins.items()
    )


def _claims_by_weight(found: OverSeeds, weights: Sequence[float]) -> list[Claim]:
    return [_claim(found, weight, number) for weight in weights for number in RULES]


def _claim(found: OverSeeds, weight: float, number: int) -> Claim:
    """A claim at a weight: the effect of its first quantity, the other in the note."""
    (key, rule), (beside, beside_rule) = RULES[number].items()
    unit = QUANTITIES[beside].unit
    made = claim(
        f"{number}_weight{weight:g}",
        f"{STATEMENTS[number]}: weight {weight:g}",
        f"{QUANTITIES[beside].name} {beside_rule.sentence(unit)}; {QUANTITIES[key]}, "
        "semantic minus vanilla",
        section3.effect(found, weight, key),
        rule,
        unit=QUANTITIES[key].unit,
        note=_described(beside, section3.effect(found, weight, beside)),
    )
    return dataclasses.replace(
        made, verdict=section3.verdict(found, weight, number), part_of=_ANY_WEIGHT
    )


def _described(key: str, effect: Interval) -> str:
    return (
        f"{QUANTITIES[key]}: {effect.effect:+.2f}, interval {effect.low:+.2f} to "
        f"{effect.high:+.2f}"
    )


def _any_weight(found: OverSeeds, weights: Sequence[float]) -> Claim:
    verdicts = {
        w: statistics.all_hold(section3.verdict(found, w, number) for number in RULES)
        for w in weights
    }
    held = [f"{w:g}" for w in weights if verdicts[w] == "holds"]
    undecided = [f"{w:g}" for w in weights if verdicts[w] == "undecided"]
    return Claim(
        id=_ANY_WEIGHT,
        statement="A weight exists at which claims 1 and 2 hold together",
        measurement=f"claims 1 and 2 at {len(weights)} weights",
        effect=None,
        low=None,
        high=None,
        verdict="holds" if held else "undecided" if undecided else "does not hold",
        note=f"together at: {', '.join(held) or 'none'}; undecided at: "
        f"{', '.join(undecided) or 'none'}",
    )


def _draw(made: Made, found: OverSeeds, weights: Sequence[float]) -> list[Picture]:
    pictures, seeds = [], runs.WEIGHT_SCALES[made.scale].seeds
    for key in ("silhouette", "knn_accuracy"):
        panels = [_panel(found, weights, key, quality) for quality in ("psnr", "ssim")]
        file = f"frontier_{key}.png"
        figures.curves(panels, made.output_dir / file)
        listed = ", ".join(f"{w:g}" for w in weights)
        pictures.append(
            Picture(
                file=file,
                caption=f"Reconstruction against the {QUANTITIES[key].name}. "
                f"One point per weight, along the curve {listed}: mean and "
                f"standard deviation over {seeds} seeds.",
            )
        )
    return pictures


def _panel(found: OverSeeds, weights: Sequence[float], x: str, y: str) -> figures.Panel:
    return figures.Panel(
        x_label=str(QUANTITIES[x]),
        y_label=str(QUANTITIES[y]),
        curves=[
            _curve("semantic, by weight", found, weights, x, y),
            _curve("vanilla", found, [None], x, y),
        ],
        levels=[
            (f"{name}, printed", printed.TABLE_2[f"{name}_{y}"])
            for name in ("vanilla", "semantic")
        ],
    )


def _curve(
    label: str, found: OverSeeds, weights: Sequence[float | None], x: str, y: str
) -> figures.Curve:
    xs, ys = (np.stack([found.values(w, key) for w in weights]) for key in (x, y))
    return figures.Curve(
        label=label,
        x=xs.mean(axis=1),
        y=ys.mean(axis=1),
        x_error=xs.std(axis=1, ddof=1),
        y_error=ys.std(axis=1, ddof=1),
        names=[f"{w:g}" for w in weights if w is not None],
    )
