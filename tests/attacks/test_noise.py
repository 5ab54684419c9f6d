"""images + epsilon * normal / |normal|: its norm, its types."""

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks

SHAPE = (5, 3, 2, 1)
IMAGES = np.arange(30, dtype=np.float32).reshape(SHAPE) / 32
NORMAL = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def _norms(change):
    return np.linalg.norm(np.reshape(change, (len(change), -1)), axis=1)


def test_by_hand():
    # A normal vector of norm 5, taken to norm 1.
    images = np.full((1, 1, 2, 1), 0.5, np.float32)
    normal = np.reshape(np.float32([3, -4]), images.shape)
    found = attacks.gaussian_noise(images, normal, 1.0)
    np.testing.assert_allclose(np.ravel(found), [1.1, -0.3], rtol=1e-6)


@pytest.mark.parametrize("epsilon", [0.25, [0.0, 0.5, 1.0, 2.0, 4.0]])
def test_norm_is_epsilon_for_all_or_for_each(epsilon):
    found = attacks.gaussian_noise(np.zeros(SHAPE, np.float32), NORMAL, epsilon)
    np.testing.assert_allclose(_norms(found), np.broadcast_to(epsilon, 5), rtol=1e-6)


def test_no_noise_is_the_images_bit_for_bit():
    found = attacks.gaussian_noise(IMAGES, NORMAL, 0.0)
    np.testing.assert_array_equal(found, IMAGES)


def test_it_is_not_clipped():
    found = attacks.gaussian_noise(IMAGES, NORMAL, 100.0)
    assert np.min(found) < 0
    assert np.max(found) > 1


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64])
def test_every_floating_type_gives_float32(dtype):
    # 32nds below 1 are exact in all of them.
    found = attacks.gaussian_noise(tf.constant(IMAGES, dtype), NORMAL, 0.5)
    expected = attacks.gaussian_noise(IMAGES, NORMAL, 0.5)
    np.testing.assert_array_equal(found, expected, strict=True)
    assert found.dtype == tf.float32


def test_epsilon_of_float64_is_taken():
    found = attacks.gaussian_noise(IMAGES, NORMAL, tf.constant(0.5, tf.float64))
    np.testing.assert_allclose(_norms(found - IMAGES), 0.5, rtol=1e-5)


@pytest.mark.parametrize(
    ("images", "normal", "epsilon", "message"),
    [
        (np.zeros(SHAPE, np.uint8), NORMAL, 1.0, "`images` must be floating.* by 255"),
        (IMAGES, np.ones(SHAPE, np.int64), 1.0, "`normal` must be floating"),
        (IMAGES[0], NORMAL, 1.0, r"`images` must have the shape \[B, H, W, C\]"),
        (IMAGES, NORMAL[:4], 1.0, "`images` and `normal` must have the same shape"),
        (IMAGES, NORMAL[:1], 1.0, "must have the same shape"),
        (IMAGES, NORMAL, [1.0, 2.0], r"`epsilon` must .*epsilon.shape=\(2,\)"),
        (IMAGES, NORMAL, np.ones((5, 1)), r"`epsilon` must .*epsilon.shape=\(5, 1\)"),
    ],
)
def test_what_does_not_fit_is_one_line(images, normal, epsilon, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.gaussian_noise(images, normal, epsilon)
    assert "\n" not in str(error.value)


def test_sizes_that_are_unknown_do_not_broadcast():
    unknown = tf.TensorSpec((None,) * 4, tf.float32)

    @tf.function(input_signature=[unknown, unknown])
    def noisy(images, normal):
        return attacks.gaussian_noise(images, normal, 1.0)

    assert noisy(IMAGES, NORMAL).shape == SHAPE
    with pytest.raises(tf.errors.InvalidArgumentError):
        noisy(IMAGES, NORMAL[:1])
