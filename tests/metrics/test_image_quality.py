"""Image quality against closed forms, tf.image and scikit-image."""

import keras
import numpy as np
import pytest
import skimage.metrics
import tensorflow as tf

from tfsemae import metrics

SHAPES = [(11, 11, 1), (28, 28, 1), (24, 40, 3), (64, 64, 3)]
BEST_PSNR = 20 * np.log10(255)  # 48.13 dB


def noisy_pair(shape, batch=4, seed=0):
    """A smooth random image and copies with ever more noise."""
    random = np.random.default_rng(seed)
    image = tf.image.resize(random.random((batch, 5, 5, shape[-1])), shape[:2])
    noise = (
        random.normal(size=(batch, *shape))
        * np.geomspace(0.01, 1, batch)[:, np.newaxis, np.newaxis, np.newaxis]
    )
    a = np.asarray(image, np.float32)
    return a, np.clip(a + noise, 0, 1).astype(np.float32)


def constant(value, shape=(1, 16, 16, 1)):
    return np.full(shape, value, np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_psnr_equals_tf_image_and_scikit_image(shape):
    a, b = noisy_pair(shape)
    measured = metrics.psnr(a, b)
    # A relative error of 1e-6 of the float32 squared error is 4e-6 dB.
    np.testing.assert_allclose(measured, tf.image.psnr(a, b, 1.0), atol=1e-5)
    expected = [
        skimage.metrics.peak_signal_noise_ratio(x, y, data_range=1.0)
        for x, y in zip(a.astype(float), b.astype(float), strict=True)
    ]
    np.testing.assert_allclose(measured, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("a", "b", "decibel"),
    [
        (0.0, 1.0, 0.0),
        (0.5, 0.6, 20.0),
        (0.2, 0.2 + 2 / 255, BEST_PSNR - 20 * np.log10(2)),
        (0.2, 0.2 + 1 / 255, BEST_PSNR),
        (0.2, 0.2 + 0.5 / 255, BEST_PSNR),
        (0.7, 0.7, BEST_PSNR),
        (-1.0, 1.0, -20 * np.log10(2)),
    ],
)
def test_psnr_of_constant_images(a, b, decibel):
    # Rounding 0.2 + 2 / 255 to float32 moves the squared error by 8e-6 of it.
    np.testing.assert_allclose(
        metrics.psnr(constant(a), constant(b)), [decibel], atol=4e-5
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_ssim_equals_tf_image(shape):
    a, b = noisy_pair(shape)
    # The convolution's own rounding: against float64 it is off by up to 2e-5 on
    # bright photographs, three times as much as the matrix products.
    np.testing.assert_allclose(metrics.ssim(a, b), tf.image.ssim(a, b, 1.0), atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_ssim_equals_scikit_image(shape):
    a, b = noisy_pair(shape)
    expected = [
        skimage.metrics.structural_similarity(
            x,
            y,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
            channel_axis=-1,
        )
        for x, y in zip(a.astype(float), b.astype(float), strict=True)
    ]
    # The local variance is a difference of float32 near 1, hence off by 1e-7,
    # which c2 = 9e-4 makes 1e-4 in a flat pixel; the mean over pixels is closer.
    np.testing.assert_allclose(metrics.ssim(a, b), expected, atol=1e-5)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (0.25, 0.75), (0.5, 0.5)])
def test_ssim_of_constant_images_is_the_luminance_term(a, b):
    expected = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    # Zero variance comes out as 1e-7, beside c2 = 9e-4.
    np.testing.assert_allclose(
        metrics.ssim(constant(a), constant(b)), [expected], rtol=5e-4
    )


def test_ssim_of_an_image_and_its_negative_is_negative():
    # A checkerboard and its negative: equal local means and variances, opposite
    # structure, (-2 v + c2) / (2 v + c2) with v = 1/4.
    board = np.indices((16, 16)).sum(axis=0) % 2
    board = board[np.newaxis, :, :, np.newaxis].astype(np.float32)
    # The Gaussian sees the board's mean as 1/2 up to its transform at the highest
    # frequency, exp(-(1.5 pi)**2 / 2) = 1.5e-5 per axis.
    expected = (-0.5 + 9e-4) / (0.5 + 9e-4)
    np.testing.assert_allclose(metrics.ssim(board, 1 - board), [expected], atol=1e-4)


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_images_are_best(metric, shape):
    a, b = noisy_pair(shape)
    best = metric(a, a)
    # 1, or the 48.13 dB that the floor allows.
    expected = 1.0 if metric is metrics.ssim else BEST_PSNR
    np.testing.assert_allclose(best, np.full(4, expected), rtol=1e-6)
    assert np.all(best > metric(a, b))


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
def test_more_noise_is_worse_and_order_does_not_matter(metric):
    a, b = noisy_pair((28, 28, 1))
    assert np.all(np.diff(metric(a, b)) < 0)
    np.testing.assert_array_equal(metric(a, b), metric(b, a))


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
def test_images_of_a_batch_do_not_see_each_other(metric):
    a, b = noisy_pair((28, 28, 3))
    single = np.concatenate([metric(a[i : i + 1], b[i : i + 1]) for i in range(4)])
    # Matrix products of other sizes round in another order.
    np.testing.assert_allclose(metric(a, b), single, rtol=1e-5)
    b[2, 5, 5, 0] = np.nan
    np.testing.assert_array_equal(np.isnan(metric(a, b)), [False, False, True, False])


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_one_graph_serves_all_batch_sizes(metric, jit_compile):
    signature = [tf.TensorSpec([None, 28, 28, 1], tf.float32)] * 2
    compiled = tf.function(metric, input_signature=signature, jit_compile=jit_compile)
    a, b = noisy_pair((28, 28, 1))
    for batch in (1, 3, 4):
        measured = compiled(a[:batch], b[:batch])
        assert measured.shape == (batch,)
        # XLA fuses, and so rounds, differently.
        np.testing.assert_allclose(measured, metric(a[:batch], b[:batch]), rtol=1e-5)


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_floating_type_is_computed_in_float32(metric, dtype):
    a, b = (tf.cast(x, dtype) for x in noisy_pair((28, 28, 1)))
    measured = metric(a, b)
    assert measured.dtype == tf.float32
    expected = metric(tf.cast(a, tf.float32), tf.cast(b, tf.float32))
    np.testing.assert_array_equal(measured, expected)
    # One of them alone may be another type, as under a policy.
    np.testing.assert_array_equal(metric(a, tf.cast(b, tf.float32)), expected)


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16", "float64"])
def policy(request):
    """A policy of Keras, and its type as the default of all that has none."""
    before = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy(request.param)
    keras.config.set_floatx(keras.config.dtype_policy().compute_dtype)
    yield request.param
    keras.config.set_dtype_policy(before[0])
    keras.config.set_floatx(before[1])


@pytest.mark.parametrize(
    ("kind", "function"),
    [(metrics.PSNR, metrics.psnr), (metrics.SSIM, metrics.ssim)],
)
def test_metrics_are_float32_under_every_policy(policy, kind, function):
    a, b = noisy_pair((16, 16, 1), batch=13)
    metric = kind()
    # 4,160 images: a float16 neither counts nor adds numbers above 2,048 exactly.
    for _ in range(320):
        metric.update_state(a, b)
    assert metric.result().dtype == "float32"
    # A running float32 sum of 320 numbers.
    np.testing.assert_allclose(metric.result(), np.mean(function(a, b)), rtol=1e-5)


def test_compiled_model_under_every_policy(policy):
    a, _ = noisy_pair((16, 16, 1), batch=5)
    pixels = keras.Input((16, 16, 1))
    model = keras.Model(pixels, keras.layers.Rescaling(0.5)(pixels))
    model.compile(loss="mse", metrics=[metrics.PSNR(), metrics.SSIM()])
    found = model.evaluate(a, a, batch_size=2, verbose=0, return_dict=True)
    half = a / 2
    # The output is rounded to the type of the policy, 8 bits at worst.
    np.testing.assert_allclose(found["psnr"], np.mean(metrics.psnr(a, half)), rtol=1e-3)
    np.testing.assert_allclose(found["ssim"], np.mean(metrics.ssim(a, half)), rtol=1e-3)


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim])
def test_unknown_shapes_are_not_broadcast(metric):
    sizes = (16, 16) if metric is metrics.ssim else (None, None)
    compiled = tf.function(
        metric, input_signature=[tf.TensorSpec([None, *sizes, None])] * 2
    )
    good = np.concatenate(3 * [noisy_pair((16, 16, 1), batch=8)[0]], axis=-1)
    # Compiled, float32 rounds in another order.
    np.testing.assert_allclose(compiled(good, good), metric(good, good), rtol=1e-5)
    for bad in (good[:1], good[..., :1]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="must_have_the_same"):
            compiled(bad, good)


