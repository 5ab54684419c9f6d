"""What the tables have in common: reading runs, rows of areas, warnings."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.intervals import hull
from tfsemae.experiments.lu2023 import runs
from tfsemae.experiments.lu2023.areas import (
    CONDITIONS,
    GRIDS,
    SCORES,
    Comparison,
    Measurements,
)
from tfsemae.experiments.lu2023.runs import Attack, Model
from tfsemae.experiments.runs import Run
from tfsemae.reports.ledger import Choice, NamedWarning, Row, Tag

_MISSING = {
    "lpips_squeeze": "the attack runs had no weights of SqueezeNet; name their folder "
    "with --weights_dir, and another --output_dir",
    "lpips_alex": "the attack runs had no weights of AlexNet; name their folder with "
    "--weights_dir, and another --output_dir",
}


class Attacks:
    """The finished attack runs of an artefact, each read once."""

    def __init__(self, work: Workspace):
        """Args: work: where they are."""
        self._work = work
        self._read: dict[str, Measurements] = {}

    def of(self, run: Run) -> Measurements:
        """What a run measured."""
        if run.name not in self._read:
            self._read[run.name] = Measurements(self._work.folder(run))
        return self._read[run.name]

    def compared(
        self, models: Iterable[Model], kind: Attack, dataset: str
    ) -> Comparison:
        """Networks of a data set under an attack."""
        scale = self._work.scale
        return Comparison(
            {
                model: [self.of(r) for r in runs.attacks(model, kind, dataset, scale)]
                for model in models
            }
        )


def tag(work: Workspace, dataset: str, printed: float | None) -> Tag:
    """How a row relates to the paper's."""
    return "stand-in" if dataset in runs.STANDS_FOR else work.tag(printed)


def name(dataset: str) -> str:
    """What a reader calls a data set."""
    stands_for = " in CelebA's place" if dataset in runs.STANDS_FOR else ""
    return f"{runs.NAMES[dataset]}{stands_for}"


def area_rows(
    work: Workspace,
    compared: Comparison,
    dataset: str,
    kind: str,
    printed: Mapping[Any, Mapping[str, float]],
    scores: Sequence[str] | None = None,
) -> Iterator[Row]:
    """A row for each area.

    Args:
        work: for the tag.
        compared: networks, `Model`s or what has `id` and a name as well.
        dataset: of all.
        kind: of the attack, as in the ids.
        printed: network -> score -> the paper's area by PGD on its own radii.
        scores: by default all.
    """
    for group in compared.groups:
        for score in scores or compared.scores:
            for grid in GRIDS:
                for condition in CONDITIONS:
                    number = None
                    if (grid, condition) == ("absolute", "pgd"):
                        number = printed.get(group, {}).get(score)
                    areas = compared.areas(group, score, grid, condition)
                    together = hull(areas)
                    base = compared.base(score, grid)
                    radii = _range(compared, score, grid)
                    found = row(
                        f"{dataset}_{group.id}_{kind}_{score}_{grid}_{condition}",
                        f"{name(dataset)}, {group}, {kind}: area of "
                        f"{SCORES[score].name}, {CONDITIONS[condition]}, {grid} grid",
                        [each.effect for each in areas],
                        printed=number,
                        tag=tag(work, dataset, number),
                        note=f"base line {base:#.3g}; mean height "
                        f"{together.effect / radii:#.3g}; interval over images, joined "
                        "over seeds",
                    )
                    yield dataclasses.replace(
                        found, low=together.low, high=together.high
                    )


def _range(compared: Comparison, score: str, grid: str) -> float:
    """How far the area goes; that of a PSNR begins at the first change."""
    run = next(iter(compared.groups.values()))[0]
    radii = list(run.radii("pgd", grid))
    return radii[-1] - radii[1 if SCORES[score].pooled else 0]


def spectrum_rows(work: Workspace, compared: Comparison, dataset: str) -> Iterator[Row]:
    """The local spectrum of each decoder, and how much the codes spread."""
    for group, measured in compared.groups.items():
        values = [run.array("clean", "singular_value").mean() for run in measured]
        spreads = [run.found["spread"] for run in measured]
        latents = [len(run.found["deviation"]) for run in measured]
        deviations = np.array(spreads) / np.sqrt(latents)
        subject = f"{name(dataset)}, {group}"
        for id_, quantity, numbers in (
            (
                "code_deviation",
                "standard deviation of an entry of the code",
                deviations,
            ),
            ("singular_value", "largest singular value of the decoder", values),
            (
                "scaled_singular_value",
                "largest singular value times that deviation",
                np.array(values) * deviations,
            ),
        ):
            yield row(
                f"{dataset}_{group.id}_{id_}",
                f"{subject}: {quantity}",
                numbers,
                tag=tag(work, dataset, None),
                note=""
                if id_ == "code_deviation"
                else "of the Jacobian at each code, mean over images: an estimate of "
                "the damage by a small change, never a bound",
            )


def warnings(
    attacks: Attacks, planned: Iterable[Run], asked: Iterable[str]
) -> list[NamedWarning]:
    """What speaks against the numbers, and which are missing.

    Args:
        attacks: of the artefact.
        planned: its attack runs.
        asked: keys of `SCORES`.
    """
    planned = list({run.name: run for run in planned}.values())
    found = defaultdict(list)
    for run in planned:
        checks: dict[str, str] = {}
        for sentence in attacks.of(run).found["warnings"]:
            check, _, text = sentence.partition(": ")
            checks.setdefault(check, text)
        for check, text in checks.items():
            found[check].append(f"{run.label}: {text}")
    named = [
        NamedWarning(
            name=check,
            text=f"{len(texts)} of {len(planned)} attack runs, such as {texts[0]}",
        )
        for check, texts in sorted(found.items())
    ]
    for key in asked:
        score = SCORES[key]
        to_have = [run for run in planned if key != "lpips_alex" or _has_alex(run)]
        without = [
            run
            for run in to_have
            if not attacks.of(run).has("noise_epsilon0", score.quantity)
        ]
        if without:
            named.append(
                NamedWarning(
                    name=f"{key}_not_measured",
                    text=f"{score.name} is missing in {len(without)} of {len(to_have)} "
                    f"attack runs: {_MISSING[key]}",
                )
            )
    return named


def _has_alex(run: Run) -> bool:
    return runs.WITHOUT_ALEX not in run.flags


def choices(work: Workspace, trained: Run, attack: Run) -> list[Choice]:
    """What the paper does not print of trainings and attacks."""
    of_training = {
        "regularizer_weight": "not printed; see the flagfile",
        "loss": "the paper prints a mean squared error; the sum over pixels and weight "
        "1 make the KLD-VAE the usual one",
        "learning_rate": "lost in print; the default of PyTorch",
        "adam_epsilon": "not printed; the default of PyTorch",
        "steps": "not printed; shorter than the 50 epochs of the flagfile",
    }
    of_attack = {
        "epsilon": "the paper prints no radii",
        "relative_epsilon": "radii in units of the codes' own spread, without which "
        "networks of other spreads cannot be compared",
        "norm": "as printed; what is lost is the step, here along the gradient and of "
        "2.5 / 10 of the radius, the rule of Madry et al.",
        "codes": "the paper allows encoded codes and those of the prior; here means",
        "examples": "not printed; the same images for all networks",
    }
    return [
        *(work.choice(flag, trained, why) for flag, why in of_training.items()),
        *(work.choice(flag, attack, why) for flag, why in of_attack.items()),
    ]
