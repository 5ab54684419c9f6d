import numpy as np
import pytest

from tfsemae import data
from tfsemae.data import synthetic


@pytest.mark.parametrize(("split", "count"), [("train", 640), ("test", 160)])
def test_the_place_of_the_spot_is_the_class(split, count):
    found = data.load("synthetic", split)
    assert found.images.shape == (count, 28, 28, 1)
    np.testing.assert_array_equal(np.bincount(found.labels), [count // 10] * 10)
    weights = found.images[..., 0] / found.images.sum((1, 2, 3))[:, None, None]
    place = np.arange(28)
    mean = np.stack(
        [(weights.sum(2) * place).sum(1), (weights.sum(1) * place).sum(1)], -1
    )
    # The edge of the image is 5 pixels or 2.5 widths away: what it cuts off moves
    # the mean by 2 * pdf(2.5) = 0.035 pixels; rounding to grey levels by 0.01.
    np.testing.assert_allclose(mean, synthetic.centres()[found.labels], atol=0.045)


def test_the_width_is_as_stated():
    found = data.load("synthetic", "train")
    # Integral of 255 * exp(-r**2 / (2 * s**2)) over the plane.
    width = 1 + (np.arange(640) // 10 + 0.5) / 64
    expected = 255 * 2 * np.pi * width**2
    # Cut off: 1 / 510 below half a grey level, and 0.6 % beyond the edge of the
    # image; the rounding of some 50 to 200 pixels adds as much again.
    np.testing.assert_allclose(found.images.sum((1, 2, 3)), expected, rtol=0.015)


def test_no_image_occurs_twice():
    images = np.concatenate(
        [data.load("synthetic", split).images for split in ("train", "test")]
    )
    assert len({image.tobytes() for image in images}) == len(images)
