"""Robust accuracies of the procedures, and whether SCARL helps."""

from collections.abc import Mapping
from typing import Any

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.scarl2023 import accuracies, runs
from tfsemae.experiments.scarl2023.accuracies import Accuracies, Difference
from tfsemae.reports.ledger import Claim, Picture
from tfsemae.statistics import Above


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `scarl2023_robustness`."""
    all_images = Accuracies(work, runs.TRAINED)
    some = Accuracies(work, runs.TRAINED, few=True)
    return {
        "rows": [*all_images.rows(), *some.rows()],
        "claims": _helps(all_images, some),
        "pictures": [_draw(work, all_images)],
        "choices": accuracies.choices(work),
        "warnings": list(accuracies.warnings(work, runs.robustness(work.scale))),
    }


def _helps(all_images: Accuracies, some: Accuracies) -> list[Claim]:
    """K5."""
    return accuracies.compared(
        "K5",
        "SCARL is more robust than TRADES",
        [
            Difference(found, "scarl", "trades", condition)
            for found, condition in (
                (all_images, "pgd20"),
                (all_images, "cw20"),
                (some, "aa_lite"),
            )
        ],
        Above(0.0),
    )


def _draw(work: Workspace, found: Accuracies) -> Picture:
    panels = {"procedures": list(runs.TRAINED)}
    caption = "What robustness costs, by procedure."
    return accuracies.draw(work, found, panels, "procedures.png", caption)
