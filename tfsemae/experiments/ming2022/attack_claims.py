"""The claims of section IV, and the rules that decide them."""

import dataclasses
from collections.abc import Iterator, Sequence

from tfsemae.experiments import claims as machinery
from tfsemae.experiments.claims import Estimates, Quantity, with_parts
from tfsemae.experiments.ming2022 import printed
from tfsemae.experiments.ming2022.attack_runs import Attacker
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Interval
from tfsemae.statistics.verdicts import Above, Below, BelowControl, Between, Rule

CONDITIONS = ("clean", "adversarial", "noise")
_LOOKS = "The adversarial image looks like the original"
_MIXES = "The codes of adversarial images mix the classes (Fig. 6)"
_CAUSED = "The wrong labels cause it, beyond"

_OF_IMAGES = {
    "adversarial/psnr": Quantity("PSNR", "dB"),
    "adversarial/ssim": Quantity("SSIM", "%", 100),
    "clipped/psnr": Quantity("PSNR, clipped to [0, 1]", "dB"),
    "clipped/ssim": Quantity("SSIM, clipped to [0, 1]", "%", 100),
    "adversarial/remaining_distance": Quantity(
        "distance to the code of the attacker that is left"
    ),
    "clean/inverse_error": Quantity("relative error of e_v(d(L_v))"),
}
_OF_LATENTS = {
    "silhouette": Quantity("silhouette"),
    "scatter_ratio": Quantity("between- / within-class scatter, less chance"),
    "knn_accuracy": Quantity("10-NN accuracy, clean neighbours", "%", 100),
    "knn_accuracy_anew": Quantity("10-NN accuracy, neighbours alike", "%", 100),
    "linear_probe_accuracy": Quantity("linear probe, trained on clean codes", "%", 100),
    "linear_probe_accuracy_anew": Quantity("linear probe, trained anew", "%", 100),
}
#: Key of a measurement -> what it is.
QUANTITIES = _OF_IMAGES | {
    f"{condition}/{key}": dataclasses.replace(
        quantity, name=f"{condition} codes: {quantity.name}"
    )
    for condition in CONDITIONS
    for key, quantity in _OF_LATENTS.items()
}
#: Id, key, statement, error, rule.
_EQUATIONS = (
    (
        "3_remaining_distance",
        "adversarial/remaining_distance",
        "The victim's encoder gives the attacker's code, eq. (7)",
        "||e_v(I_a) - L_s|| / ||L_v - L_s||",
        Between(*printed.REMAINING),
    ),
    (
        "3_inverse",
        "clean/inverse_error",
        "The victim's encoder and decoder are inverse to each other, eq. (3)",
        "||e_v(d(L_v)) - L_v|| / ||L_v||",
        Between(*printed.INVERSE),
    ),
)


def claims(
    found: Estimates, attacker: Attacker, controls: Sequence[Attacker]
) -> list[Claim]:
    """Claims 1 to 4 of an attacker.

    Args:
        found: measurements of attacker and controls.
        attacker: whose claims they are.
        controls: other attackers; Gaussian noise of equal norm comes by itself.
    """

    def whole(number: str, statement: str, parts: Iterator[Claim]) -> list[Claim]:
        id_ = f"{number}_all_{attacker.id}"
        return with_parts(id_, f"{statement} ({attacker})", parts)

    caused = _labels_cause_it(found, attacker, controls)
    return [
        *whole("1", _LOOKS, _looks_alike(found, attacker)),
        *whole("2", _MIXES, _mixes(found, attacker)),
        _falls(
            found,
            attacker,
            "2_classifier",
            "A linear classifier of clean codes errs more on those of adversarial "
            "images",
            "linear_probe_accuracy",
        ),
        *_holds_approximately(found, attacker),
        *whole("4", f"{_CAUSED} all three controls", caused),
    ]


def _looks_alike(found: Estimates, attacker: Attacker) -> Iterator[Claim]:
    least = {"psnr": printed.LEAST_PSNR, "ssim": printed.LEAST_SSIM}
    for key, bound in least.items():
        quantity = QUANTITIES[f"adversarial/{key}"]
        yield _claim(
            found,
            attacker,
            f"1_{key}",
            f"{_LOOKS}: {quantity.name}",
            f"{quantity} of I_a, unclipped, against I",
            found.value(attacker, f"adversarial/{key}"),
            Above(bound),
            unit=quantity.unit,
            signed=False,
        )


def _mixes(found: Estimates, attacker: Attacker) -> Iterator[Claim]:
    for key in printed.NO_DIFFERENCE:
        statement = f"{_MIXES}: {_OF_LATENTS[key].name}"
        yield _falls(found, attacker, f"2_{key}", statement, key)


def _falls(
    found: Estimates, attacker: Attacker, id_: str, statement: str, key: str
) -> Claim:
    return _claim(
        found,
        attacker,
        id_,
        statement,
        f"{_OF_LATENTS[key]}, adversarial minus clean codes",
        found.difference((attacker, f"adversarial/{key}"), (attacker, f"clean/{key}")),
        Below(0.0, printed.NO_DIFFERENCE.get(key, 0.0)),
        unit=_OF_LATENTS[key].unit,
    )


def _holds_approximately(found: Estimates, attacker: Attacker) -> Iterator[Claim]:
    for id_, key, statement, error, rule in _EQUATIONS:
        value = found.value(attacker, key)
        yield _claim(found, attacker, id_, statement, error, value, rule, signed=False)


def _labels_cause_it(
    found: Estimates, attacker: Attacker, controls: Sequence[Attacker]
) -> Iterator[Claim]:
    others = [(c.id, str(c), (c, "adversarial")) for c in controls]
    others.append(("noise", "Gaussian noise of equal norm", (attacker, "noise")))
    for id_, what, (control, condition) in others:
        for key, margin in printed.NO_DIFFERENCE.items():
            yield _claim(
                found,
                attacker,
                f"4_{key}_{id_}",
                f"{_CAUSED} {what}: {_OF_LATENTS[key].name}",
                f"{_OF_LATENTS[key]} of the codes, minus that with {what}",
                found.difference(
                    (attacker, f"adversarial/{key}"), (control, f"{condition}/{key}")
                ),
                BelowControl(margin),
                unit=_OF_LATENTS[key].unit,
            )


def _claim(
    found: Estimates,
    attacker: Attacker,
    id_: str,
    statement: str,
    what: str,
    interval: Interval,
    rule: Rule,
    *,
    unit: str = "",
    signed: bool = True,
) -> Claim:
    return machinery.claim(
        f"{id_}_{attacker.id}",
        f"{statement} ({attacker})",
        f"{what}; 95 % {found.over}",
        interval,
        rule,
        unit=unit,
        signed=signed,
        note=found.note,
    )
