import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage
from sklearn import datasets

from tfsemae import data


def _both():
    parts = [data.load("digits", split) for split in ("train", "test")]
    return [
        np.concatenate([getattr(p, n) for p in parts]) for n in ("images", "labels")
    ]


def test_the_first_1437_train_and_the_last_360_test():
    train, test = data.load("digits", "train"), data.load("digits", "test")
    assert train.images.shape == (1437, 28, 28, 1)
    assert test.images.shape == (360, 28, 28, 1)
    assert train.images.dtype == np.uint8
    assert train.class_names == tuple("0123456789")
    np.testing.assert_array_equal(_both()[1], datasets.load_digits().target)


def _by_scipy(images):
    return np.stack(
        [ndimage.zoom(i, 3.5, order=1, mode="nearest", grid_mode=True) for i in images]
    )


def _by_tensorflow(images):
    return tf.image.resize(images[..., None], [28, 28]).numpy()[..., 0]


@pytest.mark.parametrize("resize", [_by_scipy, _by_tensorflow])
def test_pixels_are_the_bilinear_ones_rounded(resize):
    exact = resize(datasets.load_digits().images) * 255 / 16
    # Half a grey level is rounding. The coordinates of tf.image.resize are float32,
    # off by up to 8 * 2**-24 of a pixel, at slopes of up to 255 grey levels.
    assert np.abs(_both()[0][..., 0] - exact).max() <= 0.5 + 5e-4


def test_black_and_white_are_reached():
    images, _ = _both()
    assert images.min() == 0
    assert images.max() == 255
