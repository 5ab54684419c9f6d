"""Verdicts on claims."""

from collections.abc import Iterable
from typing import Literal

#: "intermediate": the value is known, and lies between two chosen bounds.
#: "undecided": the interval is too wide to tell.
Verdict = Literal["holds", "does not hold", "intermediate", "undecided"]


def all_hold(verdicts: Iterable[str]) -> Verdict:
    """The verdict on a claim that is made of several.

    Args:
        verdicts: at least one.

    Returns:
        "does not hold" if any does not, "holds" if all hold, else "undecided" if any
        is, else "intermediate".

    Raises:
        ValueError: if there are no verdicts.
    """
    verdicts = set(verdicts)
    if not verdicts:
        raise ValueError("`verdicts` must not be empty. Received: no verdict.")
    order: tuple[Verdict, ...] = ("does not hold", "undecided", "intermediate")
    return next((verdict for verdict in order if verdict in verdicts), "holds")
