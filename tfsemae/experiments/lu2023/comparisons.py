"""Claims that are decided on both grids of radii.

A deterministic code can spread several times as much as a variational one, so that an
order on the absolute grid alone says nothing. A comparison holds if every seed's
interval has the sign on both grids; where only one grid decides, it is undecided, and
the text says which.
"""

import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tfsemae import statistics
from tfsemae.experiments.claims import claim, whole
from tfsemae.experiments.lu2023.areas import GRIDS
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Interval, Rule, Verdict

_OVER = "of each seed the 95 % bootstrap interval over images, joined"
#: Grid -> the claim on it; a comparison without radii has one entry.
ByGrid = Mapping[str, Claim]


def on_grids(
    id_: str,
    statement: str,
    measurement: str,
    effects: Mapping[str, Interval],
    rule: Rule,
    *,
    unit: str = "",
    signed: bool = True,
    notes: Mapping[str, str] = types.MappingProxyType({}),
) -> ByGrid:
    """A comparison: a claim for each grid.

    Args:
        id_: of the comparison; that of the grid follows.
        statement: what is compared.
        measurement: what decides it.
        effects: grid -> `intervals.hull` of the intervals of all seeds.
        rule: that decides.
        unit: of effect and bounds.
        signed: whether the effect is a difference.
        notes: grid -> what a reader should know besides.
    """
    return {
        grid: claim(
            f"{id_}_{grid}",
            f"{statement}, {grid} grid",
            f"{measurement}; {_OVER}",
            effect,
            rule,
            unit=unit,
            signed=signed,
            note=notes.get(grid, ""),
        )
        for grid, effect in effects.items()
    }


class ByAttacks(NamedTuple):
    """Effects of PGD by grid, and what the strong attack finds, for notes."""

    effects: dict[str, Interval]
    notes: dict[str, str]


def by_attacks(effect: Callable[[str, str], Interval], rule: Rule) -> ByAttacks:
    """Measures a comparison by PGD, and beside it by the strong attack.

    Args:
        effect: grid and condition, `pgd` or `strong`, -> effect.
        rule: that decides.
    """
    return ByAttacks(
        {grid: effect(grid, "pgd") for grid in GRIDS},
        {
            grid: f"by the strong attack: {rule.verdict(effect(grid, 'strong'))}"
            for grid in GRIDS
        },
    )


def verdict(by_grid: ByGrid) -> Verdict:
    """That of a comparison: the one on which all grids agree, else undecided."""
    found: set[Verdict] = {each.verdict for each in by_grid.values()}
    return found.pop() if len(found) == 1 else "undecided"


def together(
    id_: str,
    statement: str,
    comparisons: Iterable[ByGrid],
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
        note: what a reader should know besides; comparisons that grids decide
            differently are added.
    """
    comparisons = list(comparisons)
    decided = statistics.all_hold(verdict(each) for each in comparisons)
    measured = measurement or (
        f"all {len(comparisons)} comparisons that follow, each on every grid of radii"
    )
    notes = [note, *filter(None, map(_disagreement, comparisons))]
    return [
        whole(id_, statement, measured, decided, note="; ".join(filter(None, notes))),
        *(
            dataclasses.replace(part, part_of=id_)
            for each in comparisons
            for part in each.values()
        ),
    ]


def _disagreement(by_grid: ByGrid) -> str:
    verdicts = {grid: each.verdict for grid, each in by_grid.items()}
    if len(set(verdicts.values())) == 1:
        return ""
    (grid, first), *_ = by_grid.items()
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
