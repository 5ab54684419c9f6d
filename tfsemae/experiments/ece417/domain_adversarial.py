"""Domain-adversarial training: digits by features that do not tell their tint.

With y the probabilities of the digit and s those of the nuisance, the network minimises

    E_primary - factor * E_adversary
    E_primary = -ln y_digit,   E_adversary = -ln s_state

and the adversary E_adversary. New classifiers on the frozen features are the judges.
"""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import data
from tfsemae.data.nuisance import STATES
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import estimated_row
from tfsemae.experiments.ece417 import bounds, domain_runs, measures
from tfsemae.experiments.ece417.adversary import (
    ADVERSARY,
    CHANCE,
    GUESS,
    LINEAR_PROBE,
    PROBE,
    Comparison,
    quantities,
)
from tfsemae.experiments.ece417.domain_runs import DOMAIN_GROUPS, FACTORS, NUISANCES
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above

_DIGITS = "accuracy"
_QUANTITIES = {
    _DIGITS: Quantity("accuracy of the digit", "%", 100),
    **quantities("nuisance found", "test images"),
}
_STATE_NAMES = {
    "colour": ("red", "green", "blue", "yellow"),
    "rot": ("not turned", "by 90°", "by 180°", "by 270°"),
}
_SEARCHED = (
    "searched before these trainings with one seed for each setting, on test images, "
    "whose tint a new classifier still found then"
)
_PLAIN, _SLIDE = FACTORS[0], FACTORS[-1]


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ece417_domain_adversarial`."""
    folders = {
        (nuisance, factor): work.folders(
            [
                domain_runs.domain_adversarial(nuisance, factor, seed, work.scale)
                for seed in domain_runs.seeds_of(nuisance, work.scale)
            ]
        )
        for nuisance, factor in DOMAIN_GROUPS
    }
    found = Estimates(folders, _QUANTITIES)
    first = domain_runs.domain_adversarial("colour", _SLIDE, 0, work.scale)
    return {
        "rows": list(_rows(work, found)),
        "claims": _claims(found),
        "pictures": [
            _draw_images(work),
            _draw_factors(found, work.output_dir / "factors.png"),
            _draw_training(work, work.output_dir / "training.png"),
        ],
        "choices": [
            work.choice("model", first, f"no network is printed; {_SEARCHED}"),
            work.choice("nuisance", first, "the lecture's nuisance is the speaker"),
            work.choice(
                "sgd_momentum",
                first,
                f"keeps E_adversary near that of a guess; {_SEARCHED}",
            ),
            work.choice("learning_rate", first, f"no rate is printed; {_SEARCHED}"),
            work.choice("reversal_ramp_steps", first, "the first half of the training"),
        ],
    }


def _rows(work: Workspace, found: Estimates) -> Iterator[Row]:
    for nuisance, factor in DOMAIN_GROUPS:
        for key, quantity in _QUANTITIES.items():
            yield estimated_row(
                found,
                (nuisance, factor),
                key,
                f"{nuisance}_{factor:g}_{key.rpartition('/')[2]}",
                f"{NUISANCES[nuisance]}, factor {factor:g}: {quantity.name}",
                tag=work.tag(None),
            )


def _claims(found: Estimates) -> list[Claim]:
    contrast = f"factor {_SLIDE:g} minus factor {_PLAIN:g}"

    def compared(nuisance: str) -> Comparison:
        return Comparison(found, (nuisance, _SLIDE), (nuisance, _PLAIN), contrast)

    tints = compared("colour")
    return [
        *tints.hidden(
            "Features that are trained against an adversary do not tell the tint",
            tints.claim(
                "1_kept",
                "They tell the digits as well as before",
                _DIGITS,
                Above(-bounds.DIGITS_LOST),
            ),
            bounds.HIDDEN,
        ),
        compared("biased").claim(
            "2",
            "Where the tint goes with the digit in training only, digits of any tint "
            "are recognised better",
            _DIGITS,
            Above(bounds.UNBIASED),
        ),
        tints.underrated("tint"),
    ]


def _draw_images(work: Workspace) -> Picture:
    """One image of each class in all states of both nuisances."""
    test = measures.load(work, "test")
    assert test.labels is not None  # of digits
    firsts = [int(np.argmax(test.labels == label)) for label in range(9)]
    images = data.take(test, np.array(firsts))
    rows = []
    for nuisance, names in _STATE_NAMES.items():
        for state, name in enumerate(names):
            states = np.full(len(images), state)
            seen = data.pixels(data.with_nuisance(images, states, nuisance))
            rows.append((name, np.broadcast_to(seen, (*seen.shape[:3], 3))))
    path = work.output_dir / "images.png"
    figures.image_grid(rows, path)
    return Picture(
        file=path.name,
        caption="Digits of the test set in the four states of each nuisance. The turn "
        "leaves 9 out, which is a turned 6.",
    )


def _draw_factors(found: Estimates, path: pathlib.Path) -> Picture:
    digits = [
        _curve(found, nuisance, _DIGITS, NUISANCES[nuisance])
        for nuisance in ("colour", "biased")
    ]
    judges = {
        PROBE: "new classifier",
        LINEAR_PROBE: "new linear classifier",
        ADVERSARY: "adversary",
    }
    told = [_curve(found, "colour", key, label) for key, label in judges.items()]
    x_label = "factor of the reversed gradient"
    figures.curves(
        [
            figures.Panel(
                x_label=x_label,
                y_label=str(_QUANTITIES[_DIGITS]),
                title="digits",
                curves=digits,
            ),
            figures.Panel(
                x_label=x_label,
                y_label="tints found (%)",
                title=f"what is found, {NUISANCES['colour']}",
                curves=told,
                levels=[("a guess", CHANCE)],
            ),
        ],
        path,
    )
    over = found.interval_over(len(found.values(("colour", _SLIDE), PROBE)))
    return Picture(
        file=path.name,
        caption="Left, digits that networks recognise whose training had tints at "
        "random, or tints that went with the digit. Right, tints that classifiers find "
        "in features of the former. All on test images of random tints. Bars: 95 % "
        f"{over}, which may reach beyond 100 %.",
    )


def _curve(found: Estimates, nuisance: str, key: str, label: str) -> figures.Curve:
    factors = [factor for kind, factor in DOMAIN_GROUPS if kind == nuisance]
    each = [found.value((nuisance, factor), key) for factor in factors]
    return figures.Curve(
        label=label,
        x=factors,
        y=[interval.effect for interval in each],
        y_error=[interval.high - interval.effect for interval in each],
    )


def _draw_training(work: Workspace, path: pathlib.Path) -> Picture:
    curves = []
    for factor in FACTORS:
        run = domain_runs.domain_adversarial("colour", factor, 0, work.scale)
        log = measures.log(work.folder(run))
        curves.append(
            figures.Curve(
                label=f"factor {factor:g}", x=log["step"], y=log["nuisance_loss"]
            )
        )
    panel = figures.Panel(
        x_label="training step",
        y_label="E_adversary (nats)",
        curves=curves,
        levels=[(f"ln {STATES}, a guess", GUESS)],
    )
    figures.curves([panel], path)
    return Picture(
        file=path.name,
        caption="E_adversary while networks train on random tints, seed 0. Near ln 4, "
        "and above, the adversary is fooled; that does not prove that the features do "
        "not tell the tint.",
    )