def test_ssim_refuses_images_below_the_window():
    with pytest.raises(ValueError, match="a side of 10 pixels"):
        metrics.ssim(constant(0.5, (1, 12, 10, 1)), constant(0.5, (1, 12, 10, 1)))


def test_ssim_refuses_images_of_unknown_size():
    signature = [tf.TensorSpec([None, None, 28, 1], tf.float32)] * 2
    compiled = tf.function(metrics.ssim, input_signature=signature)
    with pytest.raises(ValueError, match="a side of None pixels"):
        compiled.get_concrete_function()


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.psnr_pooled, metrics.ssim])
def test_bad_images_are_refused(metric):
    good = constant(0.5)
    with pytest.raises(ValueError, match=r"divide.* by 255.*Received: a.dtype=uint8"):
        metric(good.astype(np.uint8), good)
    with pytest.raises(ValueError, match=r"Received: b.shape=\(16, 16, 1\)"):
        metric(good, good[0])
    with pytest.raises(ValueError, match=r"same shape.*\(1, 16, 16, 1\).*\(2, 16"):
        metric(good, np.concatenate([good, good]))
    with pytest.raises(ValueError, match=r"same shape"):
        metric(good, constant(0.5, (1, 16, 16, 3)))


@pytest.mark.parametrize(
    ("kind", "function"),
    [(metrics.PSNR, metrics.psnr), (metrics.SSIM, metrics.ssim)],
)
def test_metric_is_the_mean_over_images_of_uneven_batches(kind, function):
    a, b = noisy_pair((28, 28, 1), batch=7)
    metric = kind()
    for start, end in ((0, 3), (3, 6), (6, 7)):
        metric.update_state(a[start:end], b[start:end])
    # A running float32 sum of seven numbers.
    np.testing.assert_allclose(metric.result(), np.mean(function(a, b)), rtol=1e-6)
    metric.reset_state()
    metric.update_state(a, b, sample_weight=[0, 0, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(metric.result(), function(a, b)[2], rtol=1e-6)


@pytest.mark.parametrize("kind", [metrics.PSNR, metrics.SSIM])
def test_metric_is_rebuilt_from_its_configuration(kind):
    a, b = noisy_pair((28, 28, 1))
    metric = kind(name="quality")
    config = keras.saving.serialize_keras_object(metric)
    rebuilt = keras.saving.deserialize_keras_object(config)
    assert type(rebuilt) is kind
    assert rebuilt.get_config() == {"name": "quality", "dtype": "float32"}
    np.testing.assert_array_equal(rebuilt(a, b), metric(a, b))


def test_metrics_in_a_compiled_model_that_is_saved_and_loaded(tmp_path):
    a, b = noisy_pair((16, 16, 1), batch=5)
    pixels = keras.Input((16, 16, 1))
    model = keras.Model(pixels, keras.layers.Identity()(pixels))
    model.compile(loss="mse", metrics=[metrics.PSNR(), metrics.SSIM()])
    first = model.evaluate(a, b, batch_size=2, verbose=0, return_dict=True)
    # A running float32 sum of five numbers.
    np.testing.assert_allclose(first["psnr"], np.mean(metrics.psnr(a, b)), rtol=1e-6)
    np.testing.assert_allclose(first["ssim"], np.mean(metrics.ssim(a, b)), rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    second = loaded.evaluate(a, b, batch_size=2, verbose=0, return_dict=True)
    assert second == first


def test_pooled_psnr_by_hand():
    # Squared differences 9, 1, 1, 9: 10 log10(9 / 5).
    a = np.float32([0, 1, 2, 3]).reshape(1, 2, 2, 1)
    b = np.float32([3, 2, 1, 0]).reshape(1, 2, 2, 1)
    found = metrics.psnr_pooled(a, b, data_range=3.0)
    assert found.shape == ()
    assert float(found) == pytest.approx(2.5527, abs=5e-5)
    assert float(found) == pytest.approx(10 * np.log10(9 / 5), rel=1e-6)
    ramp = (np.arange(784) / 783).reshape(1, 28, 28, 1)
    assert float(metrics.psnr_pooled(ramp, ramp**2)) == pytest.approx(
        14.77675, abs=1e-5
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_pooled_psnr_is_that_of_one_long_image(shape):
    a, b = noisy_pair(shape)
    expected = skimage.metrics.peak_signal_noise_ratio(
        a.astype(float), b.astype(float), data_range=1.0
    )
    # A relative error of 1e-6 of the float32 squared error is 4e-6 dB.
    assert float(metrics.psnr_pooled(a, b)) == pytest.approx(expected, abs=1e-5)
    # One scale of both changes nothing.
    found = metrics.psnr_pooled(10 * a, 10 * b, data_range=10.0)
    assert float(found) == pytest.approx(expected, abs=1e-5)


def test_pooled_psnr_is_decided_by_bad_images():
    a = np.concatenate([constant(0.0), constant(0.0)])
    b = np.concatenate([constant(0.1), constant(1.0)])
    # Errors 0.01 and 1, 20 dB and 0 dB each: the mean would be 10 dB.
    expected = -10 * np.log10((0.01 + 1) / 2)
    assert float(metrics.psnr_pooled(a, b)) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(np.mean(metrics.psnr(a, b)), 10, rtol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_pooled_psnr_of_equal_images_is_infinite(jit_compile):
    compiled = tf.function(metrics.psnr_pooled, jit_compile=jit_compile)
    a, b = noisy_pair((16, 16, 1))
    assert float(compiled(a, a)) == np.inf
    assert np.isfinite(compiled(a, b))
    metric = metrics.PSNRPooled()
    assert np.isnan(metric.result())
    metric.update_state(a, a)
    assert metric.result() == np.inf


def test_pooled_psnr_pools_batches_of_other_lengths_and_sizes():
    metric = metrics.PSNRPooled(data_range=2.0)
    errors = []
    for batch, shape in ((3, (16, 16, 1)), (1, (16, 16, 1)), (2, (5, 7, 3))):
        a, b = noisy_pair(shape, batch=batch)
        metric.update_state(a, b)
        errors.append(np.square(a.astype(float) - b).ravel())
    expected = 10 * np.log10(4 / np.mean(np.concatenate(errors)))
    # A relative error of 1e-6 of the float32 squared error is 4e-6 dB.
    assert float(metric.result()) == pytest.approx(expected, abs=1e-5)
    metric.reset_state()
    metric.update_state(a, b, sample_weight=[0, 1])
    expected = metrics.psnr_pooled(a[1:], b[1:], data_range=2.0)
    assert float(metric.result()) == pytest.approx(float(expected), abs=1e-5)


def test_pooled_psnr_in_a_compiled_model_and_from_its_configuration():
    a, b = noisy_pair((16, 16, 1), batch=5)
    pixels = keras.Input((16, 16, 1))
    model = keras.Model(pixels, keras.layers.Identity()(pixels))
    metric = metrics.PSNRPooled(data_range=2.0)
    model.compile(loss="mse", metrics=[metric])
    found = model.evaluate(a, b, batch_size=2, verbose=0, return_dict=True)
    expected = float(metrics.psnr_pooled(a, b, data_range=2.0))
    assert found["psnr_pooled"] == pytest.approx(expected, abs=1e-5)
    config = keras.saving.serialize_keras_object(metric)
    rebuilt = keras.saving.deserialize_keras_object(config)
    assert rebuilt.get_config() == {
        "data_range": 2.0,
        "name": "psnr_pooled",
        "dtype": "float32",
    }
    assert float(rebuilt(a, b)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("data_range", [0.0, -1.0, np.inf, np.nan])
def test_pooled_psnr_refuses_a_range_that_is_none(data_range):
    good = constant(0.5)
    with pytest.raises(ValueError, match=r"positive and finite.*Received: data_range="):
        metrics.psnr_pooled(good, good, data_range=data_range)
    with pytest.raises(ValueError, match=r"positive and finite.*Received: data_range="):
        metrics.PSNRPooled(data_range=data_range)
