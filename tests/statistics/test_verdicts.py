"""A verdict on several claims."""

import itertools

import pytest

from tfsemae import statistics

VERDICTS = ["holds", "does not hold", "intermediate", "undecided"]


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
