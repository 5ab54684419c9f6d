"""Images of every type, and pairs whose shapes are known late."""

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import tensor_checks

SHAPE = (2, 3, 4, 1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_floating_images_become_float32(dtype):
    value = tf.cast(tf.fill(SHAPE, 0.3), dtype)
    found = tensor_checks.images("a", value)
    assert found.dtype == tf.float32
    assert found.shape == SHAPE
    np.testing.assert_array_equal(found, tf.cast(value, tf.float32))


def test_arrays_lists_and_variables_are_images_too():
    array = np.full(SHAPE, 0.3)
    for value in (array, array.tolist(), tf.Variable(array)):
        np.testing.assert_array_equal(
            tensor_checks.images("a", value), array.astype(np.float32)
        )


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int32", "int64", "bool", "complex64"]
)
def test_other_types_are_refused(dtype):
    message = f"`x` must be floating.*divide 8-bit pixels by 255.*x.dtype={dtype}"
    with pytest.raises(ValueError, match=message):
        tensor_checks.images("x", tf.cast(tf.zeros(SHAPE), dtype))


@pytest.mark.parametrize("shape", [(), (3,), (3, 4, 1), (1, 2, 3, 4, 1)])
def test_other_ranks_are_refused(shape):
    with pytest.raises(ValueError, match=r"`x` must have the shape \[B, H, W, C\]"):
        tensor_checks.images("x", tf.zeros(shape))


def test_an_unknown_rank_is_refused_before_it_runs():
    compiled = tf.function(
        lambda x: tensor_checks.images("x", x), input_signature=[tf.TensorSpec(None)]
    )
    with pytest.raises(ValueError, match=r"Received: x\.shape=<unknown>"):
        compiled.get_concrete_function()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(3,), (2, 5), SHAPE])
def test_floating_examples_of_any_shape_become_float32(dtype, shape):
    value = tf.cast(tf.fill(shape, 0.3), dtype)
    found = tensor_checks.examples("a", value)
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, tf.cast(value, tf.float32))


def test_examples_of_other_types_and_single_numbers_are_refused():
    for dtype in ("uint8", "int64", "bool", "complex64"):
        message = f"`x` must be floating.*divide 8-bit pixels by 255.*{dtype}"
        with pytest.raises(ValueError, match=message):
            tensor_checks.examples("x", tf.cast(tf.zeros(SHAPE), dtype))
    with pytest.raises(ValueError, match=r"`x` must have the shape \[B, ...\].*\(\)"):
        tensor_checks.examples("x", 0.5)
    compiled = tf.function(
        lambda x: tensor_checks.examples("x", x), input_signature=[tf.TensorSpec(None)]
    )
    with pytest.raises(ValueError, match=r"Received: x\.shape=<unknown>"):
        compiled.get_concrete_function()


def test_a_pair_of_known_shapes():
    a, b = tensor_checks.image_pair(np.zeros(SHAPE), np.ones(SHAPE, np.float16))
    assert (a.dtype, b.dtype) == (tf.float32, tf.float32)
    np.testing.assert_array_equal(b - a, np.ones(SHAPE))
    message = r"`x` and `y` must have the same.*x.shape=\(2, 3, 4, 1\), y.shape=\(1, 3"
    with pytest.raises(ValueError, match=message):
        tensor_checks.image_pair(np.zeros(SHAPE), np.zeros((1, 3, 4, 1)), ("x", "y"))


def test_known_sizes_that_differ_are_refused_before_it_runs():
    compiled = tf.function(
        lambda a, b: tensor_checks.image_pair(a, b)[0],
        input_signature=[
            tf.TensorSpec([None, None, None, 1]),
            tf.TensorSpec([None, None, None, 3]),
        ],
    )
    with pytest.raises(ValueError, match=r"same shape.*\(None, None, None, 1\)"):
        compiled.get_concrete_function()


ANY = [None, None, None, None]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    ("spec_a", "spec_b", "shape"),
    [
        ([None, 3, 4, 1], [None, 3, 4, 1], (1, 3, 4, 1)),  # batch
        ([None, 3, 4, 1], [8, 3, 4, 1], (1, 3, 4, 1)),
        (ANY, ANY, (8, 3, 4, 3)),  # channels
        (ANY, [None, None, None, 1], (8, 3, 4, 3)),
        (ANY, ANY, (8, 1, 4, 1)),  # height
        (ANY, ANY, (8, 4, 3, 1)),  # equally many pixels
        (ANY, ANY, (8, 3, 5, 1)),
    ],
)
def test_unknown_shapes_never_broadcast(spec_a, spec_b, shape, jit_compile):
    @tf.function(
        input_signature=[tf.TensorSpec(spec_a), tf.TensorSpec(spec_b)],
        jit_compile=jit_compile,
    )
    def add(a, b):
        a, b = tensor_checks.image_pair(a, b)
        return a + b

    good = np.ones((8, 3, 4, 1), np.float32)
    np.testing.assert_array_equal(add(good, good), 2 * good)
    message = r"must match(.|\n)*a_and_b_must_have_the_same_shape"
    if jit_compile:
        message = "must match|must_have_the_same_shape"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        add(np.ones(shape, np.float32), good)


def test_what_is_known_of_one_shape_is_known_of_both():
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 3, None, 1]),
            tf.TensorSpec([2, None, 4, None]),
        ]
    )
    def shapes(a, b):
        a, b = tensor_checks.image_pair(a, b)
        assert a.shape == b.shape == SHAPE
        return a

    shapes(np.ones(SHAPE, np.float32), np.ones(SHAPE, np.float32))


def test_gradients_pass():
    @tf.function(input_signature=[tf.TensorSpec(ANY)] * 2)
    def gradients(a, b):
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            x, y = tensor_checks.image_pair(a, b)
            total = tf.reduce_sum(3.0 * x - 2.0 * y)
        return tape.gradient(total, [a, b])

    of_a, of_b = gradients(np.ones(SHAPE, np.float32), np.ones(SHAPE, np.float32))
    np.testing.assert_array_equal(of_a, np.full(SHAPE, 3.0))
    np.testing.assert_array_equal(of_b, np.full(SHAPE, -2.0))
