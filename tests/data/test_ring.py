import numpy as np
import pytest

from tfsemae import data
from tfsemae.data import ring


@pytest.mark.parametrize(("split", "count"), [("train", 8_192), ("test", 2_048)])
def test_moments_are_those_of_the_modes(split, count):
    found = data.load("ring", split)
    assert found.images.shape == (count, 1, 1, 2)
    points = ring.points(data.pixels(found))
    apart = points - ring.modes()[found.labels]
    # Rounding to a step of 5 / 255 adds its square / 12 to the variance.
    deviation = np.sqrt(0.05**2 + (5 / 255) ** 2 / 12)
    np.testing.assert_allclose(apart.std(axis=0), deviation, rtol=0.06)
    np.testing.assert_allclose(apart.mean(axis=0), 0, atol=4 * 0.05 / np.sqrt(count))
    np.testing.assert_array_equal(np.bincount(found.labels), [count // 8] * 8)


def test_modes_lie_on_the_circle():
    np.testing.assert_allclose(np.linalg.norm(ring.modes(), axis=1), 2)
    # Neighbours are 2 * 2 * sin(pi / 8) apart.
    apart = np.linalg.norm(ring.modes() - np.roll(ring.modes(), 1, axis=0), axis=1)
    np.testing.assert_allclose(apart, 4 * np.sin(np.pi / 8))


def test_splits_differ():
    train, test = (data.load("ring", split).images for split in ("train", "test"))
    assert not np.array_equal(train[:100], test[:100])
