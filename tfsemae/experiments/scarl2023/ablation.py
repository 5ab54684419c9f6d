"""Which terms of SCARL contribute, and whether the words do by their meaning."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.estimates import measured
from tfsemae.experiments.scarl2023 import accuracies, runs
from tfsemae.experiments.scarl2023.accuracies import Accuracies, Difference
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, NotBelow

_SCARL = "scarl"
_NAMES = {_SCARL: "SCARL"} | {
    name: f"SCARL, {variant.title}" for name, variant in runs.VARIANTS.items()
}
#: What the source has terms for; `gram` is ours.
_PARTS = ("none", "mi", "struct")
_DECIDING = ("pgd20", "cw20")


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `scarl2023_ablation`."""
    found = Accuracies(work, _NAMES)
    return {
        "rows": [*found.rows(), *_information(work)],
        "claims": [*_contribute(found), *_semantic(found)],
        "pictures": [_draw(work, found)],
        "choices": accuracies.choices(work),
        "warnings": list(accuracies.warnings(work, runs.ablation(work.scale))),
    }


def _information(work: Workspace) -> Iterator[Row]:
    """What codes of test images tell of the words, by the heads of the training."""
    for name, title in _NAMES.items():
        trained = [
            runs.training(name, seed, work.scale) for seed in runs.seeds(work.scale)
        ]
        yield row(
            f"{name}_information",
            f"{title}: lower bound on the information of test images and words",
            [measured(folder, "word_information") for folder in work.folders(trained)],
            tag=work.tag(None),
            unit="nats",
            note="at most ln 10 = 2.303",
        )


def _contribute(found: Accuracies) -> list[Claim]:
    """K6."""
    contribute, *parts = accuracies.compared(
        "K6",
        "Both terms contribute: SCARL is as robust as without one or both, or more",
        [
            Difference(found, _SCARL, name, condition)
            for name in _PARTS
            for condition in _DECIDING
        ],
        NotBelow(0.0),
    )
    gains = [part.id.removeprefix("K6_") for part in parts if _is_gain(part)]
    note = f"more than one standard error above: {', '.join(gains) or 'none'}"
    return [dataclasses.replace(contribute, note=note if parts else ""), *parts]


def _is_gain(part: Claim) -> bool:
    return part.low is not None and part.low > 0


def _semantic(found: Accuracies) -> list[Claim]:
    """K7."""
    semantic, *parts = accuracies.compared(
        "K7",
        "The gain is semantic: vectors without the meaning of the words give less",
        [
            Difference(found, _SCARL, name, condition)
            for name in runs.WORDS
            for condition in _DECIDING
        ],
        Above(0.0),
    )
    needed = semantic.verdict == "holds" or not parts
    note = "" if needed else "the content of the words is not needed"
    return [dataclasses.replace(semantic, note=note), *parts]


def _draw(work: Workspace, found: Accuracies) -> Picture:
    panels = {
        "terms of the loss": [_SCARL, *runs.TERMS],
        "words": [_SCARL, *runs.WORDS],
    }
    caption = "SCARL with other terms, and with other vectors in place of the words."
    return accuracies.draw(work, found, panels, "ablation.png", caption)
