"""Runs of a variational autoencoder: exact continuation, and where it begins."""

import csv
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import metrics, training
from tfsemae.models.autoencoder import Autoencoder

_PARTS = ("encoder", "decoder", "log_variance")


@pytest.fixture(scope="module")
def variational(make_settings, write_images):
    """Makes the settings of a short run.

    Without labels no classes are measured, which takes most of the time.
    """
    images = write_images(labels=None, test_labels=None)

    def make(folder, **changes):
        defaults = {
            "dataset": str(images),
            "semantic": False,
            "initializer": "wide_normal",
            "model": "conv",
            "latent": 3,
            "variational": True,
            "regularizer": "mmd",
            "batch_size": 8,
        }
        return make_settings(folder, **defaults | changes)

    return make


@pytest.fixture(scope="module")
def run(tmp_path_factory, variational):
    """A finished run of 5 steps; tests only read it."""
    folder = tmp_path_factory.mktemp("variational") / "run"
    training.train(variational(folder, validation=10))
    return folder


def _weights(folder, parts=_PARTS):
    found = Autoencoder.load(folder)
    return [w for part in parts for w in getattr(found, part).get_weights()]


def _losses(folder):
    with open(folder / "log.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(run, variational, tmp_path):
    folder = tmp_path / "stopped"
    shutil.copytree(run, folder)
    (folder / "metrics.json").unlink()
    for path in (folder / "checkpoints").glob("step_00000005.*"):
        path.unlink()
    training.train(variational(folder, validation=10))
    for a, b in zip(_weights(folder), _weights(run), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
    assert _losses(folder) == _losses(run)


def test_each_term_is_in_the_log_of_training_and_held_out_images(run):
    terms = ("loss", "reconstruction_loss", "regularizer_loss")
    for row in _losses(run):
        assert {*terms, *(f"val_{term}" for term in terms)} <= set(row)


def test_compiled_by_xla_it_draws_the_same_numbers(run, variational, tmp_path):
    training.train(variational(tmp_path, validation=10, jit_compile=True))
    for ours, theirs in zip(_losses(tmp_path), _losses(run), strict=True):
        # XLA fuses operations, which rounds float32 otherwise.
        for term in ("reconstruction_loss", "regularizer_loss"):
            assert float(ours[term]) == pytest.approx(float(theirs[term]), rel=1e-3)


def test_exported_posterior_is_that_of_the_networks(run):
    exported = tf.saved_model.load(run / "saved_model")
    images = np.random.default_rng(0).random((4, 12, 12, 1), np.float32)
    expected = Autoencoder.load(run).posterior()(images)
    found = exported.posterior(images)
    for name in ("mean", "log_variance"):
        # Graph and eager operations may order float32 sums differently.
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found["mean"], exported.encode(images))


def test_both_heads_begin_with_those_of_a_run(run, variational, tmp_path):
    # A rate of 0 changes nothing but the statistics of a batch normalisation.
    still = {"steps": 1, "checkpoint_every": 1, "learning_rate": 0.0, "seed": 5}
    training.train(variational(tmp_path, encoder_from=str(run), **still))
    for part in ("encoder", "log_variance"):
        ours, theirs = (getattr(Autoencoder.load(f), part) for f in (tmp_path, run))
        pairs = zip(ours.trainable_weights, theirs.trainable_weights, strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_a_deterministic_encoder_has_no_variance_to_begin_with(variational, tmp_path):
    training.train(variational(tmp_path / "first", variational=False, steps=1))
    message = "has a deterministic encoder, and this one is variational"
    with pytest.raises(ValueError, match=message):
        training.train(
            variational(tmp_path / "second", encoder_from=str(tmp_path / "first"))
        )


_ONE_STEP = {"steps": 1, "checkpoint_every": 1}


def test_classes_are_measured_only_where_they_are_asked_for(
    write_images, variational, tmp_path
):
    images = str(write_images())
    found = training.train(
        variational(tmp_path, dataset=images, measure_classes=False, **_ONE_STEP)
    )
    assert {"psnr", "sample_diversity"} <= set(found)
    assert not {"knn_accuracy", "silhouette", "sample_diversity_lpips"} & set(found)
    assert not (tmp_path / "tsne.png").exists()


def test_samples_are_measured_by_lpips_where_its_weights_are(
    lpips_weights, write_images, variational, tmp_path
):
    path = write_images((20, 20, 1), labels=None, test_labels=None)
    given = {"dataset": str(path), "weights_dir": str(lpips_weights)}
    found = training.train(variational(tmp_path, **given, **_ONE_STEP))
    with np.load(path) as arrays:
        images = arrays["test_images"].astype(np.float32) / 255
    squeeze = metrics.LPIPSDistance(lpips_weights, "squeeze")
    expected = np.mean(squeeze(images, np.roll(images, -1, axis=0)))
    assert found["image_diversity_lpips"] == pytest.approx(expected, rel=1e-4)
    assert found["sample_diversity_lpips"] >= 0


def test_images_too_small_for_lpips_are_refused_before_the_first_step(
    variational, tmp_path
):
    with pytest.raises(ValueError, match="at least 17 x 17 pixels"):
        training.train(variational(tmp_path, weights_dir=str(tmp_path), **_ONE_STEP))
    assert not (tmp_path / "log.csv").exists()


def test_without_a_prior_weights_of_lpips_are_not_read(variational, tmp_path):
    plain = {"variational": False, "regularizer": None, "weights_dir": "nowhere"}
    found = training.train(variational(tmp_path, **plain, **_ONE_STEP))
    assert "sample_diversity" not in found


_DRAW = {
    "model": "draw",
    "latent": 10,
    "variational": False,
    "attention": True,
    "draw_steps": 2,
    "draw_units": 6,
    "draw_latent": 3,
    "draw_window": 4,
    "regularizer": "kl",
    "loss": "summed_binary_crossentropy",
    "steps": 4,
    "global_clipnorm": 3.0,
    "clipvalue": 1.0,
}


def test_draw_is_trained_continued_and_exported(variational, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    training.train(variational(whole, **_DRAW))
    shutil.copytree(whole, stopped)
    (stopped / "metrics.json").unlink()
    for path in (stopped / "checkpoints").glob("step_00000004.*"):
        path.unlink()
    training.train(variational(stopped, **_DRAW))
    parts = (*_PARTS, "sampled_posterior")
    pairs = zip(_weights(stopped, parts), _weights(whole, parts), strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(a, b, strict=True)
    assert _losses(stopped) == _losses(whole)
    exported = tf.saved_model.load(whole / "saved_model")
    images = np.zeros((2, 12, 12, 1), np.float32)
    assert exported.posterior(images)["mean"].shape == (2, 6)
    drawn = exported.sample(tf.constant(3), tf.constant([0, 1]))
    assert drawn.shape == (3, 12, 12, 1)
