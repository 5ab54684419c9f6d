"""Random shifts and reflections: windows of the padded image, by seed and step."""

import itertools

import numpy as np
import pytest

from tfsemae import data
from tfsemae.data.augmentation import augment


def _windows(image, padding):
    """(dy, dx, turned) -> each image that can come of one."""
    edges = [(padding, padding)] * 2 + [(0, 0)]
    padded = np.pad(image, edges, mode="edge")
    height, width, _ = image.shape
    places = range(2 * padding + 1)
    for dy, dx in itertools.product(places, places):
        window = padded[dy : dy + height, dx : dx + width]
        yield (dy, dx, False), window
        yield (dy, dx, True), window[:, ::-1]


def test_each_result_is_a_window_of_the_image_with_its_edges_repeated():
    images = np.random.default_rng(0).random((60, 6, 5, 2), np.float32)
    found = data.crop_and_flip(images, [0, 1], padding=2).numpy()
    seen = []
    for image, changed in zip(images, found, strict=True):
        (which,) = (k for k, w in _windows(image, 2) if np.array_equal(w, changed))
        seen.append(which)
    dy, dx, turned = zip(*seen, strict=True)
    assert set(dy) == set(dx) == set(range(5))
    # Of 60 fair coins outside of 15 to 45 once in 16,000.
    assert 15 <= sum(turned) <= 45
    assert len(set(seen)) > 20


def test_without_padding_images_are_only_turned():
    images = np.random.default_rng(0).random((20, 4, 4, 1), np.float32)
    found = data.crop_and_flip(images, [3, 4], padding=0).numpy()
    same = [np.array_equal(a, b) for a, b in zip(images, found, strict=True)]
    turned = [np.array_equal(a[:, ::-1], b) for a, b in zip(images, found, strict=True)]
    assert all(a != b for a, b in zip(same, turned, strict=True))
    assert any(same)
    assert any(turned)


def test_a_batch_depends_on_seed_and_step_alone(images_file):
    images = data.load(images_file, "train")

    def batch(seed, start, skip=0):
        batches = data.batches(images, 8, seed=0, start_step=start)
        changed = augment(batches, seed=seed, start_step=start)
        return [each.numpy() for each in next(iter(changed.skip(skip)))]

    later, again = batch(5, 2), batch(5, 0, skip=2)
    np.testing.assert_array_equal(later[0], again[0])
    np.testing.assert_array_equal(later[1], again[1])
    assert np.any(batch(6, 2)[0] != later[0])


def test_negative_padding_is_refused():
    with pytest.raises(ValueError, match="Received: padding=-1"):
        data.crop_and_flip(np.zeros((1, 2, 2, 1), np.float32), [0, 0], padding=-1)
