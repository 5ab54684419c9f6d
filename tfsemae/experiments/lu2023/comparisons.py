"""Claims that are decided on both grids of radii, by two attacks.

A deterministic code can spread several times as much as a variational one, so that an
order on the absolute grid alone says nothing. A comparison holds if every seed's
interval lies beyond the least relevant size on both grids; where only one grid decides,
it is undecided, and the text says which.

PGD with 10 steps, as printed, decides. What the strong attack finds stands beside it.
"""

import dataclasses
import functools
import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tfsemae import statistics
from tfsemae.experiments.claims import claim, whole
from tfsemae.experiments.lu2023.areas import GRIDS, SCORES, Comparison
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Interval, Rule, Verdict

OVER_IMAGES = "of each seed the 95 % bootstrap interval over images, joined"
_NOTHING: Mapping[str, str] = types.MappingProxyType({})


class Compared(NamedTuple):
    """A comparison that is decided.

    Attributes:
        claims: grid -> the claim on it; a comparison without radii has one entry.
        strong: grid -> the verdict by the strong attack; empty if nothing is attacked.
    """

    claims: Mapping[str, Claim]
    strong: Mapping[str, Verdict] = types.MappingProxyType({})

    @property
    def verdict(self) -> Verdict:
        """The one on which all grids agree, else undecided."""
        return _agreed(each.verdict for each in self.claims.values())


def _agreed(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    return found.pop() if len(found) == 1 else "undecided"


def attacked(
    id_: str,
    statement: str,
    measurement: str,
    effect: Callable[[str, str], Interval],
    rule: Rule,
    *,
    grids: Sequence[str] = tuple(GRIDS),
    unit: str = "",
    signed: bool = True,
    notes: Mapping[str, str] = _NOTHING,
    over: str = OVER_IMAGES,
) -> Compared:
    """A comparison of attacked networks: a claim for each grid.

    Args:
        id_: of the comparison; that of the grid follows.
        statement: what is compared.
        measurement: what decides it.
        effect: grid and condition, `pgd` or `strong`, -> effect.
        rule: that decides.
        grids: keys of `GRIDS`.
        unit: of effect and bounds.
        signed: whether the effect is a difference.
        notes: grid -> what a reader should know besides.
        over: what the intervals are over.
    """
    claims, verdicts = {}, {}
    for grid in grids:
        strong = effect(grid, "strong")
        verdicts[grid] = rule.verdict(strong)
        note = f"by the strong attack: {_found(strong, unit)}, {verdicts[grid]}"
        claims[grid] = claim(
            f"{id_}_{grid}",
            f"{statement}, {grid} grid",
            f"{measurement}; {over}",
            effect(grid, "pgd"),
            rule,
            unit=unit,
            signed=signed,
            note="; ".join(filter(None, [note, notes.get(grid, "")])),
        )
    return Compared(claims, verdicts)


def _found(interval: Interval, unit: str) -> str:
    if math.isnan(interval.effect):
        return "not found"
    low, effect, high = (f"{interval[i]:.3g}" for i in (1, 0, 2))
    return f"{effect}{f' {unit}' if unit else ''} [{low}, {high}]"


def of_one_network(compared: Compared) -> Compared:
    """Leaves a comparison undecided, as other seeds may be otherwise."""
    claims = {
        grid: dataclasses.replace(
            each,
            verdict="undecided",
            detectable=False,
            note=f"one network each, so that nothing is decided; by its images alone: "
            f"{each.verdict}; {each.note}",
        )
        for grid, each in compared.claims.items()
    }
    return Compared(claims)


def ranked(
    id_: str,
    statement: str,
    what: str,
    compared: Comparison,
    numbers: Mapping[Any, Sequence[float]],
    rule: Rule,
    *,
    notes: Callable[[str], Mapping[str, str]] = lambda score: _NOTHING,
) -> list[Compared]:
    """Whether networks are robust in the order of a number, by each score.

    Args:
        id_: of the comparisons; the score follows.
        statement: what is compared.
        what: the number.
        compared: the networks.
        numbers: network -> its number, by seed.
        rule: of the rank correlation.
        notes: score -> grid -> what a reader should know besides.
    """
    return [
        attacked(
            f"{id_}_{score}",
            f"{statement}: {SCORES[score].name}",
            f"rank correlation of {what} and the area of {SCORES[score].name} over "
            f"{len(numbers)} networks",
            functools.partial(compared.spearman, numbers, score),
            rule,
            signed=False,
            notes=notes(score),
        )
        for score in compared.main_scores
    ]


def together(
    id_: str,
    statement: str,
    comparisons: Iterable[Compared],
    measurement: str = "",
    *,
    note: str = "",
) -> list[Claim]:
    """A claim that holds where all its comparisons do, and their claims.

    Args:
        id_: of the whole.
        statement: what the source claims.
        comparisons: at least one.
        measurement: how they decide; by default all of them, on all grids.
        note: what a reader should know besides; the verdict by the strong attack and
            comparisons that grids decide differently are added.
    """
    comparisons = list(comparisons)
    decided = statistics.all_hold(each.verdict for each in comparisons)
    measured = measurement or (
        f"all {len(comparisons)} comparisons that follow, each on every grid of radii"
    )
    notes = [note, _by_strong(comparisons), *map(_disagreement, comparisons)]
    return [
        whole(id_, statement, measured, decided, note="; ".join(filter(None, notes))),
        *(
            dataclasses.replace(part, part_of=id_)
            for each in comparisons
            for part in each.claims.values()
        ),
    ]


def _by_strong(comparisons: Sequence[Compared]) -> str:
    if not all(each.strong for each in comparisons):
        return ""
    found = statistics.all_hold(_agreed(each.strong.values()) for each in comparisons)
    return f"by the strong attack: {found}"


def _disagreement(compared: Compared) -> str:
    verdicts = {grid: each.verdict for grid, each in compared.claims.items()}
    if len(set(verdicts.values())) == 1:
        return ""
    (grid, first), *_ = compared.claims.items()
    name = first.statement.removesuffix(f", {grid} grid")
    found = ", ".join(
        f"{verdict} on the {grid} one" for grid, verdict in verdicts.items()
    )
    return f"grids disagree on {name}: {found}"


def share(measured: float, printed: float, unit: str = "%") -> str:
    """How much of a printed effect was found.

    Args:
        measured: our effect.
        printed: the source's.
        unit: of both.
    """
    return (
        f"printed {printed:+.1f} {unit}, measured {measured:+.1f} {unit}: "
        f"{100 * measured / printed:.0f} % of the printed effect"
    )


def shares(id_: str, found: Mapping[str, tuple[float, float]]) -> str:
    """The same of several effects.

    Args:
        id_: what they are.
        found: name -> measured and printed effect.
    """
    each = sorted(100 * measured / printed for measured, printed in found.values())
    if not each:
        return ""
    middle = each[len(each) // 2]
    return (
        f"{id_}: {each[0]:.0f} to {each[-1]:.0f} % of the printed effects, half of "
        f"them at least {middle:.0f} %"
    )
