"""Rules by their definition: verdict and sentence at every bound."""

import itertools

import numpy as np
import pytest

from tfsemae import statistics
from tfsemae.statistics import (
    Above,
    Below,
    BelowControl,
    Between,
    Interval,
    NonInferior,
    NotFalling,
    Within,
)

VERDICTS = ["holds", "does not hold", "intermediate", "undecided"]
RULES = [
    Above(0.5),
    Below(0.5),
    Within(0.5),
    Between(0.1, 0.5),
    BelowControl(0.5),
    NonInferior(0.5),
    NotFalling(),
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
        (Above(), 0.1, 0.3, "holds"),
        (Above(), -0.3, -0.1, "does not hold"),
        (Below(0.1), 0.0, 0.09, "holds"),
        (Below(0.1), 0.0, 0.1, "undecided"),
        (Below(0.1), 0.0, 0.2, "undecided"),
        (Below(0.1), 0.1, 0.2, "undecided"),
        (Below(0.1), 0.1, 0.1, "undecided"),
        (Below(0.1), 0.11, 0.2, "does not hold"),
        (Below(), -0.3, -0.1, "holds"),
        (Below(), 0.1, 0.3, "does not hold"),
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
        # The landed verdict that contradicted its rule.
        (BelowControl(1), -0.15, 1.25, "does not hold"),
        (BelowControl(1), -3.0, -0.1, "holds"),
        (BelowControl(1), -0.5, -0.1, "holds"),
        (BelowControl(1), -0.5, 0.0, "does not hold"),
        (BelowControl(1), -1.0, 0.0, "does not hold"),
        (BelowControl(1), -1.0, 5.0, "does not hold"),
        (BelowControl(1), -1.01, 0.0, "undecided"),
        (BelowControl(1), -1.01, 5.0, "undecided"),
        (BelowControl(1), 2.0, 3.0, "does not hold"),
        (BelowControl(0), 0.0, 1.0, "does not hold"),
        (BelowControl(0), -0.1, 1.0, "undecided"),
        (NonInferior(0.5), -0.49, 0.2, "holds"),
        (NonInferior(0.5), 1.0, 2.0, "holds"),
        (NonInferior(0.5), -0.5, 0.2, "undecided"),
        (NonInferior(0.5), -0.6, 0.2, "undecided"),
        (NonInferior(0.5), -0.6, -0.5, "undecided"),
        (NonInferior(0.5), -0.6, -0.51, "does not hold"),
        (NonInferior(0), 0.1, 0.2, "holds"),
    ],
)
def test_verdict_by_interval(rule, low, high, verdict):
    assert rule.verdict(interval(low, high)) == verdict


