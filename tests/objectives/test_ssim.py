"""Structural similarity as an objective: tf.image, closed forms, gradients."""

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import metrics, objectives

SHAPES = [(11, 11, 1), (28, 28, 1), (24, 40, 3)]


def pair(shape, dtype="float32", batch=3, seed=0):
    random = np.random.default_rng(seed)
    a = random.random((batch, *shape))
    b = np.clip(a + 0.3 * random.normal(size=a.shape), 0, 1)
    return a.astype(dtype), b.astype(dtype)


def constant(value, shape=(1, 16, 16, 1), dtype="float32"):
    return tf.constant(np.full(shape, value, dtype))


def value_and_gradient(a, b):
    with tf.GradientTape() as tape:
        tape.watch(a)
        value = objectives.ssim(a, b)
    return value, tape.gradient(value, a)


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_tf_image(shape):
    a, b = pair(shape)
    found = objectives.ssim(a, b)
    # Both round variances of float32 images to 1e-7, beside c2 = 9e-4.
    np.testing.assert_allclose(found, tf.image.ssim(a, b, 1.0), atol=1e-5)


def test_values_of_the_specification():
    ramp = (np.arange(784) / 783).reshape(1, 28, 28, 1)
    np.testing.assert_allclose(objectives.ssim(ramp, ramp**2), [0.71966], atol=5e-6)
    square = np.zeros((1, 28, 28, 1))
    square[:, 8:20, 8:20] = 1
    shifted = np.roll(square, 3, axis=2)
    np.testing.assert_allclose(objectives.ssim(square, shifted), [0.34373], atol=5e-6)
    black = np.zeros_like(square)
    np.testing.assert_allclose(objectives.ssim(square, black), [0.00633], atol=5e-6)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (0.25, 0.5), (0.5, 0.5)])
def test_constant_images_have_the_luminance_term(a, b):
    expected = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    found = objectives.ssim(constant(a, dtype="float64"), constant(b, dtype="float64"))
    # Variances of 1e-16, beside c2 = 9e-4.
    np.testing.assert_allclose(found, [expected], rtol=1e-11)


def test_the_metric_is_this_in_float32():
    a, b = pair((28, 28, 1))
    np.testing.assert_array_equal(metrics.ssim(a, b), objectives.ssim(a, b))
    a, b = pair((28, 28, 1), "float64")
    precise = objectives.ssim(a, b)
    assert precise.dtype == tf.float64
    # float32 rounds variances to 1e-7, beside c2 = 9e-4, here above 0.02.
    np.testing.assert_allclose(metrics.ssim(a, b), precise, atol=1e-5)


def test_the_first_argument_decides_the_type():
    a, b = pair((16, 16, 1), "float64")
    found = objectives.ssim(a.astype("float32"), b)
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(
        found, objectives.ssim(a.astype("float32"), b.astype("float32"))
    )


def test_gradient_equals_finite_differences():
    a, b = pair((12, 13, 2), "float64", batch=1)
    for arguments in ([a, b], [b, a]):
        found, expected = tf.test.compute_gradient(
            tf.function(lambda x, other=arguments[1]: objectives.ssim(x, other)),
            arguments[:1],
            delta=1e-5,
        )
        assert np.max(np.abs(expected)) > 1e-3
        # Differences leave 1e-16 / 1e-5 of a value, and its third derivative.
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_vanishes_at_equal_images(jit_compile):
    compiled = tf.function(value_and_gradient, jit_compile=jit_compile)
    images, _ = pair((16, 16, 1))
    images = tf.concat([images, constant(0), constant(0.5), constant(1)], axis=0)
    value, gradient = compiled(images, images)
    # Variances of white come out as 1e-7, beside c2 = 9e-4.
    np.testing.assert_allclose(value, np.ones(6), rtol=1e-4)
    # Parts of the gradient of up to 60, 2 / (c2 * 36 windows), cancel to 1e-7 of them.
    np.testing.assert_allclose(gradient, np.zeros((6, 16, 16, 1)), atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("b", [0.0, 0.25, 1.0])
def test_gradient_at_constant_black(b, jit_compile):
    compiled = tf.function(value_and_gradient, jit_compile=jit_compile)
    _, gradient = compiled(constant(0), constant(b))
    assert np.all(np.isfinite(gradient))
    # All pixels together move the mean only: d/da of (2ab + c1) / (a**2 + b**2 + c1).
    expected = 2 * b / (b**2 + 1e-4)
    np.testing.assert_allclose(np.sum(gradient), expected, rtol=1e-4, atol=1e-6)


def test_images_of_a_batch_do_not_see_each_other():
    a, b = pair((16, 16, 3))
    a[1, 5, 5, 0] = np.nan
    found, gradient = value_and_gradient(tf.constant(a), b)
    np.testing.assert_array_equal(np.isnan(found), [False, True, False])
    finite = np.isfinite(gradient).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(finite, [True, False, True])


def test_ascent_of_the_dissimilarity_finds_another_structure():
    # An image and its negative about the mean have the least similarity, below 0.
    board = np.indices((16, 16)).sum(axis=0) % 2
    image = constant(0.5) + 0.2 * (board[None, :, :, None] - 0.5).astype(np.float32)
    random = np.random.default_rng(0)
    found = image + (0.01 * random.normal(size=image.shape)).astype(np.float32)
    for _ in range(100):
        _, gradient = value_and_gradient(found, image)
        found = tf.clip_by_value(found - 0.02 * tf.sign(gradient), 0, 1)
    assert float(objectives.ssim(found, image)[0]) < -0.5


def test_one_trace_serves_all_batch_sizes():
    compiled = tf.function(
        value_and_gradient, input_signature=[tf.TensorSpec([None, 16, 16, 1])] * 2
    )
    a, b = (tf.constant(x) for x in pair((16, 16, 1)))
    for batch in (1, 3):
        found = compiled(a[:batch], b[:batch])
        expected = value_and_gradient(a[:batch], b[:batch])
        for part, other in zip(found, expected, strict=True):
            # Compiled, float32 rounds in another order.
            np.testing.assert_allclose(part, other, rtol=1e-4, atol=1e-6)
    assert compiled.experimental_get_tracing_count() == 1


def test_unknown_shapes_are_not_broadcast():
    compiled = tf.function(
        objectives.ssim, input_signature=[tf.TensorSpec([None, 16, 16, 1])] * 2
    )
    a, b = pair((16, 16, 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must_have_the_same"):
        compiled(a, b[:1])


def test_bad_images_are_refused():
    good = constant(0.5)
    for a, b, message in [
        (tf.cast(good, tf.uint8), good, r"`a` must be floating.*a\.dtype=uint8"),
        (good, good[0], r"`b` must have.*b\.shape=\(16, 16, 1\)"),
        (good, tf.repeat(good, 2, axis=0), r"same shape.*\(1, 16, 16, 1\).*\(2, 16"),
        (good[:, :, :10], good[:, :, :10], "a side of 10 pixels"),
    ]:
        with pytest.raises(ValueError, match=message) as error:
            objectives.ssim(a, b)
        assert "\n" not in str(error.value)
