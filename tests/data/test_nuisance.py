"""Nuisances: tints and turns of known pixels, and how often they go with labels."""

import numpy as np
import pytest

from tfsemae import data
from tfsemae.data.nuisance import STATES, TINTS

LABELS = np.arange(40_000) % 10


@pytest.mark.parametrize(("bias", "expected"), [(0.0, 0.25), (0.9, 0.925), (1.0, 1.0)])
def test_share_of_states_that_belong_to_the_label(bias, expected):
    states = data.nuisance_states(len(LABELS), seed=0, labels=LABELS, bias=bias)
    share = np.mean(states == LABELS % STATES)
    # 5 standard deviations of a share of 40,000.
    assert abs(share - expected) <= 5 * np.sqrt(expected * (1 - expected) / 40_000)


def test_states_are_equally_frequent_and_those_of_the_seed():
    first, again, other = (data.nuisance_states(4_000, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.mean(first == other) < 0.3
    counts = np.bincount(first)
    assert len(counts) == STATES
    assert np.all(np.abs(counts - 1_000) < 5 * np.sqrt(4_000 * 3 / 16))
    # The other images keep their states where some follow their labels.
    linked = data.nuisance_states(4_000, seed=0, labels=LABELS[:4_000], bias=0.5)
    assert np.all((linked == first) | (linked == LABELS[:4_000] % STATES))


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.float32, 1)])
def test_tints(dtype, white):
    pixels = np.full((4, 1, 2, 1), white, dtype)
    pixels[:, 0, 1] = 0
    images = data.Images(pixels, np.arange(4), tuple("abcd"))
    found = data.with_nuisance(images, np.array([3, 0, 1, 2]), "colour")
    assert found.images.dtype == dtype
    expected = (
        np.rint(255 * TINTS[[3, 0, 1, 2]]) if white == 255 else TINTS[[3, 0, 1, 2]]
    )
    np.testing.assert_array_equal(found.images[:, 0, 0], expected.astype(dtype))
    assert not found.images[:, 0, 1].any()
    np.testing.assert_array_equal(found.labels, images.labels)


def test_turns():
    pixels = np.tile(np.uint8([[1, 2], [3, 4]]), (4, 1, 1))[..., None]
    found = data.with_nuisance(data.Images(pixels, None, ()), np.arange(4), "rot")
    expected = [[[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]]]
    np.testing.assert_array_equal(found.images[..., 0], expected)


@pytest.mark.parametrize(
    ("shape", "kind", "message"),
    [
        ((2, 3, 3, 3), "colour", r"1 channel; .*Received: shape=\(2, 3, 3, 3\)"),
        ((2, 3, 4, 1), "rot", r"as many rows as columns; .*shape=\(2, 3, 4, 1\)"),
        ((2, 3, 3, 1), "size", "colour, rot, speaker. Received: kind='size'"),
    ],
)
def test_images_that_cannot_have_it_are_refused(shape, kind, message):
    images = data.Images(np.zeros(shape, np.uint8), None, ())
    with pytest.raises(ValueError, match=message):
        data.with_nuisance(images, np.zeros(2, int), kind)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bias": 1.1, "labels": LABELS[:3]}, "bias=1.1"),
        ({"bias": 0.5}, "needs the labels .*labels=None"),
    ],
)
def test_bias_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        data.nuisance_states(3, seed=0, **options)
