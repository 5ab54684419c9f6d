"""Rows and claims of a ledger, from what was measured."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.estimates import Estimates
from tfsemae.reports.ledger import Claim, Row, Tag
from tfsemae.statistics import Interval, Verdict
from tfsemae.statistics.verdicts import Rule


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
    """A row of an estimate with its interval, over runs or over examples.

    Args:
        found: the measurements.
        group: of runs.
        key: of the quantity.
        id_: see `row`, as what follows.
        quantity: see `row`.
        tag: see `row`.
        printed: see `row`.
    """
    interval, values = found.value(group, key), found.values(group, key)
    return Row(
        id=id_,
        quantity=quantity,
        unit=found.quantities[key].unit,
        printed=printed,
        measured=interval.effect,
        sd=None if values is None else float(values.std(ddof=1)),
        n=1 if values is None else len(values),
        values=() if values is None else tuple(values.tolist()),
        low=interval.low,
        high=interval.high,
        tag=tag,
        note=f"95 % {found.over}: {interval.low:#.4g} to {interval.high:#.4g}",
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
        unit=unit,
        bounds=rule.bounds,
        least_relevant=getattr(rule, "least_relevant", None) or None,
        signed=signed,
        note=note,
    )


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
