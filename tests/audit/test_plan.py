"""What an audit cuts to end in time, in which order, and that it says so."""

import itertools

import pytest

from tfsemae.audit import plan

AVAILABLE = 10_000
BUDGETS = [2.0**exponent for exponent in range(-3, 16)]  # seconds


def _within(budget, available=AVAILABLE, seconds_per_image=0.2):
    return plan.within(available, seconds_per_image, 0.0, budget)


def _effort(found):
    return found.restarts, found.steps, found.rounds


FULL = _effort(plan.Plan(examples=1))
LEAST = _effort(_within(0.0))


def test_time_enough_cuts_nothing_of_few_images():
    found = _within(1e6, available=50)
    assert found.examples == 50
    assert _effort(found) == FULL
    assert found.cut == ()


def test_time_short_cuts_images_first_then_effort_then_images():
    found = [_within(budget) for budget in BUDGETS]
    for each in found:
        if each.examples > 100:
            assert _effort(each) == FULL
        if each.examples < 100:
            assert _effort(each) == LEAST
    assert {each.examples for each in found} >= {20, 100, 1000}
    assert any(each.examples == 100 and _effort(each) < FULL for each in found)


def test_more_time_never_does_less():
    for less, more in itertools.pairwise(map(_within, BUDGETS)):
        assert less.examples <= more.examples
        assert less.restarts <= more.restarts
        assert less.steps <= more.steps
        assert less.rounds <= more.rounds
        assert less.seconds <= more.seconds


@pytest.mark.parametrize("budget", BUDGETS)
def test_reckoned_time_is_within_the_budget_or_the_excess_is_said(budget):
    found = _within(budget)
    late = found.seconds > budget
    assert late == ("This is the least, and takes longer." in found.cut)
    assert late <= (found.examples == 20)


def test_slower_models_get_fewer_images_in_proportion():
    fast, slow = (_within(500.0, seconds_per_image=each) for each in (0.4, 0.8))
    assert 100 < slow.examples < 1000
    # Within the rounding to whole images.
    assert fast.examples == pytest.approx(2 * slow.examples, abs=2)


def test_all_that_was_cut_is_said():
    found = _within(0.0)
    restarts, steps, rounds = LEAST
    assert found.cut == (
        "20 of 10000 images, drawn at random.",
        f"Random restarts: {restarts} in place of 3.",
        f"Steps: {steps} in place of 20.",
        f"Rounds of bisection: {rounds} in place of 7.",
        "This is the least, and takes longer.",
    )


def test_stated_effort_is_no_cut():
    found = plan.with_effort(_within(0.0), restarts=9, steps=None)
    assert (found.restarts, found.steps) == (9, LEAST[1])
    names = [sentence.partition(":")[0] for sentence in found.cut]
    assert "Random restarts" not in names
    assert "Steps" in names
