"""The verdicts that an interval allows."""

from collections.abc import Iterable
from typing import Literal

from tfsemae.statistics.intervals import Interval

Verdict = Literal["holds", "does not hold", "undecided"]


def within(interval: Interval, margin: float) -> Verdict:
    """Whether an effect is negligible: equivalence within a margin.

    Args:
        interval: the effect's interval.
        margin: largest negligible size of the effect, not negative, in the unit
            of the interval.

    Returns:
        "holds" if the interval lies in [-margin, margin], bounds included; "does
        not hold" if it lies wholly outside, beyond one bound; else "undecided".

    Raises:
        ValueError: if `margin` is negative.
    """
    if margin < 0:
        raise ValueError(f"`margin` must not be negative. Received: margin={margin}.")
    if -margin <= interval.low and interval.high <= margin:
        return "holds"
    if interval.low > margin or interval.high < -margin:
        return "does not hold"
    return "undecided"


def above(interval: Interval, bound: float = 0.0) -> Verdict:
    """Whether an effect exceeds a bound.

    Args:
        interval: the effect's interval.
        bound: in the unit of the interval.

    Returns:
        "holds" if the interval lies above the bound, "does not hold" if it lies
        below; "undecided" if it contains the bound, be it as an end.
    """
    if interval.low > bound:
        return "holds"
    if interval.high < bound:
        return "does not hold"
    return "undecided"


def all_hold(verdicts: Iterable[str]) -> Verdict:
    """The verdict on a claim that is made of several.

    Args:
        verdicts: at least one.

    Returns:
        "holds" if all hold, "does not hold" if any does not, else "undecided".

    Raises:
        ValueError: if there are no verdicts.
    """
    verdicts = set(verdicts)
    if not verdicts:
        raise ValueError("`verdicts` must not be empty. Received: no verdict.")
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if verdicts == {"holds"} else "undecided"
