"""The claims of section IV, and the rules that decide them.

The four primary endpoints were chosen before the victims were trained: how much more a
linear classifier of clean codes errs on adversarial ones, whether these are more
dispersed, whether a classifier tells them from clean ones, and how far they go towards
the attacker's code. Their verdicts are corrected for their number. The attacker of
weight 1 is the primary one; that of the default weight is beside it.
"""

import dataclasses
import functools
import math
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfsemae import statistics
from tfsemae.evaluation.attacking import CONDITIONS
from tfsemae.experiments.claims import claim, corrected, with_parts
from tfsemae.experiments.estimates import Estimates, Quantity, measured
from tfsemae.experiments.ming2022 import printed
from tfsemae.experiments.ming2022.attack_runs import Attack, Attacker
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Above, Below, Between, Rule

_LOOKS = "The adversarial image looks like the original"
_MIXES = (
    "The codes of adversarial images are more dispersed and mix the classes (Fig. 6)"
)
_CODE = "The victim's encoder gives the attacker's code, eq. (7)"
_CAUSED = "The shuffled labels cause what happens to the codes, beyond every control"


def _range_2(folder: pathlib.Path) -> float:
    """PSNR for pixels from -1 to 1: the square of the range is four times as much."""
    return measured(folder, "adversarial/psnr") + 20 * math.log10(2)


def _error(folder: pathlib.Path, key: str) -> float:
    """What a classifier gets wrong, in [0, 1]."""
    return 1 - measured(folder, key)


def _error_of(name: str, accuracy: str) -> Quantity:
    return Quantity(name, "%", 100, functools.partial(_error, key=accuracy))


_OF_IMAGES = {
    "adversarial/psnr": Quantity("PSNR", "dB"),
    "adversarial/ssim": Quantity("SSIM", "%", 100),
    "adversarial/psnr_range_2": Quantity("PSNR, peak-to-peak 2", "dB", 1, _range_2),
    "clipped/psnr": Quantity("PSNR, clipped to [0, 1]", "dB"),
    "clipped/ssim": Quantity("SSIM, clipped to [0, 1]", "%", 100),
}
_OF_EQUATIONS = {
    **{
        f"{condition}/{key}": Quantity(f"{name}{scale}")
        for condition, scale in (
            ("adversarial", ", scale 1"),
            ("adversarial_scale0.01", ", scale 0.01"),
            ("gradient", ", gradient attack of that norm"),
        )
        for key, name in {
            "projection": "eq. (7), projection on the way to L_s",
            "cosine": "eq. (7), cosine with that way",
            "remaining_distance": "eq. (7), distance to L_s that is left",
        }.items()
    },
    "clean/inverse_error": Quantity("eq. (3), error at L_v in units of the spread"),
    "target/inverse_error": Quantity("eq. (3), error at L_s in units of the spread"),
}


_PROBE_ERROR = "error of a linear classifier of clean codes"
_LOG_VARIANCE_RATIO = "log ratio of variances, over clean codes"
_OF_GRADIENT = {
    "gradient/probe_error": _error_of(
        f"codes of a gradient attack of that norm: {_PROBE_ERROR}",
        "gradient/linear_probe_accuracy",
    ),
    "gradient/log_variance_ratio": Quantity(
        f"codes of a gradient attack of that norm: {_LOG_VARIANCE_RATIO}"
    ),
}


def of_codes(condition: str) -> dict[str, Quantity]:
    """What is measured of the codes of a condition."""
    found = {
        "probe_error": _error_of(_PROBE_ERROR, f"{condition}/linear_probe_accuracy"),
        "probe_error_anew": _error_of(
            "error of a linear classifier trained anew",
            f"{condition}/linear_probe_accuracy_anew",
        ),
        # Balanced: the classes have equally many test images.
        "knn_accuracy_anew": Quantity(
            "10-NN accuracy, neighbours of the same kind", "%", 100
        ),
        "silhouette": Quantity("silhouette"),
    }
    if condition != "clean":
        found |= {
            "log_variance_ratio": Quantity(_LOG_VARIANCE_RATIO),
            "two_sample_accuracy": Quantity(
                "accuracy of telling them from clean codes", "%", 100
            ),
        }
    return {
        f"{condition}/{key}": dataclasses.replace(
            quantity, name=f"{condition} codes: {quantity.name}"
        )
        for key, quantity in found.items()
    }


#: Key of a measurement -> what it is.
QUANTITIES = (
    _OF_IMAGES
    | _OF_EQUATIONS
    | _OF_GRADIENT
    | {k: q for condition in CONDITIONS for k, q in of_codes(condition).items()}
)


