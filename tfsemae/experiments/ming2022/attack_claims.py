"""The claims of section IV, and the rules that decide them."""

import dataclasses
import functools
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from tfsemae import metrics, run_folder, statistics
from tfsemae.experiments.ming2022.attack_plan import Attacker
from tfsemae.experiments.ming2022.claims import Quantity
from tfsemae.reports import Claim
from tfsemae.statistics import Interval, Verdict
from tfsemae.training import attacking

LEAST_PSNR, LEAST_SSIM = 35.0, 95.0  # dB, %
MOVED, UNMOVED = 0.5, 0.9  # of eq. (7)
INVERSE, NOT_INVERSE = 0.1, 0.5  # of eq. (3); our choice, as all of these
#: Differences to a control that count as none.
NO_DIFFERENCE = {"silhouette": 0.01, "knn_accuracy": 1.0}

_LOOKS = "The adversarial image looks like the original"
_MIXES = "The codes of adversarial images mix the classes (Fig. 6)"
_CAUSED = "The wrong labels cause it, beyond"

#: Section IV; SSIM in %.
PRINTED = {"psnr": 39.93, "ssim": 96.55}

_OF_IMAGES = {
    "psnr": Quantity("PSNR", "dB"),
    "ssim": Quantity("SSIM", "%", 100),
    "psnr_clipped": Quantity("PSNR, clipped to [0, 1]", "dB"),
    "ssim_clipped": Quantity("SSIM, clipped to [0, 1]", "%", 100),
    "movement": Quantity("distance to the code of the attacker that is left"),
    "inverse_error": Quantity("relative error of e_v(d(L_v))"),
}
_OF_CODES = {
    "silhouette": Quantity("silhouette"),
    "scatter_ratio": Quantity("between- / within-class scatter, less chance"),
    "knn_accuracy": Quantity("10-NN accuracy, clean neighbours", "%", 100),
    "knn_accuracy_anew": Quantity("10-NN accuracy, neighbours alike", "%", 100),
    "linear_probe_accuracy": Quantity("linear probe, trained on clean codes", "%", 100),
    "linear_probe_accuracy_anew": Quantity("linear probe, trained anew", "%", 100),
}
_EQUATIONS = (
    (
        "3_movement",
        "movement",
        "The victim's encoder gives the attacker's code, eq. (7)",
        "||e_v(I_a) - L_s|| / ||L_v - L_s||",
        *(MOVED, UNMOVED),
    ),
    (
        "3_inverse",
        "inverse_error",
        "The victim's encoder and decoder are inverse to each other, eq. (3)",
        "||e_v(d(L_v)) - L_v|| / ||L_v||",
        *(INVERSE, NOT_INVERSE),
    ),
)
#: Key of a measurement -> what it is; those of a code end with its name.
QUANTITIES = _OF_IMAGES | {
    f"{key}_{condition}": Quantity(
        f"{condition} codes: {quantity.name}", quantity.unit, quantity.factor
    )
    for condition in attacking.CONDITIONS
    for key, quantity in _OF_CODES.items()
}


_Measurement = tuple[Attacker, str]


class Measured(Protocol):
    """What attacks measured, with intervals; keys are those of `QUANTITIES`."""

    over: str  # what the intervals are over
    note: str  # what they do not say

    def value(self, attacker: Attacker, key: str) -> Interval:
        """A measurement of an attack and its interval, in the quantity's unit."""

    def difference(self, first: _Measurement, second: _Measurement) -> Interval:
        """That of (attacker, key) minus that of another, of one unit."""

    def sd(self, attacker: Attacker, key: str) -> float | None:
        """Standard deviation over victims; None of a single one."""


