import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae.training import dropout


def _network(rate=0.25):
    image = keras.Input((2, 3, 1))
    x = keras.layers.Flatten()(image)
    x = keras.layers.Dropout(rate, name="drop")(x)
    return keras.Model(image, keras.layers.Rescaling(2.0)(x))


def _given(network):
    image = keras.Input(network.input_shape[1:], name="image")
    masks = {
        name: keras.Input(draw.shape, dtype=draw.dtype, name=name)
        for name, draw in dropout.masks(network).items()
    }
    output = dropout.apply(network, image, masks)
    return keras.Model({"image": image, **masks}, output)


def test_what_is_kept_is_scaled_and_the_rest_is_0():
    model = _given(_network())
    images = np.arange(1, 13, dtype=np.float32).reshape(2, 2, 3, 1)
    kept = np.array([[True, False] * 3, [False, False] + [True] * 4])
    found = model({"image": images, "drop": kept}, training=True)
    expected = np.where(kept, images.reshape(2, 6) / 0.75 * 2, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_masks_have_no_effect_at_inference():
    network = _network()
    images = np.ones((2, 2, 3, 1), np.float32)
    nothing = np.zeros((2, 6), bool)
    found = _given(network)({"image": images, "drop": nothing}, training=False)
    np.testing.assert_array_equal(found, network(images))


def test_masks_keep_their_share():
    draw = dropout.masks(_network())["drop"]
    assert (draw.shape, draw.dtype) == ((6,), "bool")
    kept = draw.make(tf.constant([3, 4], tf.int64), 20_000)
    # 120,000 numbers: a standard deviation of 0.00125.
    np.testing.assert_allclose(np.mean(kept), 0.75, atol=0.005)
    shares = np.mean(kept, axis=0)
    np.testing.assert_allclose(shares, 0.75, atol=0.015)  # 0.0031 each


def test_weights_are_shared():
    image = keras.Input((3,))
    x = keras.layers.Dropout(0.5, name="drop")(keras.layers.Dense(4)(image))
    network = keras.Model(image, keras.layers.Dense(2)(x))
    other = keras.Input((3,))
    mask = keras.Input((4,), dtype="bool")
    model = keras.Model([other, mask], dropout.apply(network, other, {"drop": mask}))
    assert [id(w) for w in model.weights] == [id(w) for w in network.weights]


def test_a_network_without_dropout_may_have_branches():
    image = keras.Input((3,))
    network = keras.Model(image, keras.layers.Add()([image, image]))
    assert dropout.masks(network) == {}
    other = keras.Input((3,))
    model = keras.Model(other, dropout.apply(network, other, {}))
    np.testing.assert_array_equal(model(np.ones((1, 3))), [[2, 2, 2]])


def test_dropout_beside_branches_is_refused():
    image = keras.Input((3,))
    x = keras.layers.Dropout(0.5, name="drop")(image)
    network = keras.Model(image, keras.layers.Add(name="sum")([x, image]))
    with pytest.raises(ValueError, match=r"one layer after the other.*'sum'"):
        _given(network)
