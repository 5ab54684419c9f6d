"""Where the parts of a drawn interval stand, between the bounds that decide."""

from collections.abc import Sequence
from typing import NamedTuple

from tfsemae.reports import numerals
from tfsemae.reports.ledger import Claim

WIDTH, _MARGIN = 240.0, 14.0
_LEAST_GAP = 26.0  # between the labels of two bounds


class Bound(NamedTuple):
    """A bound: its position, and its value as text, "" where there is no space."""

    x: float
    label: str


class Drawing(NamedTuple):
    """Positions on an axis from 0 to `WIDTH`.

    Attributes:
        low: lower end of the interval.
        high: its upper end.
        effect: the effect, or None.
        bounds: the bounds that decide.
        zero: no difference, where that is no bound; None of an absolute value.
        irrelevant: ends of the stretch of differences too small to matter; None of an
            absolute value.
    """

    low: float
    high: float
    effect: float | None
    bounds: tuple[Bound, ...]
    zero: float | None
    irrelevant: tuple[float, float] | None


def draw(claim: Claim, beside: Sequence[Claim] = ()) -> Drawing | None:
    """Places the interval of a claim; None if there is none, or nothing to scale.

    Args:
        claim: whose interval it is.
        beside: claims that are drawn to the same scale.
    """
    if claim.low is None or claim.high is None:
        return None
    values = [value for each in (claim, *beside) for value in _values(each)]
    first, last = min(values), max(values)
    if first == last:
        return None

    def place(value: float) -> float:
        share = (value - first) / (last - first)
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN), 1)

    return Drawing(
        low=place(claim.low),
        high=place(claim.high),
        effect=None if claim.effect is None else place(claim.effect),
        bounds=_bounds(claim, place),
        zero=place(0.0) if claim.signed and 0.0 not in claim.bounds else None,
        irrelevant=_irrelevant(claim, place),
    )


def _values(claim: Claim) -> list[float]:
    zero = 0.0 if claim.signed else None
    values = [claim.effect, claim.low, claim.high, zero, *claim.bounds]
    return [value for value in values if value is not None]


def _irrelevant(claim, place) -> tuple[float, float] | None:
    """From no difference to the bound, or from one bound to the other."""
    if not claim.signed or not any(claim.bounds):
        return None
    return place(min(0.0, *claim.bounds)), place(max(0.0, *claim.bounds))


def _bounds(claim, place) -> tuple[Bound, ...]:
    write = numerals.signed if claim.signed else numerals.fixed
    bounds: list[Bound] = []
    for value in sorted(claim.bounds):
        x = place(value)
        free = not bounds or x - bounds[-1].x >= _LEAST_GAP
        label = write(value, numerals.shortest(value)) if free else ""
        bounds.append(Bound(x, label))
    return tuple(bounds)