class OverImages:
    """One victim: percentile bootstrap over the attacked images."""

    def __init__(self, folders: Mapping[Attacker, pathlib.Path]):
        """Args: folders: attacker -> folder of its attack, on the same images."""
        self._arrays = {}
        for attacker, folder in folders.items():
            with np.load(folder / attacking.MEASUREMENTS_FILE) as arrays:
                self._arrays[attacker] = dict(arrays)
        first, *others = (arrays["indices"] for arrays in self._arrays.values())
        if not all(np.array_equal(first, other) for other in others):
            raise ValueError(
                f"The attacks in {', '.join(map(str, folders.values()))} are of "
                "different images. Make them again with equal flags."
            )
        self._examples = len(first)
        self._statistic = functools.cache(self._make_statistic)
        self.over = f"bootstrap over {self._examples:,} images"
        self.note = "one victim and one training of each attacker"

    def value(self, attacker: Attacker, key: str) -> Interval:
        """See `Measured`."""
        return self._interval(self._statistic(attacker, key))

    def difference(self, first: _Measurement, second: _Measurement) -> Interval:
        """See `Measured`; paired image by image."""
        a, b = self._statistic(*first), self._statistic(*second)
        return self._interval(lambda counts: a(counts) - b(counts))

    def sd(self, attacker: Attacker, key: str) -> None:
        """See `Measured`."""
        return None

    def _interval(self, statistic: statistics.Statistic) -> Interval:
        return statistics.bootstrap_interval(statistic, self._examples, seed=0)

    def _make_statistic(self, attacker: Attacker, key: str) -> statistics.Statistic:
        arrays, factor = self._arrays[attacker], QUANTITIES[key].factor
        if key in arrays:
            statistic = statistics.mean_statistic(arrays[key])
        else:
            measure, _, condition = key.rpartition("_")
            make = {
                "silhouette": metrics.silhouette_statistic,
                "scatter_ratio": metrics.scatter_ratio_statistic,
            }[measure]
            statistic = make(arrays[f"latent_{condition}"], arrays["labels"])
        return lambda counts: factor * statistic(counts)


class OverSeeds:
    """Several victims: t-interval over them, paired by seed."""

    def __init__(self, folders: Mapping[Attacker, Sequence[pathlib.Path]]):
        """Args: folders: attacker -> folders of its attacks, a victim each."""
        self._found = {
            attacker: [_flat(folder) for folder in each]
            for attacker, each in folders.items()
        }
        seeds = len(next(iter(folders.values())))
        self.over = f"t-interval over {seeds} victims"
        self.note = ""

    def value(self, attacker: Attacker, key: str) -> Interval:
        """See `Measured`."""
        return statistics.t_interval(self._values(attacker, key))

    def difference(self, first: _Measurement, second: _Measurement) -> Interval:
        """See `Measured`."""
        return statistics.t_interval(self._values(*first) - self._values(*second))

    def sd(self, attacker: Attacker, key: str) -> float:
        """See `Measured`."""
        return float(self._values(attacker, key).std(ddof=1))

    def _values(self, attacker: Attacker, key: str) -> np.ndarray:
        found = [measured[key] for measured in self._found[attacker]]
        return QUANTITIES[key].factor * np.array(found)


def _flat(folder: pathlib.Path) -> dict[str, float]:
    found = run_folder.read_metrics(folder)
    latents = found.pop("latents")
    return found | {
        f"{key}_{condition}": value
        for condition, measured in latents.items()
        for key, value in measured.items()
    }


def claims(
    measured: Measured, attacker: Attacker, controls: Sequence[Attacker]
) -> list[Claim]:
    """Claims 1 to 4 of an attacker.

    Args:
        measured: of attacker and controls.
        attacker: whose claims they are.
        controls: other attackers; Gaussian noise of equal norm comes by itself.
    """
    causes = _labels_cause_it(measured, attacker, controls)
    return [
        *_with_parts("1", _LOOKS, attacker, _looks_alike(measured, attacker)),
        *_with_parts("2", _MIXES, attacker, _mixes(measured, attacker)),
        _deceives(measured, attacker),
        *_holds_approximately(measured, attacker),
        *_with_parts("4", f"{_CAUSED} all three controls", attacker, causes),
    ]


