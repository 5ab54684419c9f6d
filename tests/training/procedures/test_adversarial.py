"""Adversarial training: limits in which it is natural, the ball, the gradient."""

import csv
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data, run_folder, settings, training
from tfsemae.models import small_conv
from tfsemae.models.classifier import Classifier
from tfsemae.training.procedures import inner_attack
from tfsemae.training.procedures.adversarial import AdversarialProcedure
from tfsemae.training.procedures.classifier import ClassifierProcedure
from tfsemae.training.procedures.scarl import ScarlProcedure

KINDS = {"nat": ClassifierProcedure, "scarl": ScarlProcedure}
_EPSILON = 0.05


@pytest.fixture(scope="module")
def given(images_file, tmp_path_factory):
    """Makes settings of a short run with a procedure."""
    words = tmp_path_factory.mktemp("words") / "words.txt"
    words.write_text("0 1 0 2\n1 0 1 1\n2 -1 1 0\n3 1 1 -1\n")
    defaults = {
        "dataset": str(images_file),
        "model": "small_conv_classifier",
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "decay_rate": 1.0,
        "steps": 3,
        "batch_size": 6,
        "checkpoint_every": 1,
        "output_dir": "unused",
    }

    def make(procedure, **changes):
        values = defaults | {"procedure": procedure}
        if procedure == "scarl":
            values |= {"words_file": str(words), "ramp_up_steps": 3}
        if procedure not in ("nat", "fgsm"):
            values["adversarial_steps"] = 2
        if procedure != "nat":
            values["adversarial_epsilon"] = _EPSILON
        return settings.make(training.Settings, values | changes)

    return make


def _tiny(image_shape, class_names, *, seed):
    """A network with batch normalisation that is traced in no time."""
    kernel = keras.initializers.HeNormal(seed=seed)
    image = keras.Input(image_shape, name="image")
    x = keras.layers.Conv2D(4, 3, strides=2, kernel_initializer=kernel)(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalMaxPooling2D(name="features")(keras.layers.ReLU()(x))
    logits = keras.layers.Dense(len(class_names), kernel_initializer=kernel)(x)
    return Classifier(keras.Model(image, logits), tuple(class_names), "features")


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(small_conv, "build", _tiny)


def _trained(chosen, steps=3):
    """A procedure after some steps."""
    images = data.load(chosen.data.dataset, "train")
    kind = KINDS.get(chosen.classifier.procedure, AdversarialProcedure)
    made = kind.build(chosen, images)
    batches = made.batches(images, batch_size=6, seed=0, start_step=0)
    made.model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)
    return made


def _equal(ours, theirs):
    return all(
        np.array_equal(a.numpy(), b.numpy()) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.fixture(scope="module")
def natural(given):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_conv, "build", _tiny)
        return _trained(given("nat")).networks.network


@pytest.mark.parametrize("procedure", ["fgsm", "pgd"])
def test_at_epsilon_0_it_is_natural_training(given, natural, procedure):
    found = _trained(given(procedure, adversarial_epsilon=0.0)).networks.network
    assert _equal(found.weights, natural.weights)


