"""Robust accuracies of the procedures, and whether SCARL helps."""

from collections.abc import Iterator, Mapping
from typing import Any

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import not_run
from tfsemae.experiments.scarl2023 import accuracies, printed, runs
from tfsemae.experiments.scarl2023.accuracies import Accuracies, Difference
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above

#: Network -> what was printed of it, and the end of the names of its flagfiles.
_PRINTED = {
    "ResNet-18": (printed.RESNET18, ""),
    "WRN-34-10": (printed.WIDE_RESNET34, "_wrn"),
}
_CONDITIONS = accuracies.ALL_IMAGES | {
    "pgd100": "accuracy under PGD-100",
    "cw20": "accuracy under CW",  # its steps are not printed
    "autoattack": "accuracy under AutoAttack",
}


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `scarl2023_robustness`."""
    all_images = Accuracies(work, runs.TRAINED)
    some = Accuracies(work, runs.TRAINED, few=True)
    return {
        "rows": [*all_images.rows(), *some.rows(), *_full_scale()],
        "claims": _helps(all_images, some),
        "pictures": [_draw(work, all_images)],
        "choices": accuracies.choices(work),
        "warnings": list(accuracies.warnings(work, runs.robustness(work.scale))),
    }


def _full_scale() -> Iterator[Row]:
    """What another paper printed of networks that are not trained here."""
    for network, (of_methods, ending) in _PRINTED.items():
        for method, values in of_methods.items():
            note = (
                "printed in a comparison by others, 150 epochs, 7 runs; of 200 epochs "
                f"flags/scarl2023_{method}{ending}.flags"
            )
            for condition, value in values.items():
                weaker = "; attacked by aa_lite, which is weaker"
                yield not_run(
                    f"{network}_{method}_{condition}",
                    f"{network}, {runs.TRAINED[method]}: {_CONDITIONS[condition]}",
                    value,
                    unit="%",
                    note=note + (weaker if condition == "autoattack" else ""),
                )


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
