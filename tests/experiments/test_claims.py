"""Rows and claims as the ledger has them, from estimates decided by hand."""

import numpy as np
import pytest

from tfsemae.experiments import claims
from tfsemae.experiments.estimates import Quantity
from tfsemae.statistics import Above, Below, Between, Interval, Within


class Estimates:
    """A value of 2 [1, 4], of three runs or of one."""

    def interval_over(self, count):
        return f"t-interval over {count} seeds"

    def __init__(self, values):
        self.quantities = {"psnr": Quantity("PSNR", "dB")}
        self._values = values

    def value(self, group, key):
        return Interval(2.0, 1.0, 4.0)

    def values(self, group, key):
        return self._values


def test_row_has_mean_and_deviation_of_the_runs():
    row = claims.row("a", "A", [1, 2, 6], tag="reduced", unit="dB", printed=2.5)
    assert (row.measured, row.n, row.values) == (3, 3, (1, 2, 6))
    assert row.sd == pytest.approx(7**0.5)
    assert row.difference == 0.5


def test_row_of_one_run_has_no_deviation():
    row = claims.row("a", "A", np.array([1.5]), tag="reduced")
    assert (row.measured, row.sd, row.n) == (1.5, None, 1)


def test_estimated_row_has_the_interval():
    row = claims.estimated_row(
        Estimates([1.0, 2.0, 3.0]), "group", "psnr", "a", "A", tag="reduced", printed=3
    )
    assert (row.measured, row.low, row.high) == (2.0, 1.0, 4.0)
    assert (row.sd, row.n, row.unit, row.printed) == (1.0, 3, "dB", 3.0)
    assert row.note == "95 % t-interval over 3 seeds: 1.000 to 4.000"


def test_estimated_row_of_one_run_has_no_interval():
    row = claims.estimated_row(
        Estimates([1.5]), "group", "psnr", "a", "A", tag="reduced"
    )
    assert (row.measured, row.low, row.high, row.sd, row.n) == (1.5, *3 * [None], 1)


def test_claims_decided_together_are_corrected():
    parts = [_part(name, 1) for name in "abc"]
    # Holm: 3 x 0.01, 2 x 0.02, and at least as much for the largest.
    found = claims.corrected(parts, [0.02, 0.01, 0.04])
    assert [each.verdict for each in found] == ["holds"] * 3
    expected = "p = 0.03 by Holm's method over 3; the interval is not adjusted"
    assert found[1].note == expected
    found = claims.corrected(parts, [0.03, 0.01, 0.04])
    assert [each.verdict for each in found] == ["undecided", "holds", "undecided"]
    found = claims.corrected(parts, [0.03, 0.01, 0.04], verdicts=["does not hold"])
    assert [each.verdict for each in found] == ["holds"] * 3


@pytest.mark.parametrize(
    ("rule", "interval", "verdict"),
    [
        (Above(35.0), Interval(36.0, 35.5, 36.5), "holds"),
        (Below(0.0), Interval(1.0, 0.5, 1.5), "does not hold"),
        (Within(0.5), Interval(0.0, -0.6, 0.6), "undecided"),
        (Between(0.5, 0.9), Interval(0.7, 0.6, 0.8), "intermediate"),
    ],
)
def test_verdict_sentence_and_bounds_are_the_rule_s(rule, interval, verdict):
    claim = claims.claim("a", "A holds", "What was measured", interval, rule, unit="dB")
    assert claim.verdict == rule.verdict(interval) == verdict
    assert claim.measurement == f"What was measured; {rule.sentence('dB')}"
    assert claim.bounds == rule.bounds
    assert (claim.effect, claim.low, claim.high) == interval
    assert claim.unit == "dB"


def _part(id_, low):
    return claims.claim(id_, id_, "", Interval(low, low, low), Above(0))


@pytest.mark.parametrize(
    ("lows", "verdict"),
    [((1, 2), "holds"), ((1, -1), "does not hold"), ((1, 0), "undecided")],
)
def test_whole_holds_where_all_parts_do(lows, verdict):
    parts = [_part(f"p{number}", low) for number, low in enumerate(lows)]
    whole, *rest = claims.with_parts("w", "All of it", parts)
    assert (whole.id, whole.verdict, whole.effect) == ("w", verdict, None)
    assert whole.measurement == "all 2 of the following"
    assert [(part.id, part.part_of) for part in rest] == [("p0", "w"), ("p1", "w")]
    assert [part.verdict for part in rest] == [part.verdict for part in parts]


def test_whole_without_parts_of_its_own():
    claim = claims.whole("w", "Both", "the others", "intermediate", note="note")
    assert (claim.verdict, claim.low, claim.note) == ("intermediate", None, "note")