@pytest.mark.parametrize(
    ("effect", "low", "high", "verdict"),
    [
        (0.0, -1.0, 0.5, "holds"),
        (0.2, -1.0, 0.5, "holds"),
        (-0.1, -1.0, 0.5, "undecided"),
        (-0.1, -1.0, 0.0, "undecided"),
        (-0.1, -1.0, -0.01, "does not hold"),
    ],
)
def test_not_falling_goes_by_the_estimate(effect, low, high, verdict):
    assert NotFalling().verdict(Interval(effect, low, high)) == verdict


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
            Above(0, least_relevant=0.01),
            "holds above 0 dB, does not hold below; least relevant size 0.01 dB",
            (0.0,),
            ["does not hold", "undecided", "holds"],
        ),
        (
            Below(-35),
            "holds below -35 dB, does not hold above",
            (-35.0,),
            ["holds", "undecided", "does not hold"],
        ),
        (
            Below(0, least_relevant=2),
            "holds below 0 dB, does not hold above; least relevant size 2 dB",
            (0.0,),
            ["holds", "undecided", "does not hold"],
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
        (
            BelowControl(1),
            "holds below 0; otherwise does not hold from -1 dB on",
            (-1.0, 0.0),
            # A point below -margin is below 0, too.
            ["holds", "holds", "holds", "holds", "does not hold", "does not hold"],
        ),
        (
            BelowControl(0),
            "holds below 0; otherwise does not hold from 0 dB on",
            (0.0,),
            ["holds", "does not hold", "does not hold"],
        ),
        (
            NonInferior(1),
            "holds above -1 dB, does not hold below",
            (-1.0,),
            ["does not hold", "undecided", "holds"],
        ),
        (
            NonInferior(0),
            "holds above 0 dB, does not hold below",
            (0.0,),
            ["does not hold", "undecided", "holds"],
        ),
        (
            NotFalling(),
            "holds if the estimate is 0 or more, does not hold below 0",
            (0.0,),
            ["does not hold", "holds", "holds"],
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
        (lambda: BelowControl(-1), "Received: margin=-1"),
        (lambda: NonInferior(-1), "Received: margin=-1"),
        (lambda: NonInferior(np.nan), "`margin` must be finite. Received: margin=nan"),
        (lambda: Above(np.inf), "`bound` must be finite. Received: bound=inf"),
        (lambda: Below(np.nan), "`bound` must be finite. Received: bound=nan"),
        (lambda: Above(least_relevant=-1), "Received: least_relevant=-1"),
        (lambda: Below(least_relevant=-1), "Received: least_relevant=-1"),
        (lambda: Between(0.5, 0.5), r"below `fails`. Received: holds=0\.5, fails=0\.5"),
        (lambda: Between(0.5, np.inf), "`fails` must be finite"),
    ],
)
def test_rules_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("low", "high", "relevance", "note"),
    [
        (0.02, 0.03, "relevant", ""),
        (0.01, 0.03, "relevant", ""),
        (
            0.005,
            0.03,
            "detectable",
            "detectable, not surely as large as the least relevant size 0.01 dB",
        ),
        (
            0.005,
            0.01,
            "detectable",
            "detectable, not surely as large as the least relevant size 0.01 dB",
        ),
        (
            0.001,
            0.005,
            "irrelevant",
            "detectable, below the least relevant size 0.01 dB",
        ),
        (0.0, 0.005, "undetected", ""),
        (-0.1, 0.5, "undetected", ""),
        (-0.2, -0.1, "undetected", ""),
    ],
)
def test_relevance(low, high, relevance, note):
    rule, found = Above(0, least_relevant=0.01), interval(low, high)
    assert rule.relevance(found) == relevance
    assert statistics.relevance_note(rule, found, "dB") == note
    # As verdicts, it mirrors; a control's margin is the least relevant size.
    found = interval(-high, -low)
    for rule in (Below(0, least_relevant=0.01), BelowControl(0.01)):
        assert rule.relevance(found) == relevance
        assert statistics.relevance_note(rule, found, "dB") == note


def test_a_least_relevant_size_does_not_change_the_verdict():
    for low, high in itertools.combinations(np.arange(-3, 4), 2):
        found = interval(low, high)
        assert Above(1, 1).verdict(found) == Above(1).verdict(found)
        assert Below(1, 1).verdict(found) == Below(1).verdict(found)


def test_every_effect_is_relevant_where_no_least_size_is_named():
    assert Above(0.3).relevance(interval(0.4, 0.5)) == "relevant"
    assert Below(0.3).relevance(interval(0.1, 0.2)) == "relevant"
    for rule in (Above(0.3), Within(1), NotFalling()):
        assert statistics.relevance_note(rule, interval(0.4, 0.5)) == ""


@pytest.mark.parametrize(
    ("verdicts", "joint"),
    [
        (["holds"], "holds"),
        (["holds", "holds"], "holds"),
        (["undecided"], "undecided"),
        (["holds", "undecided"], "undecided"),
        (["intermediate"], "intermediate"),
        (["holds", "intermediate"], "intermediate"),
        (["holds", "intermediate", "undecided"], "undecided"),
        (["does not hold"], "does not hold"),
        (["holds", "does not hold"], "does not hold"),
        (["intermediate", "does not hold"], "does not hold"),
        (["undecided", "does not hold", "holds"], "does not hold"),
    ],
)
def test_all_hold(verdicts, joint):
    assert statistics.all_hold(verdicts) == joint
    assert statistics.all_hold(iter(reversed(verdicts))) == joint


def test_no_verdicts_are_no_verdict():
    with pytest.raises(ValueError, match="must not be empty"):
        statistics.all_hold([])


def test_joint_verdict_is_itself_a_verdict():
    for first, second in itertools.product(VERDICTS, repeat=2):
        joint = statistics.all_hold([first, second])
        assert joint in VERDICTS
        assert statistics.all_hold([joint, first, second]) == joint