class Endpoint(NamedTuple):
    """A primary endpoint.

    Attributes:
        statement: what the paper claims.
        measurement: what decides it.
        values: measurements and attack -> a value of each victim.
        rule: that decides; in the unit.
        unit: of the values.
        signed: whether they are differences.
    """

    statement: str
    measurement: str
    values: Callable[[Estimates, Attack], np.ndarray]
    rule: Above
    unit: str = ""
    signed: bool = True


def _rise(found: Estimates, attack: Attack, key: str) -> np.ndarray:
    adversarial, clean = found.paired(
        (attack, f"adversarial/{key}"), (attack, f"clean/{key}")
    )
    return adversarial - clean


def _values(key: str) -> Callable[[Estimates, Attack], np.ndarray]:
    return lambda found, attack: found.values(attack, f"adversarial/{key}")


#: Name -> primary endpoint.
ENDPOINTS = {
    "probe_error": Endpoint(
        f"{_MIXES}: error of a linear classifier of clean codes",
        "error of a linear classifier of clean codes, adversarial minus clean codes",
        lambda found, attack: _rise(found, attack, "probe_error"),
        Above(printed.PROBE_ERROR_RISE),
        "points",
    ),
    "log_variance_ratio": Endpoint(
        f"{_MIXES}: dispersion",
        "log ratio of the total variances of adversarial and clean codes",
        _values("log_variance_ratio"),
        Above(printed.LOG_VARIANCE_RATIO),
    ),
    "two_sample_accuracy": Endpoint(
        "The codes of adversarial images are shifted against those of clean ones",
        "accuracy of a linear classifier that tells them apart",
        _values("two_sample_accuracy"),
        Above(printed.TWO_SAMPLE_ACCURACY),
        "%",
        signed=False,
    ),
    "projection": Endpoint(
        f"{_CODE}: projection",
        "projection of e_v(I_a) - L_v on L_s - L_v, in units of its length",
        _values("projection"),
        Above(printed.PROJECTION),
        signed=False,
    ),
}
#: Endpoint -> least amount by which it must exceed that of a control.
_BEYOND_CONTROL = {
    "probe_error": printed.PROBE_ERROR_RISE,
    "log_variance_ratio": printed.LOG_VARIANCE_RATIO,
}
#: Condition of the attack's own evaluation -> control of equal norm.
_OWN_CONTROLS = {
    "noise": "Gaussian noise",
    "negated": "the negated change",
    "exchanged": "the change of another image",
}


def _signed(values: np.ndarray, places: int) -> str:
    mean = round(float(np.mean(values)), places) + 0.0  # no -0.0
    return f"{mean:+.{places}f}"


def claims(
    found: Estimates, attacker: Attacker, controls: Sequence[Attack], steps: int
) -> list[Claim]:
    """Claims 1 to 4 of an attacker.

    Args:
        found: measurements of attacker and controls, over victims.
        attacker: whose claims they are.
        controls: attacks of equal norm; noise, the negated and the exchanged change
            come by themselves.
        steps: of the trainings.
    """
    of = _Claims(found, Attack(attacker), steps)
    endpoints = of.endpoints()
    shifted = endpoints["two_sample_accuracy"]
    mixes = [
        endpoints["log_variance_ratio"],
        endpoints["probe_error"],
        of.errs_anew(),
    ]
    return [
        *of.whole("1", _LOOKS, of.looks_alike()),
        *of.whole("2", _MIXES, mixes, note=of.by_controls()),
        dataclasses.replace(shifted, note=f"{shifted.note}. {of.told_by_controls()}"),
        *of.whole("3", _CODE, [endpoints["projection"], of.distance_left()]),
        *of.inverse(),
        *of.caused_by_labels(endpoints, controls),
    ]


