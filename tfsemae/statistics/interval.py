"""An effect and its interval. Free of NumPy."""

from typing import NamedTuple


class Interval(NamedTuple):
    """An effect and the bounds of its confidence interval, in one unit."""

    effect: float  # the estimate
    low: float  # not above the effect
    high: float  # not below the effect
