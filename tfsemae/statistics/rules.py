"""Rules that decide a claim from an interval.

Each rule is one frozen dataclass, and everything that is said about it comes from
there: the verdict on an interval, the sentence that a ledger prints, and the bounds
that a figure draws. An interval of NaN decides nothing: "undecided".

A bound is a size that matters, chosen before the measurement, not zero: an effect
that is merely there is `detectable`, which is no verdict.
"""

import dataclasses
import math
from typing import Protocol

from tfsemae.statistics.interval import Interval
from tfsemae.statistics.verdicts import Verdict


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
class _OneBound:
    """A rule with one bound.

    Attributes:
        bound: in the unit of the interval.

    Raises:
        ValueError: if `bound` is not finite.
    """

    bound: float

    def __post_init__(self) -> None:
        _check_finite("bound", self.bound)

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (self.bound,)


@dataclasses.dataclass(frozen=True)
class Above(_OneBound):
    """Whether an effect exceeds a bound.

    "holds" if the interval lies above the bound, "does not hold" if it lies below;
    "undecided" if it contains the bound, also as an end.
    """

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if interval.low > self.bound:
            return "holds"
        return "does not hold" if interval.high < self.bound else "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        return f"holds above {_quantity(self.bound, unit)}, does not hold below"


@dataclasses.dataclass(frozen=True)
class Below(_OneBound):
    """Whether an effect stays below a bound.

    "holds" if the interval lies below the bound, "does not hold" if it lies above;
    "undecided" if it contains the bound, also as an end.
    """

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if interval.high < self.bound:
            return "holds"
        return "does not hold" if interval.low > self.bound else "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        return f"holds below {_quantity(self.bound, unit)}, does not hold above"


@dataclasses.dataclass(frozen=True)
class NotBelow(_OneBound):
    """Whether an effect is not surely below a bound.

    "does not hold" if the interval lies below the bound, else "holds": also where the
    interval is too wide to tell. An interval of NaN is "undecided".
    """

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if interval.high < self.bound:
            return "does not hold"
        return "holds" if interval.high >= self.bound else "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        bound = _quantity(self.bound, unit)
        return f"does not hold where the interval lies below {bound}, else holds"


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
        _check_finite("margin", self.margin)
        if self.margin < 0:
            raise ValueError(
                f"`margin` must not be negative. Received: margin={self.margin}."
            )

    @property
    def bounds(self) -> tuple[float, ...]:
        """See `Rule`."""
        return (0.0 - self.margin, self.margin)  # not -0.0, which would be printed

    def verdict(self, interval: Interval) -> Verdict:
        """See `Rule`."""
        if -self.margin <= interval.low and interval.high <= self.margin:
            return "holds"
        if interval.low > self.margin or interval.high < -self.margin:
            return "does not hold"
        return "undecided"

    def sentence(self, unit: str = "") -> str:
        """See `Rule`."""
        low, high = self.bounds
        return (
            f"holds from {_number(low)} to {_quantity(high, unit)}, does not hold "
            "outside"
        )


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


def is_detectable(rule: Rule, interval: Interval) -> bool:
    """Whether an effect is there, but not surely as large as the rule asks.

    Args:
        rule: any; only of a least rise or fall there is something between it and no
            effect.
        interval: of a difference.

    Returns:
        True where the rule does not hold, though the interval excludes 0 on the side
        of its bound.
    """
    if rule.verdict(interval) == "holds":
        return False
    if isinstance(rule, Above):
        return rule.bound > 0 and interval.low > 0
    return isinstance(rule, Below) and rule.bound < 0 and interval.high < 0


def _quantity(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}" if unit else _number(value)


def _number(value: float) -> str:
    return f"{value:.12g}"


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"`{name}` must be finite. Received: {name}={value}.")
