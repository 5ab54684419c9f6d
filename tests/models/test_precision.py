"""Copies in float64: the same function, finer, and the original as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import models


def _images(shape, count=4):
    return np.random.default_rng(0).random((count, *shape), np.float32)


def _user_model():
    """Branches, a nested model twice, batch normalisation, operations of Keras."""
    inner = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
        ],
        name="inner",
    )
    deeper_input = keras.Input((8,))
    deeper = keras.Model(deeper_input, inner(deeper_input) * 2.0 + 1.0)
    image = keras.Input((6, 5, 3), name="image")
    x = keras.layers.Conv2D(4, 3, activation="elu")(image)
    x = keras.layers.BatchNormalization()(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(8)(x)
    outer = keras.layers.concatenate([inner(deeper(x)), keras.ops.cast(x, "float32")])
    model = keras.Model(image, {"code": outer, "sum": keras.ops.sum(outer, axis=1)})
    random = np.random.default_rng(1)
    model.set_weights(
        [0.3 + 0.5 * random.random(w.shape, np.float32) for w in model.get_weights()]
    )
    model.compile("adam", loss={"code": "mse", "sum": "mse"})
    return model


_NETWORKS = {
    "dense": lambda: models.build(
        "dense", (6, 5, 1), latent=3, variational=True, hidden=(16, 8), seed=0
    ).posterior(),
    "decoder": lambda: (
        models.build(
            "dense", (6, 5, 1), latent=3, variational=False, hidden=(16, 8), seed=0
        ).decoder
    ),
    "joint": lambda: models.build(
        "dense", (6, 5, 1), latent=3, variational=False, hidden=(16, 8), seed=0
    ).joint(),
    "conv_elu": lambda: models.build(
        "conv_elu", (32, 32, 1), latent=3, variational=True, seed=0
    ).likelihood(),
    "user": _user_model,
}


@pytest.mark.parametrize("name", _NETWORKS)
def test_it_is_the_same_function_in_float64(name):
    original = _NETWORKS[name]()
    weights = original.get_weights()
    copy = models.float64_copy(original)
    images = _images(original.input_shape[1:])
    found = keras.tree.flatten(copy(np.float64(images), training=False))
    expected = keras.tree.flatten(original(images, training=False))
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, b.dtype) == (tf.float64, tf.float32)
        # The rounding of float32: sums of up to 500 terms.
        np.testing.assert_allclose(a, b, rtol=5e-6, atol=1e-6)
    assert {w.dtype for w in copy.weights} == {"float64"}
    assert {w.dtype for w in original.weights} == {"float32"}
    for a, b in zip(original.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not {id(w) for w in copy.weights} & {id(w) for w in original.weights}
    assert len(copy.weights) == len(original.weights)  # what is shared stays so
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", _NETWORKS)
def test_gradients_are_those_of_differences(name):
    copy = models.float64_copy(_NETWORKS[name]())
    images = tf.constant(_images(copy.input_shape[1:], 2), tf.float64)
    direction = np.random.default_rng(2).normal(size=images.shape)

    def total(x):
        outputs = keras.tree.flatten(copy(x, training=False))
        return tf.add_n([tf.reduce_sum(each**2) for each in outputs])

    with tf.GradientTape() as tape:
        tape.watch(images)
        value = total(images)
    gradient = tape.gradient(value, images)
    assert gradient.dtype == tf.float64
    # float32 could not resolve steps of this size; the error is of their square.
    step = 1e-6 * direction
    difference = (total(images + step) - total(images - step)) / 2e-6
    expected = tf.reduce_sum(gradient * direction)
    np.testing.assert_allclose(difference, expected, rtol=1e-6, atol=1e-7)


def test_later_changes_of_the_original_do_not_reach_it():
    original = _NETWORKS["decoder"]()
    copy = models.float64_copy(original)
    before = [w.copy() for w in copy.get_weights()]
    original.set_weights([w + 1 for w in original.get_weights()])
    for a, b in zip(copy.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_integers_stay_and_adapted_statistics_are_taken_over():
    number = keras.Input((3,), dtype="int32", name="number")
    value = keras.Input((4,), name="value")
    normalized = keras.layers.Normalization()
    values = np.float32(np.random.default_rng(0).normal(5, 3, (50, 4)))
    normalized.adapt(values)
    embedded = keras.layers.Flatten()(keras.layers.Embedding(10, 2)(number))
    total = keras.layers.concatenate([embedded, normalized(value)])
    original = keras.Model({"number": number, "value": value}, total)
    copy = models.float64_copy(original)
    assert copy.input["number"].dtype == "int32"
    given = {"number": np.int32([[1, 2, 9]] * 50), "value": values}
    np.testing.assert_allclose(copy(given), original(given), rtol=1e-5, atol=1e-6)
    assert copy(given).dtype == tf.float64


def test_a_layer_of_tfsemae_is_copied():
    x = keras.Input((3,))
    original = keras.Model(x, models.GradientReversal(0.5)(x))
    given = tf.constant([[1.0, 2.0, 3.0]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(given)
        found = models.float64_copy(original)(given)
    np.testing.assert_array_equal(found, given)
    np.testing.assert_array_equal(tape.gradient(found, given), np.full((1, 3), -0.5))


class _Unserializable(keras.layers.Layer):
    def __init__(self, function):
        super().__init__(name="own")
        self.function = function

    def call(self, x):
        return self.function(x)


class _Single(keras.layers.Layer):
    def call(self, x):
        return keras.ops.cast(x, "float32")


class _Mixed(keras.layers.Layer):
    def call(self, x):
        return x * tf.constant(2.0)


class _Subclassed(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            lambda: _Unserializable(abs),
            r"'own' \(_Unserializable\), which cannot be",
        ),
        (lambda: _Single(name="single"), r"'single' .*it gives float32 whatever its"),
        (
            lambda: _Mixed(name="mixed"),
            r"'mixed' \(_Mixed\), which cannot be",
        ),
    ],
)
def test_a_layer_that_cannot_be_copied_is_named(layer, message):
    x = keras.Input((3,))
    inner = keras.Model(x, keras.layers.Dense(2)(layer()(x)))
    outer = keras.Sequential([keras.Input((3,)), inner])
    with pytest.raises(ValueError, match=message) as caught:
        models.float64_copy(outer)
    assert "\n" not in str(caught.value)
    assert keras.config.dtype_policy().name == "float32"


def test_a_lambda_is_named_or_copied():
    # Keras 3.11 makes one of its configuration again, later ones refuse.
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Lambda(lambda x: 2 * x, name="twice")(x))
    try:
        copy = models.float64_copy(model)
    except ValueError as error:
        found = str(error)
    else:
        found = copy(np.ones((1, 3))).numpy().tolist()
    assert found == [[2, 2, 2]] or "'twice' (Lambda)" in found


@pytest.mark.parametrize(
    "model", [_Subclassed, lambda: keras.Sequential([keras.layers.Dense(2)]), object]
)
def test_other_models_are_refused(model):
    with pytest.raises(ValueError, match=r"must be a functional Keras model\. Wrap"):
        models.float64_copy(model())
