"""Rows and claims of a ledger, from what was measured."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.estimates import Estimates
from tfsemae.reports.ledger import Claim, Row, Tag
from tfsemae.statistics import Interval, Rule, Verdict, rules

_LEVEL = 0.05  # of the tests that `corrected` adjusts


def row(
    id_: str,
    quantity: str,
    values: Sequence[float] | np.ndarray,
    *,
    tag: Tag,
    unit: str = "",
    printed: float | None = None,
    note: str = "",
) -> Row:
    """A row of one value a run: their mean and standard deviation.

    Args:
        id_: unique in the ledger.
        quantity: for a reader.
        values: `[N]`, in the unit.
        tag: see `Workspace.tag`.
        unit: of the values.
        printed: the source's number, or None.
        note: what a reader should know besides.
    """
    values = np.asarray(values, dtype=np.float64)
    return Row(
        id=id_,
        quantity=quantity,
        unit=unit,
        printed=printed,
        measured=float(values.mean()),
        sd=float(values.std(ddof=1)) if len(values) > 1 else None,
        n=len(values),
        values=tuple(values.tolist()),
        tag=tag,
        note=note,
    )


def estimated_row(
    found: Estimates,
    group: Any,
    key: str,
    id_: str,
    quantity: str,
    *,
    tag: Tag,
    printed: float | None = None,
) -> Row:
    """A row of a quantity with its interval over runs; of one run there is none.

    Args:
        found: the measurements.
        group: of runs.
        key: of the quantity.
        id_: see `row`, as what follows.
        quantity: see `row`.
        tag: see `row`.
        printed: see `row`.
    """
    values, unit = found.values(group, key), found.quantities[key].unit
    plain = row(id_, quantity, values, tag=tag, unit=unit, printed=printed)
    if len(values) == 1:
        return plain
    interval = found.value(group, key)
    return dataclasses.replace(
        plain,
        low=interval.low,
        high=interval.high,
        note=f"95 % {found.interval_over(len(values))}: {interval.low:#.4g} to "
        f"{interval.high:#.4g}",
    )


def estimated_difference(
    found: Estimates,
    first: tuple[Any, str],
    second: tuple[Any, str],
    id_: str,
    quantity: str,
    *,
    tag: Tag,
    unit: str,
    printed: float | None = None,
) -> Row:
    """A row of a difference, with its interval over runs.

    Args:
        found: the measurements.
        first: (group, key) of the minuend.
        second: that of the subtrahend.
        id_: see `row`, as what follows.
        quantity: see `row`.
        tag: see `row`.
        unit: see `row`.
        printed: see `row`.
    """
    a, b = found.paired(first, second)
    interval = found.difference(first, second)
    over = found.interval_over(len(a))
    note = f"95 % {over}: {interval.low:+#.3g} to {interval.high:+#.3g}"
    if printed is not None:
        contained = "yes" if interval.low <= printed <= interval.high else "no"
        note += f"; the interval contains the printed difference: {contained}"
    return dataclasses.replace(
        row(id_, quantity, a - b, tag=tag, unit=unit, printed=printed),
        low=interval.low,
        high=interval.high,
        note=note,
    )


def not_run(id_: str, quantity: str, printed: float, *, unit: str, note: str) -> Row:
    """A row of a printed number of a scale at which nothing was measured here.

    Args:
        id_: see `row`, as what follows.
        quantity: see `row`.
        printed: the source's number.
        unit: see `row`.
        note: such as the flagfile of that scale.
    """
    return Row(
        id=id_,
        quantity=quantity,
        unit=unit,
        printed=printed,
        measured=None,
        n=None,
        tag="not run",
        note=note,
    )


def claim(
    id_: str,
    statement: str,
    measurement: str,
    interval: Interval,
    rule: Rule,
    *,
    unit: str = "",
    signed: bool = True,
    note: str = "",
) -> Claim:
    """A claim as its rule decides it.

    Args:
        id_: unique in the ledger.
        statement: what the source claims.
        measurement: what was measured; the rule's sentence is added.
        interval: the effect.
        rule: that decides.
        unit: of effect and bounds.
        signed: whether the effect is a difference.
        note: what a reader should know besides.
    """
    return Claim(
        id=id_,
        statement=statement,
        measurement=f"{measurement}; {rule.sentence(unit)}",
        **interval._asdict(),
        verdict=rule.verdict(interval),
        detectable=signed and rules.is_detectable(rule, interval),
        unit=unit,
        bounds=rule.bounds,
        signed=signed,
        note=note,
    )


def corrected(
    claims: Sequence[Claim],
    p_values: Sequence[float],
    *,
    verdicts: Sequence[Verdict] = ("holds", "does not hold"),
) -> list[Claim]:
    """Claims that are decided together, corrected for their number by Holm's method.

    Args:
        claims: of one family.
        p_values: of each, that its effect lies at the bound that decides it.
        verdicts: those that are corrected. A whole that holds only where all its parts
            do needs no correction of "holds", but of "does not hold".

    Returns:
        The claims; one with such a verdict whose adjusted p-value is above 0.05 is
        undecided.
    """
    adjusted = statistics.holm(p_values)
    return [
        dataclasses.replace(
            each,
            verdict="undecided" if open_ else each.verdict,
            note=f"p = {p:.2g} by Holm's method over {len(claims)}; the interval is "
            "not adjusted",
        )
        for each, p in zip(claims, adjusted.tolist(), strict=True)
        for open_ in [p > _LEVEL and each.verdict in verdicts]
    ]


def with_parts(
    id_: str, statement: str, parts: Iterable[Claim], measurement: str = ""
) -> list[Claim]:
    """A claim that holds where all its parts do, and these.

    Args:
        id_: of the whole.
        statement: what the source claims.
        parts: claims of their own.
        measurement: how the parts decide; by default all of them.
    """
    parts = list(parts)
    decided_by = measurement or f"all {len(parts)} of the following"
    verdict = statistics.all_hold(part.verdict for part in parts)
    return [
        whole(id_, statement, decided_by, verdict),
        *(dataclasses.replace(part, part_of=id_) for part in parts),
    ]


def whole(
    id_: str, statement: str, measurement: str, verdict: Verdict, *, note: str = ""
) -> Claim:
    """A claim that has no effect of its own: others decide it.

    Args:
        id_: unique in the ledger.
        statement: what the source claims.
        measurement: which others.
        verdict: theirs together.
        note: what a reader should know besides.
    """
    return Claim(
        id=id_,
        statement=statement,
        measurement=measurement,
        effect=None,
        low=None,
        high=None,
        verdict=verdict,
        note=note,
    )
