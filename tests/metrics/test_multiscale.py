"""Similarity at several scales against tf.image and closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import metrics

WANG = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def noisy_pair(shape, batch=4):
    """A smooth random image and copies with ever more noise."""
    random = np.random.default_rng(0)
    image = tf.image.resize(random.random((batch, 5, 5, shape[-1])), shape[:2])
    noise = np.geomspace(0.01, 1, batch)[:, None, None, None]
    noise = noise * random.normal(size=(batch, *shape))
    a = np.asarray(image, np.float32)
    return a, np.clip(a + noise, 0, 1).astype(np.float32)


def constant(value, side):
    return np.full((1, side, side, 1), value, np.float32)


# 161 is the least side; it and 171 are odd at several scales.
@pytest.mark.parametrize(
    "shape", [(161, 161, 1), (176, 176, 1), (171, 200, 3), (192, 162, 2)]
)
def test_equals_tf_image(shape):
    a, b = noisy_pair(shape)
    expected = tf.image.ssim_multiscale(a, b, 1.0)
    # tf.image's convolution rounds variances to 1e-7, beside c2 = 9e-4.
    np.testing.assert_allclose(metrics.ms_ssim(a, b), expected, atol=1e-5)


@pytest.mark.parametrize("factors", [(0.3, 0.7), (0.5, 1.0, 2.0), (0.0448, 0.2856)])
def test_other_scales_equal_tf_image(factors):
    a, b = noisy_pair((45, 50, 3))
    expected = tf.image.ssim_multiscale(a, b, 1.0, power_factors=factors)
    found = metrics.ms_ssim(a, b, power_factors=factors)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_scale_is_ssim():
    a, b = noisy_pair((11, 28, 1))
    found = metrics.ms_ssim(a, b, power_factors=(1.0,))
    np.testing.assert_allclose(found, metrics.ssim(a, b), rtol=1e-6)


def test_constant_images_have_the_luminance_of_the_coarsest_scale():
    a, b = 0.25, 0.75
    luminance = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    found = metrics.ms_ssim(constant(a, 161), constant(b, 161))
    # Zero variance comes out as 1e-7, beside c2 = 9e-4.
    np.testing.assert_allclose(found, [luminance**0.1333], rtol=5e-4)


def test_equal_images_are_best_and_negatives_worst():
    a, b = noisy_pair((161, 161, 3))
    np.testing.assert_allclose(metrics.ms_ssim(a, a), np.ones(4), rtol=1e-6)
    found = metrics.ms_ssim(a, b)
    assert np.all(np.diff(found) < 0)
    assert np.all((found > 0) & (found < 1))
    np.testing.assert_array_equal(found, metrics.ms_ssim(b, a))
    board = np.indices((161, 161)).sum(axis=0) % 2
    board = board[np.newaxis, :, :, np.newaxis].astype(np.float32)
    np.testing.assert_array_equal(metrics.ms_ssim(board, 1 - board), [0.0])


def test_images_of_a_batch_do_not_see_each_other():
    a, b = noisy_pair((161, 161, 3))
    single = np.concatenate(
        [metrics.ms_ssim(a[i : i + 1], b[i : i + 1]) for i in range(4)]
    )
    # Matrix products of other sizes round in another order.
    np.testing.assert_allclose(metrics.ms_ssim(a, b), single, rtol=1e-5)
    b[2, 5, 5, 0] = np.nan
    found = np.isnan(metrics.ms_ssim(a, b))
    np.testing.assert_array_equal(found, [False, False, True, False])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_one_graph_serves_all_batch_sizes(jit_compile):
    signature = [tf.TensorSpec([None, 161, 162, 1], tf.float32)] * 2
    compiled = tf.function(
        metrics.ms_ssim, input_signature=signature, jit_compile=jit_compile
    )
    a, b = noisy_pair((161, 162, 1))
    for batch in (1, 4):
        measured = compiled(a[:batch], b[:batch])
        assert measured.shape == (batch,)
        # XLA fuses, and so rounds, differently.
        expected = metrics.ms_ssim(a[:batch], b[:batch])
        np.testing.assert_allclose(measured, expected, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_every_floating_type_is_computed_in_float32(dtype):
    a, b = (tf.cast(x, dtype) for x in noisy_pair((161, 161, 1)))
    measured = metrics.ms_ssim(a, b)
    assert measured.dtype == tf.float32
    expected = metrics.ms_ssim(tf.cast(a, tf.float32), tf.cast(b, tf.float32))
    np.testing.assert_array_equal(measured, expected)


def test_images_below_the_window_of_the_coarsest_scale_are_refused():
    a = constant(0.5, 160)
    message = r"at 5 scales.*at least 161 x 161.*fewer `power_factors`.*side of 160"
    with pytest.raises(ValueError, match=message):
        metrics.ms_ssim(a, a)
    # The same bound as that of tf.image.
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.image.ssim_multiscale(a, a, 1.0)
    a = constant(0.5, 28)
    metrics.ms_ssim(a, a, power_factors=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"at 3 scales.*at least 41 x 41"):
        metrics.ms_ssim(a, a, power_factors=(0.5, 0.5, 0.5))


def test_bad_arguments_are_refused():
    good = constant(0.5, 161)
    with pytest.raises(ValueError, match=r"divide.* by 255.*Received: a.dtype=uint8"):
        metrics.ms_ssim(good.astype(np.uint8), good)
    with pytest.raises(ValueError, match="same shape"):
        metrics.ms_ssim(good, np.concatenate([good, good]))
    for factors in ((), (0.5, 0.0), (-1.0,), (np.nan,)):
        with pytest.raises(
            ValueError, match=r"one per scale.*Received: power_factors="
        ):
            metrics.ms_ssim(good, good, power_factors=factors)
        with pytest.raises(
            ValueError, match=r"one per scale.*Received: power_factors="
        ):
            metrics.MSSSIM(power_factors=factors)


def test_metric_is_the_mean_over_images_and_is_rebuilt():
    a, b = noisy_pair((24, 24, 1))
    metric = metrics.MSSSIM(power_factors=(0.4, 0.6), name="quality")
    metric.update_state(a[:3], b[:3])
    metric.update_state(a[3:], b[3:])
    expected = np.mean(metrics.ms_ssim(a, b, power_factors=(0.4, 0.6)))
    # A running float32 sum of four numbers.
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)
    config = keras.saving.serialize_keras_object(metric)
    rebuilt = keras.saving.deserialize_keras_object(config)
    assert type(rebuilt) is metrics.MSSSIM
    assert rebuilt.get_config() == {
        "power_factors": [0.4, 0.6],
        "name": "quality",
        "dtype": "float32",
    }
    np.testing.assert_allclose(rebuilt(a, b), expected, rtol=1e-6)
    assert metrics.MSSSIM().power_factors == WANG
