"""Domain-adversarial training: one step by hand, its factor, its data, its judge."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data, settings, training
from tfsemae.data.nuisance import TINTS
from tfsemae.models.classifier import Classifier
from tfsemae.training.procedures.domain_adversarial import DomainAdversarialProcedure

IMAGES = data.Images(
    np.random.default_rng(0).integers(1, 256, (60, 4, 4, 1), dtype=np.uint8),
    np.arange(60) % 3,
    tuple("abc"),
)


def _made(**changes):
    defaults = {
        "dataset": "digits",
        "model": "small_conv_classifier",
        "procedure": "domain_adversarial",
        "optimizer": "sgd",
        "sgd_momentum": 0.0,
        "learning_rate": 0.5,
        "decay_rate": 1.0,
        "output_dir": "unused",
    }
    return settings.make(training.Settings, defaults | changes)


def _procedure(**changes):
    """That of a network of few weights, whose features depend smoothly on images."""
    keras.utils.set_random_seed(0)
    image = keras.Input((4, 4, 3))
    flat = keras.layers.Flatten()(image)
    features = keras.layers.Dense(5, activation="tanh", name="features")(flat)
    network = keras.Model(image, keras.layers.Dense(3, name="logits")(features))
    classifier = Classifier(network, tuple("abc"), "features")
    return DomainAdversarialProcedure(classifier, _made(**changes))


def _batch(procedure):
    batches = procedure.batches(IMAGES, batch_size=12, seed=0, start_step=0)
    return next(iter(batches))


def test_a_step_minimises_one_loss_and_maximises_the_other():
    procedure = _procedure(reversal_factor=0.3)
    network, adversary = procedure.networks.network, procedure._adversary
    inputs, targets = _batch(procedure)
    parts = {
        "features": network.get_layer("features").trainable_variables,
        "head": network.get_layer("logits").trainable_variables,
        "adversary": adversary.trainable_variables,
    }
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape(persistent=True) as tape:
        joint = procedure.networks.joint()(inputs)
        primary = cross_entropy(targets["label"], joint["logits"])
        told = cross_entropy(targets["nuisance"], adversary(joint["features"]))
    slopes = [
        *(
            a - 0.3 * b
            for a, b in zip(
                tape.gradient(primary, parts["features"]),
                tape.gradient(told, parts["features"]),
                strict=True,
            )
        ),
        *tape.gradient(primary, parts["head"]),
        *tape.gradient(told, parts["adversary"]),
    ]
    weights = [weight for part in parts.values() for weight in part]
    before = [weight.numpy() for weight in weights]
    found = procedure.model.train_on_batch(inputs, targets, return_dict=True)
    for weight, was, slope in zip(weights, before, slopes, strict=True):
        np.testing.assert_allclose(weight, was - 0.5 * slope, atol=1e-6)
    np.testing.assert_allclose(found["label_loss"], primary, rtol=1e-5)
    np.testing.assert_allclose(found["nuisance_loss"], told, rtol=1e-5)
    assert {"label_accuracy", "nuisance_accuracy", "loss"} <= set(found)


def test_separate_updates_train_the_adversary_first():
    procedure = _procedure(reversal_factor=0.3, adversary_updates="separate")
    network, adversary = procedure.networks.network, procedure._adversary
    inputs, targets = _batch(procedure)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    joint = procedure.networks.joint()

    def told():
        return cross_entropy(targets["nuisance"], adversary(joint(inputs)["features"]))

    weights = [weight.value for weight in adversary.weights]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = told()
    expected = [
        weight - 0.5 * slope
        for weight, slope in zip(weights, tape.gradient(loss, weights), strict=True)
    ]
    before = network.get_weights()
    procedure.model.train_on_batch(inputs, targets)
    after = network.get_weights()
    for weight, by_hand in zip(adversary.get_weights(), expected, strict=True):
        np.testing.assert_allclose(weight, by_hand, atol=1e-6)
    # The network's step is against the adversary as it now is.
    network.set_weights(before)
    with tf.GradientTape() as tape:
        primary = cross_entropy(targets["label"], joint(inputs)["logits"])
        loss = primary - 0.3 * told()
    features = network.get_layer("features").trainable_variables
    slopes = tape.gradient(loss, features)
    for found, was, slope in zip(after, before, slopes, strict=False):
        np.testing.assert_allclose(found, was - 0.5 * slope, atol=1e-6)
    assert len(slopes) == 2
    assert not np.array_equal(after[2], before[2])  # the head learns as well


def test_checkpoints_hold_the_optimizer_of_the_adversary(tmp_path):
    given = {"adversary_updates": "separate", "optimizer": "adam"}
    given |= {"sgd_momentum": 0.9, "learning_rate": 0.01}  # the default of SGD
    first, second = _procedure(**given), _procedure(**given)
    assert len(first.optimizers) == 2
    first.model.train_on_batch(*_batch(first))
    first.model.save_weights(tmp_path / "a.weights.h5")
    second.model.load_weights(tmp_path / "a.weights.h5")
    for procedure in (first, second):
        procedure.model.train_on_batch(*_batch(first))
    for a, b in zip(
        [*first.model.weights, *first.optimizers[1].variables],
        [*second.model.weights, *second.optimizers[1].variables],
        strict=True,
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_the_factor_grows_to_its_end():
    procedure = _procedure(reversal_factor=0.6, reversal_ramp_steps=4)
    batch = _batch(procedure)
    factors = []
    for _ in range(6):
        procedure.model.train_on_batch(*batch)
        factors.append(float(procedure.model.get_layer("reversal").factor.numpy()))
    np.testing.assert_allclose(factors, [0, 0.15, 0.3, 0.45, 0.6, 0.6], atol=1e-6)


def test_images_have_the_tint_of_their_target_and_keep_their_label():
    procedure = _procedure(nuisance_bias=1.0)
    images, targets = _batch(procedure)
    states, labels = targets["nuisance"].numpy(), targets["label"].numpy()
    np.testing.assert_array_equal(states, labels % 4)
    brightest = images.numpy().max(axis=3)[..., None] * TINTS[states][:, None, None]
    np.testing.assert_allclose(images, brightest, atol=1.01 / 255)
    originals = data.pixels(IMAGES)
    for image, label in zip(images.numpy(), labels, strict=True):
        apart = np.abs(originals[..., 0] - image.max(axis=2)).max(axis=(1, 2))
        assert IMAGES.labels[np.argmin(apart)] == label
        assert apart.min() < 1e-6


def test_images_of_the_test_have_no_bias():
    procedure = _procedure(nuisance_bias=1.0)
    _, states = procedure._seen(IMAGES, "test")
    assert np.mean(states == IMAGES.labels % 4) < 0.6
    _, held_out = procedure._seen(IMAGES, "held_out")
    np.testing.assert_array_equal(held_out, IMAGES.labels % 4)


def test_features_that_show_the_tint_are_judged_by_a_new_classifier(tmp_path):
    procedure = _procedure()
    kernel = np.zeros((4, 4, 3, 5), np.float32)
    kernel[..., range(3), range(3)] = 1 / 16  # the mean of each channel
    layer = procedure.networks.network.get_layer("features")
    layer.set_weights([kernel.reshape(48, 5), np.zeros(5)])
    procedure._adversary.set_weights(
        [np.zeros_like(each) for each in procedure._adversary.get_weights()]
    )
    many = data.take(IMAGES, np.arange(600) % 60)
    found = procedure.evaluate(many, many, output_dir=tmp_path, seed=0)["nuisance"]
    # One that guesses says nothing about what others find.
    assert found["adversary_cross_entropy"] == pytest.approx(math.log(4))
    assert found["probe_accuracy"] > 0.95
    assert found["linear_probe_accuracy"] > 0.95
    layer.set_weights([np.zeros((48, 5)), np.zeros(5)])  # of no image anything
    found = procedure.evaluate(many, many, output_dir=tmp_path, seed=0)["nuisance"]
    chance = pytest.approx(0.25, abs=5 * math.sqrt(3 / 16 / 600))
    assert found["probe_accuracy"] == found["linear_probe_accuracy"] == chance


def test_the_adversary_is_no_part_of_the_network():
    procedure = DomainAdversarialProcedure.build(_made(), IMAGES)
    assert procedure.networks.image_shape == (4, 4, 3)
    own = {id(weight) for weight in procedure.networks.network.weights}
    assert not own & {id(weight) for weight in procedure._adversary.weights}
    trained = {id(weight) for weight in procedure.model.trainable_variables}
    assert {id(w) for w in procedure._adversary.trainable_variables} <= trained


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "dense_classifier"}, "without dropout.*--model=dense_classifier"),
        ({"nuisance": "size"}, "--nuisance=size is none of its choices"),
        ({"reversal_factor": -0.1}, "--reversal_factor=-0.1 is below"),
        ({"procedure": "nat", "nuisance": "rot"}, "--procedure=domain_adversarial"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        _made(**changes)
