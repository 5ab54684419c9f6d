"""The rule of two grids: what holds on one only is undecided, and said so."""

import math

import pytest

from tfsemae.experiments.lu2023 import comparisons
from tfsemae.statistics import Above, Interval

HIGH, LOW, ACROSS = Interval(2, 1, 3), Interval(-2, -3, -1), Interval(1, -1, 3)


def _comparison(absolute, relative, name="A above B", strong=None):
    effects = {"absolute": absolute, "relative": relative}

    def effect(grid, condition):
        return effects[grid] if condition == "pgd" else strong or effects[grid]

    return comparisons.attacked("4_a", name, "damage", effect, Above(0), unit="%")


@pytest.mark.parametrize(
    ("absolute", "relative", "expected"),
    [
        (HIGH, HIGH, "holds"),
        (LOW, LOW, "does not hold"),
        (HIGH, ACROSS, "undecided"),
        (ACROSS, HIGH, "undecided"),
        (HIGH, LOW, "undecided"),
        (LOW, ACROSS, "undecided"),
        (ACROSS, ACROSS, "undecided"),
    ],
)
def test_verdict_is_the_one_of_both_grids(absolute, relative, expected):
    found = _comparison(absolute, relative)
    assert found.verdict == expected
    whole, *parts = comparisons.together("4", "A above B above C", [found])
    assert whole.verdict == expected
    assert [part.part_of for part in parts] == ["4", "4"]
    assert [part.id for part in parts] == ["4_a_absolute", "4_a_relative"]


def test_text_says_which_grid_decides():
    whole, *_ = comparisons.together("4", "Order", [_comparison(HIGH, ACROSS)])
    assert whole.note == (
        "by the strong attack: undecided; grids disagree on A above B: holds on the "
        "absolute one, undecided on the relative one"
    )


def test_strong_attack_stands_beside_and_decides_nothing():
    found = _comparison(HIGH, HIGH, strong=LOW)
    assert found.verdict == "holds"
    whole, *parts = comparisons.together("4", "Order", [found], note="A note")
    assert whole.verdict == "holds"
    assert whole.note == "A note; by the strong attack: does not hold"
    assert [part.note for part in parts] == [
        "by the strong attack: -2 % [-3, -1], does not hold"
    ] * 2


def test_a_strong_attack_without_an_effect_is_not_found():
    nothing = Interval(math.nan, math.nan, math.nan)
    found = _comparison(HIGH, HIGH, strong=nothing)
    part = found.claims["absolute"]
    assert part.note == "by the strong attack: not found, undecided"


def test_least_relevant_size_is_beyond_what_is_merely_there():
    def effect(grid, condition):
        return Interval(3, 1, 4)

    found = comparisons.attacked("8", "A", "damage", effect, Above(5), unit="%")
    assert found.verdict == "does not hold"
    assert all(each.detectable for each in found.claims.values())
    assert "holds above 5 %" in found.claims["relative"].measurement


def test_a_whole_holds_where_all_comparisons_do():
    holds, fails = _comparison(HIGH, HIGH), _comparison(LOW, LOW)
    open_ = _comparison(HIGH, LOW)
    for parts, expected in (
        ([holds, holds], "holds"),
        ([holds, open_], "undecided"),
        ([holds, open_, fails], "does not hold"),
    ):
        assert comparisons.together("4", "All", parts)[0].verdict == expected


def test_shares_of_printed_effects():
    assert comparisons.share(3.0, 12.0) == (
        "printed +12.0 %, measured +3.0 %: 25 % of the printed effect"
    )
    found = {"a": (3.0, 12.0), "b": (-2.0, 4.0), "c": (5.0, 5.0)}
    assert comparisons.shares("areas", found) == (
        "areas: -50 to 100 % of the printed effects, half of them at least 25 %"
    )
    assert comparisons.shares("areas", {}) == ""
