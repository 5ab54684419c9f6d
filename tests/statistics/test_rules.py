"""Rules by their definition: verdict and sentence at every bound."""

import numpy as np
import pytest

from tfsemae.statistics import (
    Above,
    Below,
    Between,
    Interval,
    NotBelow,
    Within,
)
from tfsemae.statistics.rules import is_detectable

RULES = [
    Above(0.5),
    Below(0.5),
    NotBelow(0.5),
    Within(0.5),
    Between(0.1, 0.5),
]


def interval(low, high):
    return Interval((low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("rule", "low", "high", "verdict"),
    [
        (Above(0.1), 0.11, 0.2, "holds"),
        (Above(0.1), 0.1, 0.2, "undecided"),
        (Above(0.1), 0.0, 0.2, "undecided"),
        (Above(0.1), 0.0, 0.1, "undecided"),
        (Above(0.1), 0.1, 0.1, "undecided"),
        (Above(0.1), 0.0, 0.09, "does not hold"),
        (Above(-2), -1.9, -1.8, "holds"),
        (Above(-2), -2.2, -2.1, "does not hold"),
        (Below(0.1), 0.0, 0.09, "holds"),
        (Below(0.1), 0.0, 0.1, "undecided"),
        (Below(0.1), 0.0, 0.2, "undecided"),
        (Below(0.1), 0.1, 0.2, "undecided"),
        (Below(0.1), 0.1, 0.1, "undecided"),
        (Below(0.1), 0.11, 0.2, "does not hold"),
        (NotBelow(0.1), 0.11, 0.2, "holds"),
        (NotBelow(0.1), 0.0, 0.2, "holds"),
        (NotBelow(0.1), 0.0, 0.1, "holds"),
        (NotBelow(0.1), 0.0, 0.09, "does not hold"),
        (Within(0.5), -0.1, 0.4, "holds"),
        (Within(0.5), -0.5, 0.5, "holds"),
        (Within(0.5), 0.3, 0.3, "holds"),
        (Within(0.5), 0.5, 0.5, "holds"),
        (Within(0.5), 0.4, 0.6, "undecided"),
        (Within(0.5), -0.6, 0.0, "undecided"),
        (Within(0.5), -0.6, 0.6, "undecided"),
        (Within(0.5), 0.5, 0.7, "undecided"),
        (Within(0.5), -0.7, -0.5, "undecided"),
        (Within(0.5), 0.51, 0.7, "does not hold"),
        (Within(0.5), -0.7, -0.51, "does not hold"),
        (Within(0), 0.0, 0.0, "holds"),
        (Between(0.1, 0.5), 0.0, 0.09, "holds"),
        (Between(0.1, 0.5), 0.0, 0.1, "undecided"),
        (Between(0.1, 0.5), 0.05, 0.3, "undecided"),
        (Between(0.1, 0.5), 0.1, 0.1, "intermediate"),
        (Between(0.1, 0.5), 0.1, 0.5, "intermediate"),
        (Between(0.1, 0.5), 0.2, 0.3, "intermediate"),
        (Between(0.1, 0.5), 0.5, 0.5, "intermediate"),
        (Between(0.1, 0.5), 0.3, 0.6, "undecided"),
        (Between(0.1, 0.5), 0.5, 0.6, "undecided"),
        (Between(0.1, 0.5), 0.0, 0.6, "undecided"),
        (Between(0.1, 0.5), 0.51, 0.6, "does not hold"),
    ],
)
def test_verdict_by_interval(rule, low, high, verdict):
    assert rule.verdict(interval(low, high)) == verdict


# Verdicts on points: below, at and above each bound in turn.
@pytest.mark.parametrize(
    ("rule", "sentence", "bounds", "verdicts"),
    [
        (
            Above(0.5),
            "holds above 0.5 dB, does not hold below",
            (0.5,),
            ["does not hold", "undecided", "holds"],
        ),
        (
            Below(-35),
            "holds below -35 dB, does not hold above",
            (-35.0,),
            ["holds", "undecided", "does not hold"],
        ),
        (
            NotBelow(0),
            "does not hold where the interval lies below 0 dB, else holds",
            (0.0,),
            ["does not hold", "holds", "holds"],
        ),
        (
            Within(0.25),
            "holds from -0.25 to 0.25 dB, does not hold outside",
            (-0.25, 0.25),
            ["does not hold", "holds", "holds", "holds", "holds", "does not hold"],
        ),
        (
            Between(0.1, 0.5),
            "holds below 0.1 dB, does not hold above 0.5 dB, intermediate between",
            (0.1, 0.5),
            ["holds", *4 * ["intermediate"], "does not hold"],
        ),
    ],
    ids=repr,
)
def test_sentence_bounds_and_verdict_agree(rule, sentence, bounds, verdicts):
    assert rule.sentence("dB") == sentence
    assert rule.sentence() == sentence.replace(" dB", "")
    assert rule.bounds == bounds
    steps = (-np.inf, 0, np.inf)
    points = [np.nextafter(b, b + step) for b in bounds for step in steps]
    assert [rule.verdict(Interval(x, x, x)) for x in points] == verdicts


@pytest.mark.parametrize("rule", RULES)
def test_the_verdict_changes_at_the_bounds_only(rule):
    # From one grid point to the next without a bound between or at them.
    grid = np.arange(-2, 2, 0.03125) + 0.01
    verdicts = [rule.verdict(Interval(x, x, x)) for x in grid]
    for a, b, first, second in zip(
        grid, grid[1:], verdicts, verdicts[1:], strict=False
    ):
        assert first == second or any(a < bound < b for bound in rule.bounds)


@pytest.mark.parametrize("rule", RULES)
def test_an_unknown_interval_decides_nothing(rule):
    assert rule.verdict(Interval(np.nan, np.nan, np.nan)) == "undecided"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Within(-0.5),
            r"`margin` must not be negative. Received: margin=-0\.5",
        ),
        (lambda: Within(np.nan), "`margin` must be finite. Received: margin=nan"),
        (lambda: Above(np.inf), "`bound` must be finite. Received: bound=inf"),
        (lambda: Below(np.nan), "`bound` must be finite. Received: bound=nan"),
        (lambda: Between(0.5, 0.5), r"below `fails`. Received: holds=0\.5, fails=0\.5"),
        (lambda: Between(0.5, np.inf), "`fails` must be finite"),
    ],
)
def test_rules_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("rule", "low", "high", "expected"),
    [
        (Above(0.1), 0.01, 0.09, True),
        (Above(0.1), 0.01, 0.15, True),
        (Above(0.1), 0.0, 0.16, False),
        (Above(0.1), -0.09, -0.01, False),  # the other way
        (Above(0.1), 0.2, 0.4, False),  # holds
        (Below(-0.1), -0.09, -0.01, True),
        (Below(-0.1), 0.01, 0.09, False),
        (Above(-0.5), -0.7, -0.1, False),  # a loss that may be tolerable
        (Above(0.0), -0.7, -0.1, False),
        (NotBelow(0.0), -0.7, -0.1, False),
        (Within(0.5), 0.2, 1.0, False),
        (Between(0.1, 0.5), 0.2, 0.3, False),
    ],
)
def test_detectable_is_between_nothing_and_the_bound(rule, low, high, expected):
    assert is_detectable(rule, interval(low, high)) == expected
