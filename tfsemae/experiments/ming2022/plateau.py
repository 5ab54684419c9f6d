"""What the paper does not print: a loss and initialiser that leave the mean image."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.estimates import measured
from tfsemae.experiments.ming2022 import runs
from tfsemae.experiments.ming2022.printed import PLATEAU
from tfsemae.reports.ledger import Choice

_Psnr = Mapping[str, np.ndarray]  # network -> dB of each seed


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes the rows of `ming2022_plateau`, and chooses."""
    psnr = {
        form: {
            name: np.array([measured(run, "psnr") for run in work.folders(each)])
            for name, each in networks.items()
        }
        for form, networks in runs.plateau(work.scale).items()
    }
    steps = runs.PLATEAU[work.scale].steps
    loss, initializer = choose_form(psnr)
    reason = (
        f"highest PSNR of those above {PLATEAU:g} dB from every seed with both "
        "networks; the paper prints neither"
    )
    return {
        "rows": [
            row(
                "_".join((name, *form)),
                f"{name}, {form[0]}, {form[1]}: PSNR after {steps} steps",
                values,
                unit="dB",
                tag=work.tag(None),
                note=f"{np.sum(values > PLATEAU)} of {len(values)} seeds above "
                f"{PLATEAU:g} dB, the lowest at {values.min():.2f} dB",
            )
            for form, networks in psnr.items()
            for name, values in networks.items()
        ],
        "choices": [
            Choice(flag=flag, value=value, reason=reason)
            for flag, value in (("loss", loss), ("initializer", initializer))
        ],
    }


def choose_form(psnr: Mapping[tuple[str, str], _Psnr]) -> tuple[str, str]:
    """Chooses loss and initialiser.

    Args:
        psnr: (loss, initializer) -> network -> dB of each seed.

    Returns:
        The form of highest mean PSNR among those with every network and seed
        above the plateau; among all, where there is none such.
    """
    values = {form: np.stack(list(found.values())) for form, found in psnr.items()}
    good = [form for form in values if values[form].min() > PLATEAU]
    return max(good or values, key=lambda form: values[form].mean())
