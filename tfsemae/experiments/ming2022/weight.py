"""What the paper does not print: the weight of the classification loss."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tfsemae.experiments import pictures
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import whole
from tfsemae.experiments.estimates import Estimates
from tfsemae.experiments.ming2022 import printed, runs, section3
from tfsemae.experiments.ming2022.section3 import QUANTITIES, RULES, STATEMENTS
from tfsemae.reports.ledger import Choice, Claim, Picture
from tfsemae.statistics import Rule

_ANY_WEIGHT = "3_both"
#: Of each claim the effect that is shown; the others are in the note.
_LEADING = {1: "psnr", 2: "kmeans_nmi"}


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes rows, claims and frontiers of `ming2022_weight`, and chooses."""
    found = section3.estimates(work, runs.weight(work.scale))
    weights = runs.WEIGHTS[work.scale]
    names = {None: "vanilla"} | {w: f"semantic{w:g}" for w in weights}
    return {
        "rows": list(section3.rows(work, found, names)),
        "claims": [
            _any_weight(found, weights, runs.WEIGHT_SCALES[work.scale].steps),
            *(
                _claim(found, weight, number, max(weights))
                for weight in weights
                for number in RULES
            ),
        ],
        "pictures": _draw(work, found, weights),
        "choices": [
            Choice(
                flag="semantic_weight",
                value=choose_weight(found, weights),
                reason="the largest at which claim 1 holds; the smallest of all, if "
                "it holds at none",
            )
        ],
    }


def choose_weight(found: Estimates, weights: Sequence[float]) -> float:
    """Chooses the weight of the classification.

    Args:
        found: the measurements; weight None is the vanilla network.
        weights: to choose from.

    Returns:
        The largest weight at which label information costs next to nothing
        (claim 1); the smallest of all, where there is none.
    """
    cheap = [w for w in weights if section3.verdict(found, w, 1) == "holds"]
    return max(cheap, default=min(weights))


def _claim(found: Estimates, weight: float, number: int, most: float) -> Claim:
    """A claim at a weight: the effect of one quantity, the others in the note.

    `most`: the greatest weight, of whose effect the note gives the share.
    """
    key, rules = _LEADING[number], RULES[number]
    decided = section3.effect_claim(
        found,
        weight,
        key,
        rules[key],
        f"{number}_weight{weight:g}",
        f"{STATEMENTS[number]}: weight {weight:g}",
    )
    notes = [
        _note(found, weight, other, rule)
        for other, rule in rules.items()
        if other != key
    ]
    effect = section3.effect(found, weight, key).effect
    share = effect / section3.effect(found, most, key).effect
    notes.append(f"{round(100 * share)} % of the effect at weight {most:g}")
    return dataclasses.replace(
        decided,
        verdict=section3.verdict(found, weight, number),
        part_of=_ANY_WEIGHT,
        note="; ".join(notes),
    )


def _note(found: Estimates, weight: float, key: str, rule: Rule) -> str:
    effect, unit = section3.effect(found, weight, key), section3.effect_unit(key)
    value = f"{effect.effect:+#.3g} {unit}".rstrip()
    return (
        f"{QUANTITIES[key].name}: {value} "
        f"[{effect.low:+#.3g}, {effect.high:+#.3g}], {rule.sentence(unit)}, "
        f"{rule.verdict(effect)}"
    )


def _any_weight(found: Estimates, weights: Sequence[float], steps: int) -> Claim:
    verdicts = {f"{weight:g}": section3.both(found, weight) for weight in weights}
    held, undecided = (
        ", ".join(weight for weight, verdict in verdicts.items() if verdict == each)
        for each in ("holds", "undecided")
    )
    return whole(
        _ANY_WEIGHT,
        f"Both at once (some weight, {steps:,} steps)",
        f"claims 1 and 2 at {len(weights)} weights",
        "holds" if held else "undecided" if undecided else "does not hold",
        note=f"together at: {held or 'none'}; undecided at: {undecided or 'none'}",
    )


def _draw(work: Workspace, found: Estimates, weights: Sequence[float]) -> list[Picture]:
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
            f"at least {seeds} seeds.",
        )
        for key in RULES[2]
    ]
