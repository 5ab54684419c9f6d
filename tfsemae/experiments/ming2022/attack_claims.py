"""The claims of section IV, and the rules that decide them."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from tfsemae.evaluation.attack import CONDITIONS
from tfsemae.experiments.claims import claim, with_parts
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.experiments.ming2022 import printed
from tfsemae.experiments.ming2022.attack_runs import Attacker
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Interval
from tfsemae.statistics.verdicts import Above, Below, BelowControl, Between, Rule

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


def claims(
    found: Estimates, attacker: Attacker, controls: Sequence[Attacker]
) -> list[Claim]:
    """Claims 1 to 4 of an attacker.

    Args:
        found: measurements of attacker and controls.
        attacker: whose claims they are.
        controls: other attackers; Gaussian noise of equal norm comes by itself.
    """
    of = _Claims(found, attacker)
    return [
        *of.whole("1", _LOOKS, of.looks_alike()),
        *of.whole("2", _MIXES, of.mixes()),
        of.falls(
            "2_classifier",
            "A linear classifier of clean codes errs more on those of adversarial "
            "images",
            "linear_probe_accuracy",
        ),
        *of.equations(),
        *of.whole("4", f"{_CAUSED} all three controls", of.labels_cause_it(controls)),
    ]


@dataclasses.dataclass(frozen=True)
class _Claims:
    """The claims of an attacker."""

    found: Estimates
    attacker: Attacker

    def looks_alike(self) -> Iterator[Claim]:
        least = {"psnr": printed.LEAST_PSNR, "ssim": printed.LEAST_SSIM}
        for key, bound in least.items():
            quantity = QUANTITIES[f"adversarial/{key}"]
            yield self.claim(
                f"1_{key}",
                f"{_LOOKS}: {quantity.name}",
                f"{quantity} of I_a, unclipped, against I",
                self.found.value(self.attacker, f"adversarial/{key}"),
                Above(bound),
                unit=quantity.unit,
                signed=False,
            )

    def mixes(self) -> Iterator[Claim]:
        for key in printed.NO_DIFFERENCE:
            yield self.falls(f"2_{key}", f"{_MIXES}: {_OF_LATENTS[key].name}", key)

    def falls(self, id_: str, statement: str, key: str) -> Claim:
        return self.claim(
            id_,
            statement,
            f"{_OF_LATENTS[key]}, adversarial minus clean codes",
            self.difference(key, self.attacker, "clean"),
            Below(0.0, printed.NO_DIFFERENCE.get(key, 0.0)),
            unit=_OF_LATENTS[key].unit,
        )

    def equations(self) -> Iterator[Claim]:
        yield self.claim(
            "3_remaining_distance",
            "The victim's encoder gives the attacker's code, eq. (7)",
            "||e_v(I_a) - L_s|| / ||L_v - L_s||",
            self.found.value(self.attacker, "adversarial/remaining_distance"),
            Between(*printed.REMAINING),
            signed=False,
        )
        yield self.claim(
            "3_inverse",
            "The victim's encoder and decoder are inverse to each other, eq. (3)",
            "||e_v(d(L_v)) - L_v|| / ||L_v||",
            self.found.value(self.attacker, "clean/inverse_error"),
            Between(*printed.INVERSE),
            signed=False,
        )

    def labels_cause_it(self, controls: Sequence[Attacker]) -> Iterator[Claim]:
        others = [(c.id, str(c), c, "adversarial") for c in controls]
        noise = ("noise", "Gaussian noise of equal norm", self.attacker, "noise")
        for id_, what, control, condition in (*others, noise):
            for key, margin in printed.NO_DIFFERENCE.items():
                yield self.claim(
                    f"4_{key}_{id_}",
                    f"{_CAUSED} {what}: {_OF_LATENTS[key].name}",
                    f"{_OF_LATENTS[key]} of the codes, minus that with {what}",
                    self.difference(key, control, condition),
                    BelowControl(margin),
                    unit=_OF_LATENTS[key].unit,
                )

    def difference(self, key: str, other: Attacker, condition: str) -> Interval:
        return self.found.difference(
            (self.attacker, f"adversarial/{key}"), (other, f"{condition}/{key}")
        )

    def whole(self, number: str, statement: str, parts: Iterator[Claim]) -> list[Claim]:
        id_ = f"{number}_all_{self.attacker.id}"
        return with_parts(id_, f"{statement} ({self.attacker})", parts)

    def claim(
        self,
        id_: str,
        statement: str,
        what: str,
        interval: Interval,
        rule: Rule,
        **more: Any,
    ) -> Claim:
        return claim(
            f"{id_}_{self.attacker.id}",
            f"{statement} ({self.attacker})",
            f"{what}; 95 % {self.found.over}",
            interval,
            rule,
            note=self.found.note,
            **more,
        )
