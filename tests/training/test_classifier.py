"""Training of classifiers of images."""

import math
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data, settings, training
from tfsemae.models.classifier import Classifier
from tfsemae.training.procedures.classifier import ClassifierProcedure


@pytest.fixture(scope="module")
def make(images_file):
    """Makes settings of a short run."""
    defaults = {
        "dataset": str(images_file),
        "model": "conv_classifier",
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "decay_rate": 1.0,
        "steps": 5,
        "batch_size": 4,
        "checkpoint_every": 2,
        "validation": 5,
    }

    def make_settings(output_dir, **changes):
        values = defaults | {"output_dir": str(output_dir)} | changes
        return settings.make(training.Settings, values)

    return make_settings


def _procedure(chosen, images_file):
    return ClassifierProcedure.build(chosen, data.load(images_file, "train"))


def test_folder_holds_everything_of_the_run(run, log_rows):
    assert sorted(path.name for path in run.iterdir()) == [
        ".lock",
        "checkpoints",
        "classifier.json",
        "classifier.keras",
        "flags.txt",
        "inputs.json",
        "log.csv",
        "measurements.npz",
        "metrics.json",
        "saved_model",
        "seconds.json",
        "tensorboard",
    ]
    lines = (run / "flags.txt").read_text("utf-8")
    assert not re.search("semantic|regularizer|loss|latent|adam", lines)
    assert "--sgd_nesterov" in lines.splitlines()
    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert list(log_rows(run)[0]) == ["step", "seconds", "learning_rate", *names]


def test_exported_network_is_the_saved_one(run, images_file):
    images = data.pixels(data.load(images_file, "test"), 7)
    exported = tf.saved_model.load(str(run / "saved_model"))
    found = Classifier.load(run).joint()(images)
    # A compiled graph may order sums differently.
    close = {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(exported.classify(images), found["logits"], **close)
    np.testing.assert_allclose(exported.features(images), found["features"], **close)


def test_a_stopped_run_ends_as_if_it_had_not_been(
    run, make, images_file, assert_continues
):
    def build():
        return _procedure(make("unused"), images_file).model

    assert_continues(run, make, Classifier, build)


def test_compiled_by_xla_it_does_the_same(run, tmp_path, make, log_rows):
    training.train(make(tmp_path, jit_compile=True))
    for a, b in zip(log_rows(tmp_path), log_rows(run), strict=True):
        # XLA fuses operations, which rounds float32 otherwise; other masks would
        # change the loss by some per cent.
        assert float(a["loss"]) == pytest.approx(float(b["loss"]), rel=1e-4)


def test_masks_are_a_function_of_seed_and_step(make, images_file):
    procedure = _procedure(make("unused"), images_file)
    images = data.load(images_file, "train")

    def masks(**changes):
        options = {"batch_size": 4, "seed": 0, "start_step": 0} | changes
        inputs, _ = next(iter(procedure.batches(images, **options)))
        return {name: value.numpy() for name, value in inputs.items()}

    first, again = masks(), masks()
    assert set(first) == {"image", "dropout1", "dropout2", "dropout3"}
    for name in ("dropout1", "dropout2", "dropout3"):
        np.testing.assert_array_equal(first[name], again[name])
        assert np.any(first[name] != masks(start_step=1)[name])
        assert np.any(first[name] != masks(seed=1)[name])
        assert np.any(first[name][0] != first[name][1])  # image by image


def test_the_step_is_traced_once_for_all_intervals(make, images_file, monkeypatch):
    traced = []
    train_step = keras.Model.train_step
    monkeypatch.setattr(
        keras.Model,
        "train_step",
        lambda self, batch: (traced.append(True), train_step(self, batch))[1],
    )
    procedure = _procedure(make("unused"), images_file)
    images = data.load(images_file, "train")
    counts = []
    for start in (0, 2, 4):
        batches = procedure.batches(images, batch_size=4, seed=0, start_step=start)
        procedure.model.fit(batches, steps_per_epoch=2, shuffle=False, verbose=0)
        counts.append(len(traced))
    # TensorFlow itself looks twice at a function that it has not seen.
    assert counts[0] <= 2
    assert set(counts) == {counts[0]}


def test_optimizer_is_sgd_as_the_source_has_it(make, images_file):
    (optimizer,) = _procedure(make("unused"), images_file).optimizers
    assert type(optimizer) is keras.optimizers.SGD
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)


def test_labels_are_learned(tmp_path, make):
    found = training.train(
        make(tmp_path, steps=60, batch_size=32, checkpoint_every=60, validation=0)
    )
    # Stripes that tell the class; chance is ln 4 and 1/4.
    assert found["cross_entropy"] < 0.5 * math.log(4)
    assert found["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"semantic_weight": 0.5}, "--semantic_weight=0.5 belongs to an autoencoder"),
        ({"regularizer": "kl"}, "--regularizer=kl belongs to an autoencoder"),
        ({"latent": 3}, "--latent=3 belongs to --model=conv."),
        ({"adam_epsilon": 1e-8}, "belongs to --optimizer=adam"),
        (
            {"optimizer": None, "sgd_momentum": 0.5},
            "--sgd_momentum=0.5 belongs to --optimizer=sgd",
        ),
    ],
)
def test_settings_of_other_networks_are_refused(make, changes, message):
    with pytest.raises(ValueError, match=message):
        make("unused", **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": None, "test_labels": None}, "no labels, .*--model=conv_classifier"),
        ({"test_labels": None}, "measured by labels|has no labels"),
        ({"test_images": np.zeros((40, 16, 16, 1), np.uint8)}, r"shape \(12, 12, 1\)"),
    ],
)
def test_images_that_do_not_suit_are_refused_before_the_first_step(
    tmp_path, make, write_images, changes, message
):
    with pytest.raises(ValueError, match=message):
        training.train(make(tmp_path, dataset=str(write_images(**changes))))
    assert not (tmp_path / "checkpoints").exists()
