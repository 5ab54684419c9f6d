import dataclasses

import pytest

from tfsemae.reports import Claim, drawings


@pytest.fixture
def claim():
    return Claim(
        id="a",
        statement="",
        measurement="",
        effect=0.5,
        low=-1.0,
        high=2.0,
        verdict="undecided",
        bounds=(0.0,),
    )


def test_positions_are_to_scale(claim):
    drawing = drawings.draw(claim)
    # The lowest number at 14, the highest at 226: 212 for a range of 3.
    assert (drawing.low, drawing.high) == (14.0, 226.0)
    assert drawing.effect == pytest.approx(14 + 212 * 1.5 / 3, abs=0.05)
    [bound] = drawing.bounds
    assert bound.x == pytest.approx(14 + 212 / 3, abs=0.05)
    assert bound.label == "0"
    assert drawing.zero is None  # drawn as the bound


def test_bounds_belong_to_the_scale(claim):
    claim = dataclasses.replace(
        claim, effect=28.5, low=28.0, high=29.0, bounds=(35.0,), signed=False
    )
    drawing = drawings.draw(claim)
    assert drawing.low == 14.0
    assert drawing.bounds == (drawings.Bound(226.0, "35"),)
    assert drawing.high == pytest.approx(14 + 212 / 7, abs=0.05)
    assert drawing.zero is None  # of an absolute value zero says nothing


def test_zero_of_a_difference_is_drawn_between_other_bounds(claim):
    drawing = drawings.draw(dataclasses.replace(claim, bounds=(-2.0, 2.0)))
    assert drawing.zero == 120.0
    assert [bound.label for bound in drawing.bounds] == ["\u22122", "+2"]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        # From -1 to 2, the ends of the interval, at 14 and 226.
        ((2.0,), (pytest.approx(14 + 212 / 3, abs=0.05), 226.0)),
        ((-1.0,), (14.0, pytest.approx(14 + 212 / 3, abs=0.05))),
        ((-1.0, 2.0), (14.0, 226.0)),
        ((0.0,), None),
        ((), None),
    ],
)
def test_differences_too_small_to_matter_are_marked(claim, bounds, expected):
    drawing = drawings.draw(dataclasses.replace(claim, bounds=bounds))
    assert drawing.irrelevant == expected


def test_of_an_absolute_value_nothing_is_too_small(claim):
    drawing = drawings.draw(dataclasses.replace(claim, bounds=(2.0,), signed=False))
    assert drawing.irrelevant is None


def test_labels_do_not_lie_on_each_other(claim):
    drawing = drawings.draw(dataclasses.replace(claim, bounds=(0.0, 0.01, 1.0)))
    assert [bound.label for bound in drawing.bounds] == ["0", "", "+1"]


def test_claims_beside_share_the_scale(claim):
    other = dataclasses.replace(claim, high=8.0)
    assert drawings.draw(claim, [claim, other]).low == 14.0
    assert drawings.draw(claim, [claim, other]).high == pytest.approx(
        14 + 212 * 3 / 9, abs=0.05
    )


def test_nothing_is_drawn_without_interval_or_range(claim):
    assert drawings.draw(dataclasses.replace(claim, low=None, high=None)) is None
    assert drawings.draw(dataclasses.replace(claim, effect=0, low=0, high=0)) is None
