"""What an audit cuts to end in time, in which order, and that it says so."""

import dataclasses
import itertools

import pytest
import tensorflow as tf

from tfsemae.audit import attacking, damage, plan, timing
from tfsemae.audit.attacking import Space

AVAILABLE = 10_000
BUDGETS = [2.0**exponent for exponent in range(-3, 16)]  # seconds


def _pace(seconds, **fields):
    fields = {"batch_seconds": 0.0, "batch_size": 100, "queries": 300} | fields
    return plan.Pace(seconds=seconds, query_seconds=seconds, **fields)


def _within(budget, available=AVAILABLE, slowness=1.0, stated=None, **given):
    paces = [_pace(0.05 * slowness, numbers=16), _pace(0.15 * slowness)]
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
    pace = _pace(1.0, differentiable=False)
    more = dataclasses.replace(plan.EFFORTS[-1], steps=1000, restarts=1000)
    assert pace.needed(more, 20) == pace.needed(plan.EFFORTS[-1], 20)


def test_batches_share_what_does_not_depend_on_their_size():
    # Per batch of 50, 5 seconds are 0.1 of each image.
    of_batches = _pace(0.2, batch_seconds=5.0, batch_size=50)
    of_images = dataclasses.replace(_pace(0.3), query_seconds=0.2)
    for images in (50, 100, 500):
        for effort in plan.EFFORTS:
            needed = of_batches.needed(effort, images)
            assert needed == pytest.approx(of_images.needed(effort, images))
    # There is one batch of few images, which takes all of it.
    alone = of_batches.needed(plan.Effort(), 1)
    assert alone == pytest.approx(
        dataclasses.replace(_pace(5.2), query_seconds=0.2).needed(plan.Effort(), 1)
    )


def test_queries_take_the_seconds_that_were_measured():
    # Of as many images as are queried, at each of the six radii.
    fast, effort = _pace(0.1), plan.Effort()
    slow = dataclasses.replace(fast, query_seconds=1.1)
    for images, queried in [(100, 32), (9, 9)]:
        more = slow.needed(effort, images) - fast.needed(effort, images)
        assert more == pytest.approx(6 * queried)


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        ((4, 3.0), (16, 6.0), (2.0, 0.25)),
        ((4, 4.0), (16, 16.0), (0.0, 1.0)),
        ((4, 3.0), (16, 3.0), (3.0, 0.0)),
        ((4, 3.1), (16, 3.0), (3.0, 0.0)),  # all of it noise
        ((4, 3.0), (16, 20.0), (0.0, 1.25)),  # the larger batch is slower per image
        ((1, 2.0), (1, 2.0), (0.0, 2.0)),
    ],
)
def test_time_of_a_batch_is_split(short, long, expected):
    assert timing.fixed_and_per_image(short, long) == pytest.approx(expected)


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
