import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfsemae.data import Images, batches

SEEDS = st.integers(0, 2**63 - 1)


def _numbered(count):
    """Images that can be told apart by their label, and by two of their bytes."""
    number = np.arange(count)
    pixels = np.stack([number // 256, number % 256], -1).astype(np.uint8)
    return Images(pixels[:, None, None, :], number, tuple(map(str, number)))


def _labels(count, batch_size, steps, **arguments):
    """The labels of the first `steps` batches: `[steps, batch_size]`."""
    found = batches(_numbered(count), batch_size, **arguments).take(steps)
    return np.stack([labels for _, labels in found.as_numpy_iterator()])


@settings(deadline=None, max_examples=25)
@given(count=st.integers(1, 50), batch_size=st.integers(1, 70), seed=SEEDS)
def test_each_pass_is_a_permutation_across_batches(count, batch_size, seed):
    steps = -(-3 * count // batch_size)
    order = _labels(count, batch_size, steps, seed=seed).ravel()
    for start in (0, count, 2 * count):
        np.testing.assert_array_equal(
            np.sort(order[start : start + count]), np.arange(count)
        )


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    seed=SEEDS,
    start=st.integers(0, 20),
    shuffle_labels=st.booleans(),
)
def test_starting_at_a_step_equals_skipping_to_it(
    count, batch_size, seed, start, shuffle_labels
):
    arguments = {"seed": seed, "shuffle_labels": shuffle_labels}
    whole = _labels(count, batch_size, start + 3, **arguments)
    rest = _labels(count, batch_size, 3, start_step=start, **arguments)
    np.testing.assert_array_equal(whole[start:], rest)


def test_a_late_step_needs_no_long_wait():
    order = _labels(100, 32, 50, seed=3, start_step=10**15).ravel()
    # 10**15 * 32 is a multiple of 100, so a pass begins here.
    np.testing.assert_array_equal(np.sort(order[:100]), np.arange(100))


def test_passes_differ():
    passes = _labels(50, 50, 20, seed=0)
    assert len({tuple(order) for order in passes}) == 20


@pytest.mark.parametrize("other", [1, 2**8, 2**16, 2**32, 2**62])
def test_seeds_differ_in_all_their_bits(other):
    assert not np.array_equal(
        _labels(50, 50, 1, seed=0), _labels(50, 50, 1, seed=other)
    )


def test_successive_passes_over_mnist_are_unrelated():
    count, passes = 60_000, 20
    order = _labels(count, count, passes, seed=0).astype(np.float64)
    between = np.corrcoef(order)[np.triu_indices(passes, 1)]
    within = [np.corrcoef(one[:-1], one[1:])[0, 1] for one in order]
    # Correlations of random orders have a standard deviation of 1 / sqrt(count);
    # of 210 none is beyond 5 of them.
    assert np.abs([*between, *within]).max() < 5 / np.sqrt(count)


def test_the_first_place_is_taken_by_all_alike():
    first = np.concatenate([_labels(10, 10, 1000, seed=s)[:, 0] for s in range(3)])
    # Chi-squared with 9 degrees of freedom: 27.9 is its 99.9 % point.
    assert ((np.bincount(first, minlength=10) - 300) ** 2 / 300).sum() < 27.9


def test_pixels_and_labels_stay_together():
    for pixels, labels in batches(_numbered(1000), 300, seed=5).take(7):
        number = np.rint(pixels[:, 0, 0].numpy() * 255) @ [256, 1]
        np.testing.assert_array_equal(number, labels)


def test_every_grey_level_is_divided_by_255_exactly():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    pixels = next(iter(batches(Images(levels, None, ()), 1, shuffle=False)))
    expected = levels.astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(pixels, expected, strict=True)


def test_fractions_pass_unchanged():
    images = np.linspace(0, 1, 1000, dtype=np.float32).reshape(1, 10, 100, 1)
    pixels = next(iter(batches(Images(images, None, ()), 1, shuffle=False)))
    np.testing.assert_array_equal(pixels, images, strict=True)


def test_shuffled_has_no_end_and_static_shapes():
    found = batches(_numbered(5), 8, seed=0)
    assert found.cardinality() == tf.data.INFINITE_CARDINALITY
    assert found.element_spec == (
        tf.TensorSpec([8, 1, 1, 2], tf.float32),
        tf.TensorSpec([8], tf.int64),
    )


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (99, [10])]
)
def test_in_order_it_is_one_pass_with_a_smaller_end(batch_size, sizes):
    found = batches(_numbered(10), batch_size, shuffle=False)
    labels = [labels for _, labels in found.as_numpy_iterator()]
    assert [len(part) for part in labels] == sizes
    np.testing.assert_array_equal(np.concatenate(labels), np.arange(10))
    assert found.cardinality() == len(sizes)


