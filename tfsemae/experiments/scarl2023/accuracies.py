"""Accuracies of networks under attacks, and differences of two of them.

What the artefacts of procedures, of terms of the loss and of words share.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfsemae import run_folder
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.experiments import intervals
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, estimated_row, whole, with_parts
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.experiments.runs import Run
from tfsemae.experiments.scarl2023 import runs
from tfsemae.reports import figures
from tfsemae.reports.ledger import Choice, Claim, NamedWarning, Picture, Row
from tfsemae.statistics import Interval, Rule

#: Condition -> what is measured.
ALL_IMAGES = {
    "clean": "accuracy on natural images",
    "noise": "accuracy under random corners of the ball",
    "fgsm": "accuracy under FGSM",
    "pgd20": "accuracy under PGD-20",
    "cw20": "accuracy under CW, 20 steps",
}
_FEW = {"aa_lite": "accuracy under aa_lite"}
_LEAST_SEEDS = 2  # of a standard error


class Accuracies:
    """Networks of several seeds under the same attacks.

    Attributes:
        names: network, see `runs.training` -> what a reader calls it.
        conditions: attack, or `clean` and `noise` -> what is measured.
        seeds: of each network.
    """

    def __init__(self, work: Workspace, names: Mapping[str, str], *, few: bool = False):
        """Opens what the attacks of the artefact wrote.

        Args:
            work: where they are.
            names: see above.
            few: whether it is `aa_lite` on some images, in place of the attacks on all.
        """
        self.names, self.conditions = names, _FEW if few else ALL_IMAGES
        self.seeds = len(runs.seeds(work.scale))
        self._tag = work.tag(None)
        self._folders = {
            name: work.folders(
                [
                    runs.attack(name, seed, work.scale, few=few)
                    for seed in runs.seeds(work.scale)
                ]
            )
            for name in names
        }
        self._estimates = Estimates(
            self._folders,
            {
                f"{condition}/accuracy": Quantity(what, "%", 100)
                for condition, what in self.conditions.items()
            },
        )

    def rows(self) -> Iterator[Row]:
        """A row for each network and condition."""
        for name, title in self.names.items():
            for condition, what in self.conditions.items():
                yield estimated_row(
                    self._estimates,
                    name,
                    f"{condition}/accuracy",
                    f"{name}_{condition}",
                    f"{title}: {what}",
                    tag=self._tag,
                )

    def values(self, name: str, condition: str) -> np.ndarray:
        """The accuracy of each seed, `[S]` in %."""
        return self._estimates.values(name, f"{condition}/accuracy")

    def correct(self, name: str, condition: str) -> np.ndarray:
        """Whether each image is answered rightly, bool `[S, N]`."""
        found = []
        for folder in self._folders[name]:
            with np.load(folder / MEASUREMENTS_FILE) as arrays:
                found.append(arrays[f"{condition}/correct"])
        return np.stack(found)


class Difference(NamedTuple):
    """The accuracy of a network less that of another, under one attack."""

    found: Accuracies
    first: str
    second: str
    condition: str

    def interval(self) -> Interval:
        """In points, paired by image and seed, within one standard error."""
        first, second = (
            self.found.correct(name, self.condition).astype(np.float64)
            for name in (self.first, self.second)
        )
        return intervals.standard_error(100 * (first - second))

    def claim(self, whole_id: str, statement: str, rule: Rule) -> Claim:
        """Whether the difference follows a rule, a part of a claim."""
        names = self.found.names
        return claim(
            f"{whole_id}_{self.second}_{self.condition}",
            statement,
            f"{self.found.conditions[self.condition]}, {names[self.first]} less "
            f"{names[self.second]}, paired by image and seed; one standard error over "
            f"{self.found.seeds} seeds and the images",
            self.interval(),
            rule,
            unit="points",
        )


def compared(
    id_: str, statement: str, differences: Iterable[Difference], rule: Rule
) -> list[Claim]:
    """A claim that holds where all differences follow a rule, and these.

    Args:
        id_: of the claim.
        statement: what the source claims.
        differences: at least one.
        rule: of each of them.

    Returns:
        The claim and its parts; of one seed an undecided claim alone.
    """
    differences = list(differences)
    if min(each.found.seeds for each in differences) < _LEAST_SEEDS:
        return [whole(id_, statement, "fewer than 2 seeds", "undecided")]
    parts = [each.claim(id_, statement, rule) for each in differences]
    return with_parts(id_, statement, parts)


def choices(work: Workspace) -> list[Choice]:
    """Settings of SCARL that the paper does not print."""
    choose = functools.partial(work.choice, run=runs.training("scarl", 0, work.scale))
    return [
        choose("mi", reason="the formula of the paper is not known to us"),
        choose("struct", reason="that of the released code"),
        choose("adversarial_steps", reason="as in the released code"),
    ]


def warnings(work: Workspace, planned: Sequence[Run]) -> Iterator[NamedWarning]:
    """What the checks of the attacks found, each with the networks that it was."""
    found = defaultdict(list)
    for run in planned:
        for sentence in run_folder.read_metrics(work.folder(run))["warnings"]:
            check, _, text = sentence.partition(": ")
            found[check].append(f"{run.label}: {text}")
    for check, texts in sorted(found.items()):
        what = f"{len(texts)} findings in {len(planned)} attack runs: "
        yield NamedWarning(name=check, text=what + "; ".join(texts))


def draw(
    work: Workspace,
    found: Accuracies,
    panels: Mapping[str, Sequence[str]],
    file: str,
    caption: str,
) -> Picture:
    """Accuracy under PGD-20 against that on natural images, a point per network.

    Args:
        work: where to write.
        found: the accuracies.
        panels: title -> networks.
        file: name of the picture.
        caption: its first sentence.
    """
    path = work.output_dir / file
    figures.curves(
        [
            figures.Panel(
                x_label="accuracy on natural images (%)",
                y_label="accuracy under PGD-20 (%)",
                curves=[_point(found, name) for name in names],
                title=title,
            )
            for title, names in panels.items()
        ],
        path,
    )
    bars = "mean and standard deviation over the seeds"
    return Picture(file=file, caption=f"{caption} One point per network: {bars}.")


def _point(found: Accuracies, name: str) -> figures.Curve:
    x, y = (found.values(name, condition) for condition in ("clean", "pgd20"))
    several = len(x) >= _LEAST_SEEDS
    return figures.Curve(
        label=found.names[name],
        x=[x.mean()],
        y=[y.mean()],
        x_error=[x.std(ddof=1)] if several else None,
        y_error=[y.std(ddof=1)] if several else None,
    )