def below(interval: Interval, bound: float = 0.0) -> Verdict:
    """Whether an effect stays under a bound; see `statistics.above`."""
    effect, low, high = interval
    return statistics.above(Interval(-effect, -high, -low), -bound)


def between(interval: Interval, holds: float, fails: float) -> Verdict:
    """Whether an error is small: below one bound, or above another."""
    if below(interval, holds) == "holds":
        return "holds"
    return (
        "does not hold" if statistics.above(interval, fails) == "holds" else "undecided"
    )


def beyond(interval: Interval, margin: float) -> Verdict:
    """Whether an effect, of which less is more, goes beyond that of a control.

    It does not where the control does as much: within the margin, or more.
    """
    if below(interval) == "holds":
        return "holds"
    as_much = statistics.within(interval, margin) == "holds"
    return "does not hold" if as_much or interval.low > 0 else "undecided"


def _looks_alike(measured, attacker):
    for key, least in (("psnr", LEAST_PSNR), ("ssim", LEAST_SSIM)):
        found = measured.value(attacker, key)
        yield _claim(
            f"1_{key}",
            f"{_LOOKS}: {QUANTITIES[key].name}",
            f"{QUANTITIES[key]} of I_a, unclipped, against I; holds from {least:g} on",
            measured,
            attacker,
            found,
            statistics.above(found, least),
        )


def _mixes(measured, attacker):
    for key in NO_DIFFERENCE:
        yield _falls(
            f"2_{key}",
            f"{_MIXES}: {_OF_CODES[key].name}",
            key,
            measured,
            attacker,
        )


def _deceives(measured, attacker):
    return _falls(
        "2_classifier",
        "A linear classifier of clean codes errs more on those of adversarial images",
        "linear_probe_accuracy",
        measured,
        attacker,
    )


def _falls(id_, statement, key, measured, attacker):
    found = measured.difference(
        (attacker, f"{key}_adversarial"), (attacker, f"{key}_clean")
    )
    what = f"{_OF_CODES[key]}, adversarial minus clean codes; holds below 0"
    return _claim(id_, statement, what, measured, attacker, found, below(found))


def _holds_approximately(measured, attacker):
    for id_, key, statement, error, holds, fails in _EQUATIONS:
        found = measured.value(attacker, key)
        yield _claim(
            id_,
            statement,
            f"{error}; holds below {holds:g}, does not above {fails:g}",
            measured,
            attacker,
            found,
            between(found, holds, fails),
        )


def _labels_cause_it(measured, attacker, controls):
    others = [(c.id, str(c), (c, "adversarial")) for c in controls]
    others.append(("noise", "Gaussian noise of equal norm", (attacker, "noise")))
    for id_, what, (control, condition) in others:
        for key, margin in NO_DIFFERENCE.items():
            found = measured.difference(
                (attacker, f"{key}_adversarial"), (control, f"{key}_{condition}")
            )
            yield _claim(
                f"4_{key}_{id_}",
                f"{_CAUSED} {what}: {_OF_CODES[key].name}",
                f"{_OF_CODES[key]} of the codes, minus that with {what}; holds below "
                f"0, does not within {margin:g} of 0 or above",
                measured,
                attacker,
                found,
                beyond(found, margin),
            )


def _with_parts(number, statement, attacker, parts: Iterable[Claim]) -> list[Claim]:
    parts = list(parts)
    whole = Claim(
        id=f"{number}_all_{attacker.id}",
        statement=f"{statement} ({attacker})",
        measurement=f"all {len(parts)} of the following",
        effect=None,
        low=None,
        high=None,
        verdict=statistics.all_hold(part.verdict for part in parts),
    )
    return [whole, *(dataclasses.replace(p, part_of=whole.id) for p in parts)]


def _claim(id_, statement, what, measured, attacker, found, verdict) -> Claim:
    return Claim(
        id=f"{id_}_{attacker.id}",
        statement=f"{statement} ({attacker})",
        measurement=f"{what}; 95 % {measured.over}",
        **found._asdict(),
        verdict=verdict,
        note=measured.note,
    )