@dataclasses.dataclass(frozen=True)
class _Claims:
    """The claims of an attacker."""

    found: Estimates
    attack: Attack
    steps: int

    def looks_alike(self) -> Iterator[Claim]:
        bounds = {"psnr": printed.LEAST_PSNR, "ssim": printed.LEAST_SSIM}
        for key, least in bounds.items():
            quantity = QUANTITIES[f"adversarial/{key}"]
            yield self.claim(
                f"1_{key}",
                f"{_LOOKS}: {quantity.name}",
                f"{quantity.name} of I_a, unclipped, against I",
                self.found.values(self.attack, f"adversarial/{key}"),
                Above(least),
                unit=quantity.unit,
                signed=False,
            )

    def endpoints(self) -> dict[str, Claim]:
        decided, p_values = [], []
        for key, endpoint in ENDPOINTS.items():
            values = endpoint.values(self.found, self.attack)
            p_values.append(statistics.t_test(values, endpoint.rule.bound))
            decided.append(
                self.claim(
                    f"3_{key}" if key == "projection" else f"2_{key}",
                    endpoint.statement,
                    endpoint.measurement,
                    values,
                    endpoint.rule,
                    unit=endpoint.unit,
                    signed=endpoint.signed,
                )
            )
        return dict(zip(ENDPOINTS, corrected(decided, p_values), strict=True))

    def errs_anew(self) -> Claim:
        return self.claim(
            "2_probe_error_anew",
            f"{_MIXES}: error of a linear classifier trained anew",
            "error of a linear classifier trained on codes of the same kind, "
            "adversarial minus clean codes",
            _rise(self.found, self.attack, "probe_error_anew"),
            Above(printed.PROBE_ERROR_RISE),
            unit="points",
        )

    def by_controls(self) -> str:
        """What the controls of equal norm do to the endpoints of claim 2."""
        clean = self.found.values(self.attack, "clean/probe_error")
        notes = []
        for control, name in _OWN_CONTROLS.items():
            error, ratio = (
                self.found.values(self.attack, f"{control}/{key}")
                for key in ("probe_error", "log_variance_ratio")
            )
            notes.append(
                f"{name} {_signed(error - clean, 2)} points of error, "
                f"{_signed(ratio, 3)} of the log ratio"
            )
        return "Means of changes of the same norm: " + "; ".join(notes)

    def told_by_controls(self) -> str:
        """How well codes under the controls of equal norm are told from clean ones."""
        notes = []
        for control, name in _OWN_CONTROLS.items():
            values = self.found.values(self.attack, f"{control}/two_sample_accuracy")
            notes.append(f"{name} {np.mean(values):.1f} %")
        return "Means of changes of the same norm: " + ", ".join(notes)

    def distance_left(self) -> Claim:
        return self.claim(
            "3_remaining_distance",
            f"{_CODE}: distance left",
            "||e_v(I_a) - L_s|| / ||L_v - L_s||",
            self.found.values(self.attack, "adversarial/remaining_distance"),
            Below(printed.REMAINING),
            signed=False,
        )

    def inverse(self) -> Iterator[Claim]:
        for name, condition in (("L_v", "clean"), ("L_s", "target")):
            yield self.claim(
                f"3_inverse_{name}",
                f"Encoder and decoder are inverse to each other, eq. (3): at {name}",
                f"root mean square of ||e_v(d({name})) - {name}||, in units of the "
                "spread of these codes",
                self.found.values(self.attack, f"{condition}/inverse_error"),
                Between(*printed.INVERSE),
                signed=False,
            )

    def caused_by_labels(
        self, endpoints: Mapping[str, Claim], controls: Sequence[Attack]
    ) -> Iterator[Claim]:
        """A whole for each endpoint: there is an effect, and beyond each control."""
        others = [(c.attacker.id, str(c.attacker), c, "adversarial") for c in controls]
        own = [(k, name, self.attack, k) for k, name in _OWN_CONTROLS.items()]
        for key, margin in _BEYOND_CONTROL.items():
            endpoint = ENDPOINTS[key]
            name = endpoint.measurement.split(",")[0]
            parts, p_values = [], []
            for id_, what, control, condition in (*others, *own):
                ours, theirs = self.found.paired(
                    (self.attack, f"adversarial/{key}"), (control, f"{condition}/{key}")
                )
                p_values.append(statistics.t_test(ours - theirs, margin))
                parts.append(
                    self.claim(
                        f"4_{key}_{id_}",
                        f"{_CAUSED}: {name}, beyond {what}",
                        f"{name}, minus that with {what}",
                        ours - theirs,
                        Above(margin),
                        unit="points" if endpoint.unit else "",
                    )
                )
            # All must hold, so that chance makes the whole hold no more often than a
            # part; but with each control it fails more often.
            parts = corrected(parts, p_values, verdicts=("does not hold",))
            there = f"4_{key}_is_there_{self.attack.id}"
            yield from self.whole(
                f"4_{key}",
                f"{_CAUSED}: {name}",
                [dataclasses.replace(endpoints[key], id=there), *parts],
            )

    def whole(
        self, id_: str, statement: str, parts: Iterable[Claim], *, note: str = ""
    ) -> list[Claim]:
        first, *rest = with_parts(
            f"{id_}_{self.attack.id}", f"{statement} ({self.subject})", parts
        )
        return [dataclasses.replace(first, note=note), *rest]

    @property
    def subject(self) -> str:
        return f"{self.attack}, {self.steps:,} steps"

    def claim(
        self,
        id_: str,
        statement: str,
        what: str,
        values: np.ndarray,
        rule: Rule,
        *,
        unit: str = "",
        signed: bool = True,
    ) -> Claim:
        return claim(
            f"{id_}_{self.attack.id}",
            f"{statement} ({self.subject})",
            f"{what}; 95 % {self.found.interval_over(len(values))}",
            statistics.t_interval(values),
            rule,
            unit=unit,
            signed=signed,
        )