@pytest.mark.parametrize(
    ("procedure", "changes"),
    [
        ("trades", {"kl_weight": 0.0}),
        # The divergence of equal answers is 0, and so is its gradient.
        ("trades", {"adversarial_epsilon": 0.0}),
        (
            "scarl",
            {
                "adversarial_epsilon": 0.0,
                "kl_weight": 0.0,
                "mi_weight": 0.0,
                "struct_weight": 0.0,
            },
        ),
    ],
)
def test_without_its_terms_it_is_natural_training(given, natural, procedure, changes):
    found = _trained(given(procedure, **changes)).networks.network
    # Moving averages differ: two batches pass the network in each step. Losses are
    # summed in another order: some bits of float32.
    for a, b in zip(found.trainable_weights, natural.trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("procedure", ["fgsm", "trades"])
def test_with_its_terms_it_is_another_training(given, natural, procedure):
    found = _trained(given(procedure)).networks.network
    pairs = zip(found.trainable_weights, natural.trainable_weights, strict=True)
    assert max(np.abs(a.numpy() - b.numpy()).max() for a, b in pairs) > 1e-3


@pytest.mark.parametrize("procedure", ["fgsm", "pgd", "trades"])
def test_the_attack_stays_in_the_ball_and_does_more_harm_than_noise(given, procedure):
    chosen = given(procedure)
    images = data.load(chosen.data.dataset, "train")
    network = ClassifierProcedure.build(given("nat"), images).networks.network
    before = network.get_weights()
    attack = inner_attack.make(lambda x: network(x, training=False), chosen.classifier)
    pixels, labels = tf.constant(data.pixels(images)), tf.constant(images.labels)
    moved, again, other = (
        attack(pixels, labels, tf.constant([0, step], tf.int64)).numpy()
        for step in (0, 0, 1)
    )
    np.testing.assert_array_equal(moved, again)
    assert np.any(moved != other)
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert np.abs(moved - pixels).max() <= _EPSILON + 1e-6
    # As at inference: no moving average has seen the attack.
    assert all(map(np.array_equal, before, network.get_weights()))
    if procedure == "trades":
        return
    signs = np.random.default_rng(0).choice([-1, 1], pixels.shape)
    noisy = np.clip(pixels + _EPSILON * signs, 0, 1).astype(np.float32)

    def loss(x):
        return float(
            keras.losses.SparseCategoricalCrossentropy(from_logits=True)(
                labels, network(x, training=False)
            )
        )

    assert loss(moved) > loss(noisy)


def test_gradients_flow_to_both_arguments_of_the_divergence(given):
    chosen = given("trades", kl_weight=3.0)
    images = data.load(chosen.data.dataset, "train")
    model = AdversarialProcedure.build(chosen, images).model
    random = np.random.default_rng(1)
    a, b = (tf.constant(random.normal(size=(5, 4)), tf.float32) for _ in range(2))
    labels = np.array([0, 1, 2, 3, 0])
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        loss = model.compute_loss(
            y=tf.constant(labels), y_pred={"logits": a, "adversarial_logits": b}
        )
    p, q = (tf.nn.softmax(each).numpy().astype(np.float64) for each in (a, b))
    kl = np.sum(p * np.log(p / q), axis=1, keepdims=True)
    own = np.eye(4)[labels]
    expected = -np.log(p[own > 0]).mean() + 3 * kl.mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    of_a = (p - own + 3 * p * (np.log(p / q) - kl)) / 5
    of_b = 3 * (q - p) / 5
    for found, known in zip(tape.gradient(loss, [a, b]), (of_a, of_b), strict=True):
        np.testing.assert_allclose(found, known, atol=1e-6)


@pytest.mark.parametrize("procedure", ["pgd", "scarl"])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(tmp_path, given, procedure):
    options = {"augment": "crop_flip", "validation": 6, "weight_decay": 1e-3}
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    training.train(given(procedure, output_dir=str(whole), **options))
    shutil.copytree(whole, stopped)
    (stopped / "metrics.json").unlink()
    for path in (stopped / "checkpoints").glob("step_00000003.*"):
        path.unlink()
    training.train(given(procedure, output_dir=str(stopped), **options))
    assert Classifier.load(whole).digest() == Classifier.load(stopped).digest()
    assert run_folder.read_metrics(whole) == run_folder.read_metrics(stopped)
    rows = []
    for folder in (whole, stopped):
        with open(folder / "log.csv", newline="") as stream:
            rows.append([dict(row, seconds="") for row in csv.DictReader(stream)])
    assert rows[0] == rows[1]
    assert "val_accuracy" in rows[0][0]
    assert "val_kl" not in rows[0][0]
    # Nothing but the classifier is saved as one.
    network = Classifier.load(whole).network
    tiny = _tiny((12, 12, 1), "0123", seed=0).network
    assert network.count_params() == tiny.count_params()


@pytest.mark.parametrize(
    ("procedure", "changes", "message"),
    [
        ("nat", {"kl_weight": 1.0}, "--kl_weight=1.0 belongs to --procedure=trades"),
        ("pgd", {"mi": "nce"}, "--mi=nce belongs to --procedure=scarl"),
        ("fgsm", {"adversarial_steps": 3}, "belongs to --procedure=pgd"),
        ("pgd", {"model": "table1"}, "belongs to a classifier"),
        (
            "pgd",
            {"adversarial_epsilon": 8.0},
            "--adversarial_epsilon=8 is above 1, .*--adversarial_epsilon=0.0313725",
        ),
        (
            "fgsm",
            {"adversarial_step_size": 10.0},
            "--adversarial_step_size=10 is above 1",
        ),
        ("scarl", {"words_file": None}, "needs --words_file"),
        ("scarl", {"ramp_up_steps": None}, "needs --ramp_up_steps"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given, procedure, changes, message):
    with pytest.raises(ValueError, match=message):
        given(procedure, **changes)
