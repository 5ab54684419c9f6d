"""Reversed gradients against those of the two losses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import models


def _networks(factor):
    """Features and two heads, each a small dense network."""
    keras.utils.set_random_seed(0)
    image = keras.Input((7,))
    features = keras.layers.Dense(6, activation="tanh", name="features")(image)
    primary = keras.layers.Dense(3, name="primary")(features)
    reversal = models.GradientReversal(factor, name="reversal")
    adversary = keras.layers.Dense(4, name="adversary")(reversal(features))
    return keras.Model(image, {"primary": primary, "adversary": adversary})


RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(16, 7)).astype(np.float32)
LABELS, NUISANCE = np.arange(16) % 3, np.arange(16) % 4


def _losses(model):
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = model(IMAGES)
    return (
        cross_entropy(LABELS, found["primary"]),
        cross_entropy(NUISANCE, found["adversary"]),
    )


def test_forward_is_bit_identical():
    for dtype in ("float16", "float32", "float64"):
        layer = models.GradientReversal(0.3, dtype=dtype)
        x = RANDOM.normal(size=(5, 4)).astype(dtype)
        np.testing.assert_array_equal(layer(x), x)
        assert layer(x).dtype == dtype


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0])
def test_heads_descend_and_features_ascend_the_loss_of_the_adversary(factor):
    model = _networks(factor)
    features, primary, adversary = (
        model.get_layer(name) for name in ("features", "primary", "adversary")
    )
    weights = [layer.trainable_weights for layer in (features, primary, adversary)]
    with tf.GradientTape() as tape:
        together = tf.add_n(_losses(model))
    found = tape.gradient(together, weights)
    # Without reversal, a gradient of each loss.
    outputs = {
        "primary": primary(features.output),
        "adversary": adversary(features.output),
    }
    plain = keras.Model(model.input, outputs)
    with tf.GradientTape(persistent=True) as tape:
        losses = _losses(plain)
    by_primary, by_adversary = (tape.gradient(loss, weights) for loss in losses)
    expected = [
        [a - factor * b for a, b in zip(by_primary[0], by_adversary[0], strict=True)],
        by_primary[1],
        by_adversary[2],
    ]
    pairs = zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a, b, atol=1e-6)
        assert np.any(a)


def test_constant_features_leave_the_adversary_guessing():
    """The least cross-entropy of 4 equally frequent classes is ln 4."""
    head = keras.layers.Dense(4, kernel_initializer=keras.initializers.Ones())
    features = tf.ones([16, 6])
    head.build(features.shape)
    head.bias.assign([1.0, -1.0, 0.5, 0.0])
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for _ in range(200):
        with tf.GradientTape() as tape:
            loss = cross_entropy(NUISANCE, head(features))
        for weight, slope in zip(
            head.trainable_weights,
            tape.gradient(loss, head.trainable_weights),
            strict=True,
        ):
            weight.assign_sub(0.5 * slope)
    assert float(loss) == pytest.approx(1.386294, abs=1e-5)


def test_factor_may_change_without_another_trace():
    layer, traces = models.GradientReversal(), []
    layer.build((1,))

    @tf.function
    def slope(x):
        traces.append(1)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return tape.gradient(y, x)

    for factor in (1.0, 0.25, 0.0):
        layer.factor.assign(factor)
        np.testing.assert_array_equal(slope(tf.constant([2.0])), [-factor])
    assert len(traces) == 1


def test_it_is_trained_by_fit_and_saved_with_its_factor(tmp_path):
    model = _networks(0.5)
    assert "reversal" not in " ".join(w.path for w in model.trainable_weights)
    model.compile(
        "sgd",
        loss=dict.fromkeys(
            ("primary", "adversary"),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ),
    )
    model.fit(IMAGES, {"primary": LABELS, "adversary": NUISANCE}, verbose=0)
    assert model.get_layer("reversal").factor.numpy() == 0.5
    model.get_layer("reversal").factor.assign(0.75)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("reversal").factor.numpy() == 0.75
    for name, expected in model(IMAGES).items():
        np.testing.assert_array_equal(loaded(IMAGES)[name], expected)
    x = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loaded.get_layer("reversal")(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [[-0.75, -0.75]])


@pytest.mark.parametrize("factor", [-0.1, np.nan, np.inf])
def test_a_factor_that_cannot_be_is_refused(factor):
    with pytest.raises(ValueError, match=f"`factor` must be .*factor={factor}"):
        models.GradientReversal(factor)