def test_no_thread_tunes_a_pipeline():
    # It would keep the end of a training waiting, for up to a minute.
    found = batches(_numbered(100), 32, seed=0)
    for pipeline in (found, found.map(lambda pixels, labels: pixels).take(2)):
        assert pipeline.options().autotune.enabled is False
        assert pipeline.options().deterministic is True


def test_without_labels_there_are_pixels_alone():
    images = Images(_numbered(10).images, None, ())
    labelled = batches(_numbered(10), 4, seed=1).take(6)
    for alone, (pixels, _) in zip(batches(images, 4, seed=1), labelled, strict=False):
        np.testing.assert_array_equal(alone, pixels)


def _classes(count, classes, batch_size, steps, **arguments):
    """True and permuted labels of the same batches, `[steps, batch_size]`."""
    images = _numbered(count)
    images = Images(images.images, np.arange(count) % classes, tuple("ab"))
    plain = batches(images, batch_size, **arguments)
    shuffled = batches(images, batch_size, shuffle_labels=True, **arguments)
    pairs = itertools.islice(zip(plain, shuffled, strict=True), steps)
    labels = [(true, permuted) for (_, true), (_, permuted) in pairs]
    return np.moveaxis(np.array(labels), 1, 0)


def test_labels_are_permuted_over_the_whole_set_and_anew_for_each_pass():
    true = _labels(64, 16, 8, seed=4)
    shuffled = _labels(64, 16, 8, seed=4, shuffle_labels=True)
    passes = shuffled.reshape(2, 64)
    for each in passes:
        np.testing.assert_array_equal(np.sort(each), np.arange(64))
    assert not np.array_equal(*passes)
    assert not np.array_equal(np.sort(true[0]), np.sort(shuffled[0]))
    # A random permutation keeps one label in its place on average, with a standard
    # deviation of 1: over two passes the sum is below 2 + 5 * sqrt(2).
    assert (true == shuffled).sum() <= 9


def test_permuted_labels_are_right_by_chance_only():
    true, shuffled = _classes(2000, 2, 32, 1250, seed=0)
    # 40,000 labels of two classes: half of them, with a standard deviation of 0.0025.
    # Permuted within batches of 32 it would be 0.5 + 0.5 / 31 = 0.516.
    assert np.mean(true == shuffled) == pytest.approx(0.5, abs=0.01)


def test_permuted_labels_leave_the_pixels_alone():
    plain = batches(_numbered(40), 16, seed=4)
    shuffled = batches(_numbered(40), 16, seed=4, shuffle_labels=True)
    for (a, _), (b, _) in itertools.islice(zip(plain, shuffled, strict=True), 6):
        np.testing.assert_array_equal(a, b)


def test_labels_can_be_permuted_in_order_too():
    found = list(batches(_numbered(50), 30, seed=0, shuffle=False, shuffle_labels=True))
    labels = [part for _, part in found]
    assert [len(part) for part in labels] == [30, 20]
    np.testing.assert_array_equal(np.sort(np.concatenate(labels)), np.arange(50))
    assert not np.array_equal(np.sort(labels[1]), np.arange(30, 50))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "Received: batch_size=0"),
        ({"batch_size": -3}, "Received: batch_size=-3"),
        ({"seed": None}, "Received: seed=None"),
        ({"seed": None, "shuffle": False, "shuffle_labels": True}, "seed=None"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"seed": 2**63}, "Received: seed=9223372036854775808"),
        ({"start_step": -1}, "Received: start_step=-1"),
        ({"start_step": 1, "shuffle": False}, "begins at step 0.*start_step=1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        batches(_numbered(10), **{"batch_size": 4, "seed": 0, **arguments})


def test_labels_that_are_not_there_cannot_be_permuted():
    images = Images(_numbered(10).images, None, ())
    with pytest.raises(ValueError, match="no labels to shuffle"):
        batches(images, 4, seed=0, shuffle_labels=True)
