"""What the paper does not print: a loss and initialiser that leave the mean image."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import estimated_difference, row
from tfsemae.experiments.estimates import Estimates
from tfsemae.experiments.ming2022 import runs, section3
from tfsemae.experiments.ming2022.printed import PLATEAU, PSNR_MARGIN
from tfsemae.experiments.ming2022.section3 import QUANTITIES
from tfsemae.reports.ledger import Choice, Row

_Form = tuple[str, str]  # (loss, initializer)
_Psnr = Mapping[str, np.ndarray]  # network -> dB of each seed


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes the rows of `ming2022_plateau`, and chooses."""
    found = {
        form: Estimates(
            {name: work.folders(each) for name, each in networks.items()}, QUANTITIES
        )
        for form, networks in runs.plateau(work.scale).items()
    }
    psnr = {
        form: {name: each.values(name, "psnr") for name in ("vanilla", "semantic")}
        for form, each in found.items()
    }
    loss, initializer = choose_form(psnr)
    reason = (
        f"above {PLATEAU:g} dB from every seed with both networks, the first within "
        f"{PSNR_MARGIN:g} dB of the highest PSNR; the paper prints neither"
    )
    return {
        "rows": [
            *_psnr_rows(work, psnr),
            *(
                each
                for form, of_form in found.items()
                for each in _differences(work, form, of_form)
            ),
        ],
        "choices": [
            Choice(flag=flag, value=value, reason=reason)
            for flag, value in (("loss", loss), ("initializer", initializer))
        ],
    }


def choose_form(psnr: Mapping[_Form, _Psnr]) -> _Form:
    """Chooses loss and initialiser.

    Args:
        psnr: (loss, initializer) -> network -> dB of each seed.

    Returns:
        The first of those within `PSNR_MARGIN` of the highest mean PSNR, of the forms
        with every network and seed above the plateau; of all, where there is none such.
    """
    values = {form: np.stack(list(found.values())) for form, found in psnr.items()}
    good = [form for form in values if values[form].min() > PLATEAU] or list(values)
    highest = max(values[form].mean() for form in good)
    return next(form for form in good if values[form].mean() >= highest - PSNR_MARGIN)


def _psnr_rows(work: Workspace, psnr: Mapping[_Form, _Psnr]) -> Iterator[Row]:
    steps = runs.PLATEAU[work.scale].steps
    for form, networks in psnr.items():
        for name, values in networks.items():
            yield row(
                "_".join((name, *form)),
                f"{name}, {form[0]}, {form[1]}: PSNR after {steps} steps",
                values,
                unit="dB",
                tag=work.tag(None),
                note=f"{np.sum(values > PLATEAU)} of {len(values)} seeds above "
                f"{PLATEAU:g} dB, the lowest at {values.min():.2f} dB",
            )


def _differences(work: Workspace, form: _Form, found: Estimates) -> Iterator[Row]:
    """What the labels do under a form: costs and gains, as claims 1 and 2 ask."""
    claims = (1, 2) if form[1] == runs.INITIALIZER else (1,)
    for key in (key for number in claims for key in section3.RULES[number]):
        yield estimated_difference(
            found,
            ("semantic", key),
            ("vanilla", key),
            "_".join(("semantic_minus_vanilla", *form, key)),
            f"semantic minus vanilla, {form[0]}, {form[1]}: {QUANTITIES[key].name}",
            unit=section3.difference_unit(key),
            tag=work.tag(None),
        )
