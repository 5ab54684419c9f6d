import numpy as np
import pytest

from tfsemae import data
from tfsemae.data import moebius


@pytest.mark.parametrize(("split", "count"), [("train", 4_000), ("test", 1_000)])
def test_points_lie_on_the_strip(split, count):
    found = data.load("moebius", split)
    assert found.images.shape == (count, 1, 1, 3)
    assert found.labels is None
    x, y, z = moebius.points(data.pixels(found)).T
    # The well-known equation of the surface that all chords across the circle span.
    left = x**2 * y + y**3 + y * z**2 - y - 2 * x * z - 2 * x**2 * z - 2 * y**2 * z
    np.testing.assert_allclose(left, 0, atol=1e-5)
    from_circle = (np.hypot(x, y) - 1) ** 2 + z**2
    assert from_circle.max() <= 0.4**2 + 1e-6
    # A place that is uniform over the width has the variance width**2 / 12.
    np.testing.assert_allclose(from_circle.mean(), 0.8**2 / 12, rtol=0.06)


def test_one_side_passes_into_the_other():
    angle, place = moebius.parameters("train")
    points = moebius.points(data.pixels(data.load("moebius", "train")))
    begins, ends = (
        np.flatnonzero(near & (np.abs(place) > 0.3))
        for near in (angle < 0.1, angle > 2 * np.pi - 0.1)
    )
    apart = np.linalg.norm(points[begins, np.newaxis] - points[ends], axis=-1)
    nearest = ends[apart.argmin(axis=1)]
    assert np.all(np.sign(place[begins]) == -np.sign(place[nearest]))


def test_splits_differ():
    train, test = (data.load("moebius", split).images for split in ("train", "test"))
    assert not np.array_equal(train[:100], test[:100])
