"""Rules that decide a claim from an interval.

Each rule is one frozen dataclass, and everything that is said about it comes from
there: the verdict on an interval, the sentence that a ledger prints, and the bounds
that a figure draws. An interval of NaN decides nothing: "undecided".
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import Literal, Protocol

from tfsemae.statistics.interval import Interval

#: "intermediate": the value is known, and lies between two chosen bounds.
#: "undecided": the interval is too wide to tell.
Verdict = Literal["holds", "does not hold", "intermediate", "undecided"]

#: How an effect compares with the least size that matters; "undetected" if its rule
#: does not hold.
Relevance = Literal["relevant", "detectable", "irrelevant", "undetected"]


class Rule(Protocol):
    """What decides a claim."""

    @property
    def bounds(self) -> tuple[float, ...]:
        """The bounds that a figure draws, ascending, in the unit of the interval."""

    def verdict(self, interval: Interval) -> Verdict:
        """The verdict that an interval allows."""

    def sentence(self, unit: str = "") -> str:
        """The rule in words; `unit` is that of the interval."""


@dataclasses.dataclass(frozen=True)
class Above:
    """Whether an effect exceeds a bound.

    "holds" if the interval lies above the bound, "does not hold" if it lies below;
    "undecided" if it contains the bound, also as an end.

    Attributes:
        bound: in the unit of the interval.
        least_relevant: smallest distance from the bound that matters, not negative,
            in the same unit. Does not change the verdict; see `relevance`.

    Raises:
        ValueError: if `bound` is not finite, or `least_relevant` is negative or not
            finite.
    """

    bound: float = 0.0
    least_relevant: float = 0.0

    def __post_init__(self) -> None:
        _check_finite("bound", self.bound)
        _check_size("least_relevant", self.least_relevant)

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (self.bound,)

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if interval.low > self.bound:
            return "holds"
        return "does not hold" if interval.high < self.bound else "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        least = _least(self.least_relevant, unit)
        return f"holds above {_quantity(self.bound, unit)}, does not hold below{least}"

    def relevance(self, interval: Interval) -> Relevance:
        """Whether an effect that is there is large enough to matter.

        Returns:
            "undetected" if the rule does not hold; else "relevant" if the whole
            interval is at least `least_relevant` beyond the bound, "irrelevant" if
            all of it is closer, "detectable" if it contains both sizes.
        """
        if self.verdict(interval) != "holds":
            return "undetected"
        relevant = self.bound + self.least_relevant
        if interval.low >= relevant:
            return "relevant"
        return "irrelevant" if interval.high < relevant else "detectable"


@dataclasses.dataclass(frozen=True)
class Below:
    """Whether an effect stays below a bound.

    "holds" if the interval lies below the bound, "does not hold" if it lies above;
    "undecided" if it contains the bound, also as an end.

    Attributes:
        bound: as in `Above`.
        least_relevant: as in `Above`.

    Raises:
        ValueError: as `Above`.
    """

    bound: float = 0.0
    least_relevant: float = 0.0

    def __post_init__(self) -> None:
        _check_finite("bound", self.bound)
        _check_size("least_relevant", self.least_relevant)

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (self.bound,)

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        return self._negative.verdict(_negated(interval))

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        least = _least(self.least_relevant, unit)
        return f"holds below {_quantity(self.bound, unit)}, does not hold above{least}"

    def relevance(self, interval: Interval) -> Relevance:
        """As in `Above`."""
        return self._negative.relevance(_negated(interval))

    @property
    def _negative(self) -> Above:
        return Above(-self.bound, self.least_relevant)


@dataclasses.dataclass(frozen=True)
class Within:
    """Whether an effect is negligible: equivalence within a margin.

    "holds" if the interval lies in [-margin, margin], ends included; "does not hold"
    if it lies outside, beyond one end; else "undecided".

    Attributes:
        margin: largest negligible size of the effect, not negative, in the unit of
            the interval.

    Raises:
        ValueError: if `margin` is negative or not finite.
    """

    margin: float

    def __post_init__(self) -> None:
        _check_size("margin", self.margin)

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (_minus(self.margin), self.margin)

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if -self.margin <= interval.low and interval.high <= self.margin:
            return "holds"
        if interval.low > self.margin or interval.high < -self.margin:
            return "does not hold"
        return "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        low, high = (_number(bound) for bound in self.bounds)
        return f"holds from {low} to {_with_unit(high, unit)}, does not hold outside"


@dataclasses.dataclass(frozen=True)
class Between:
    """Whether an error is small, by one bound below which it is, one above which not.

    "holds" if the interval lies below `holds`, "does not hold" if it lies above
    `fails`, "intermediate" if it lies between them, ends included; "undecided" if it
    extends to both sides of a bound.

    Attributes:
        holds: the lower bound, in the unit of the interval.
        fails: the upper bound.

    Raises:
        ValueError: if a bound is not finite, or `holds` is not below `fails`.
    """

    holds: float
    fails: float

    def __post_init__(self) -> None:
        _check_finite("holds", self.holds)
        _check_finite("fails", self.fails)
        if not self.holds < self.fails:
            raise ValueError(
                "`holds` must be below `fails`. "
                f"Received: holds={self.holds}, fails={self.fails}."
            )

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (self.holds, self.fails)

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if interval.high < self.holds:
            return "holds"
        if interval.low > self.fails:
            return "does not hold"
        if self.holds <= interval.low and interval.high <= self.fails:
            return "intermediate"
        return "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        holds, fails = (_quantity(bound, unit) for bound in self.bounds)
        return f"holds below {holds}, does not hold above {fails}, intermediate between"


@dataclasses.dataclass(frozen=True)
class BelowControl:
    """Whether an effect, of which less is more, exceeds that of a control.

    For the difference effect minus control: "holds" if the interval lies below 0.
    Otherwise the control may do as much: "does not hold" if no part of the interval
    lies below -margin; else "undecided".

    Attributes:
        margin: largest difference to the control that counts as none, not negative,
            in the unit of the interval. It is also the least relevant size.

    Raises:
        ValueError: if `margin` is negative or not finite.
    """

    margin: float

    def __post_init__(self) -> None:
        _check_size("margin", self.margin)

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (-self.margin, 0.0) if self.margin else (0.0,)

    @property
    def least_relevant(self) -> float:
        """See `Above`."""
        return self.margin

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if interval.high < 0:
            return "holds"
        return "does not hold" if interval.low >= -self.margin else "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        margin = _quantity(_minus(self.margin), unit)
        return f"holds below 0; otherwise does not hold from {margin} on"

    def relevance(self, interval: Interval) -> Relevance:
        """As in `Above`, of the distance below 0."""
        return Below(0.0, self.margin).relevance(interval)


@dataclasses.dataclass(frozen=True)
class NonInferior:
    """Whether an effect is not worse than a margin allows; more is better.

    "holds" if the interval lies above -margin, "does not hold" if it lies below;
    "undecided" if it contains -margin, also as an end.

    Attributes:
        margin: largest tolerable loss, not negative, in the unit of the interval.

    Raises:
        ValueError: if `margin` is negative or not finite.
    """

    margin: float

    def __post_init__(self) -> None:
        _check_size("margin", self.margin)

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (_minus(self.margin),)

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        return Above(-self.margin).verdict(interval)

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        return Above(_minus(self.margin)).sentence(unit)


@dataclasses.dataclass(frozen=True)
class NotFalling:
    """Whether an effect is not negative, by its estimate unless it surely is.

    "holds" if the estimate is 0 or more, "does not hold" if the interval lies below
    0; else "undecided".
    """

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (0.0,)

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if interval.effect >= 0:
            return "holds"
        return "does not hold" if interval.high < 0 else "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        del unit  # 0 needs none
        return "holds if the estimate is 0 or more, does not hold below 0"


def relevance_note(rule: Rule, interval: Interval, unit: str = "") -> str:
    """What a reader of the verdict should know about the size of the effect.

    Args:
        rule: any; only some have a least relevant size.
        interval: the effect's interval.
        unit: of the interval.

    Returns:
        "" unless the rule holds and the effect may be too small to matter.
    """
    if not isinstance(rule, Above | Below | BelowControl):
        return ""
    least = f"the least relevant size {_quantity(rule.least_relevant, unit)}"
    notes = {
        "irrelevant": f"detectable, below {least}",
        "detectable": f"detectable, not surely as large as {least}",
    }
    return notes.get(rule.relevance(interval), "")


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


def _negated(interval: Interval) -> Interval:
    return Interval(-interval.effect, -interval.high, -interval.low)


def _minus(margin: float) -> float:
    return 0.0 - margin  # not -0.0, which would be printed


def _quantity(value: float, unit: str) -> str:
    return _with_unit(_number(value), unit)


def _least(size: float, unit: str) -> str:
    return f"; least relevant size {_quantity(size, unit)}" if size else ""


def _number(value: float) -> str:
    return f"{value:.12g}"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit else number


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"`{name}` must be finite. Received: {name}={value}.")


def _check_size(name: str, value: float) -> None:
    _check_finite(name, value)
    if value < 0:
        raise ValueError(f"`{name}` must not be negative. Received: {name}={value}.")
