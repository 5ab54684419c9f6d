"""What an audit cuts to end in time, in which order, and that it says so."""

import dataclasses
import itertools

import pytest
import tensorflow as tf

from tfsemae.audit import attacking, damage, plan
from tfsemae.audit.attacking import Space

AVAILABLE = 10_000
BUDGETS = [2.0**exponent for exponent in range(-3, 16)]  # seconds


def _within(budget, available=AVAILABLE, slowness=1.0, stated=None, **given):
    paces = [
        plan.Pace(seconds=0.05 * slowness, queries=300, numbers=16),
        plan.Pace(seconds=0.15 * slowness, queries=300),
    ]
    given = {"tracing": 0.0, "spent": 0.0} | given
    return plan.within(available, paces, stated or {}, budget=budget, **given)


def _effort(found):
    return found.restarts, found.steps, found.rounds, found.queried


FULL = _effort(plan.Effort())
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
        assert less.queried <= more.queried
        assert less.seconds <= more.seconds


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("fixed", [{}, {"tracing": 20.0, "spent": 10.0}])
def test_reckoned_time_is_within_the_budget_or_said(budget, fixed):
    found = _within(budget, **fixed)
    whole = found.seconds + fixed.get("spent", 0.0)
    late = whole > budget
    assert any(each.startswith("This is the least") for each in found.cut) == late
    if late:
        assert found.examples == 20
        assert _effort(found) == LEAST
        minutes = float(found.cut[-1].split()[-2])
        assert minutes == pytest.approx(whole / 60, abs=0.05)  # one decimal


def test_what_does_not_depend_on_images_leaves_less_for_them():
    # Seconds that tracing will take count as those that are spent.
    found = _within(1000.0, tracing=100.0)
    assert found.examples == _within(1000.0, spent=100.0).examples
    assert 100 < found.examples < _within(1000.0).examples


def test_slower_models_get_fewer_images_in_proportion():
    fast, slow = (_within(1000.0, slowness=each) for each in (1.0, 2.0))
    assert 100 < slow.examples < fast.examples < 1000
    # What all images have in common takes twice as long as well, so that twice the
    # time makes up for it.
    assert _within(2000.0, slowness=2.0).examples == fast.examples


def test_all_that_was_cut_is_said():
    found = _within(0.0, spent=40.0, slowness=0.0, tracing=20.0)
    restarts, steps, rounds, queried = LEAST
    assert found.cut == (
        "20 of 10000 images, drawn at random.",
        f"Random restarts: {restarts} in place of 3.",
        f"Steps: {steps} in place of 20.",
        f"Rounds of bisection: {rounds} in place of 7.",
        f"Images of the query-only attack: {queried} in place of 32.",
        "This is the least, and takes about 1 minute.",
    )


def test_stated_effort_is_no_cut_and_takes_its_time():
    found = _within(0.0, stated={"restarts": 9})
    assert (found.restarts, found.steps) == (9, LEAST[1])
    names = [sentence.partition(":")[0] for sentence in found.cut]
    assert "Random restarts" not in names
    assert "Steps" in names
    assert found.seconds > _within(0.0).seconds


def test_where_there_is_no_gradient_steps_take_no_time():
    pace = plan.Pace(seconds=1.0, queries=300, differentiable=False)
    more = dataclasses.replace(plan.EFFORTS[-1], steps=1000, restarts=1000)
    assert pace.needed(more, 20) == pace.needed(plan.EFFORTS[-1], 20)


@pytest.mark.parametrize("size", [3, 64, 200])
def test_queries_are_as_many_as_the_attack_makes(size):
    evaluated = tf.Variable(0)

    def network(points):
        evaluated.assign_add(tf.shape(points)[0])
        return tf.reshape(points, [-1, size, 1, 1])

    space = Space(
        name="latent", network=network, shape=(size,), spread=1.0, bounds=None
    )
    attack = attacking.Attacks(space, damage.make("mse:0.01", (size, 1, 1)), steps=1)
    point = tf.zeros([2, size])
    clean = tf.zeros([2, size, 1, 1])
    tf.function(attack.query_only)(point, clean, tf.ones([2]), point[tf.newaxis])
    # Beside them are the first and the last point.
    expected = 2 * attacking.queries(space)
    assert expected <= evaluated.numpy() <= expected + 2 * 2
