"""Algorithm 1 of Lu 2023: what a step changes, and by what."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data, metrics, models, objectives, settings, training
from tfsemae.attacks import gradients
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure
from tfsemae.training.procedures.latent_adversarial import LatentAdversarialProcedure

_SHAPE, _ROWS = (12, 12, 1), 8


def _given(**changes):
    defaults = {
        "output_dir": "unused",
        "model": "conv",
        "latent": 3,
        "variational": True,
        "regularizer": "kl",
        "batch_size": _ROWS,
        "loss": "summed_squared_error",
        "steps": 3,
        "checkpoint_every": 1,
        "decay_rate": 1.0,
    }
    return settings.make(training.Settings, defaults | changes)


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).random((40, *_SHAPE), np.float32)
    return data.Images(pixels, None, ())


def _procedure(images, kind=LatentAdversarialProcedure, **changes):
    if kind is LatentAdversarialProcedure:
        changes = {"latent_adversarial_steps": 1} | changes
    return kind.build(_given(**changes), images)


def _fit(procedure, images, steps):
    batches = procedure.batches(images, batch_size=_ROWS, seed=0, start_step=0)
    procedure.model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)


def test_first_step_changes_the_encoder_as_without_and_the_decoder_further(images):
    with_it, without = (
        _procedure(images, kind)
        for kind in (LatentAdversarialProcedure, AutoencoderProcedure)
    )
    for procedure in (with_it, without):
        _fit(procedure, images, 1)
    for part in ("encoder", "log_variance"):
        pairs = zip(
            getattr(with_it.networks, part).get_weights(),
            getattr(without.networks, part).get_weights(),
            strict=True,
        )
        assert all(np.array_equal(a, b) for a, b in pairs)
    pairs = zip(
        with_it.networks.decoder.trainable_weights,
        without.networks.decoder.trainable_weights,
        strict=True,
    )
    assert all(np.any(a != b) for a, b in pairs)


@pytest.mark.parametrize("updates", [1, 3])
def test_steps_are_counted_not_updates(images, updates):
    procedure = _procedure(images, latent_adversarial_steps=updates)
    _fit(procedure, images, 2)
    assert procedure.model.steps_done() == 2
    assert int(procedure.optimizers[0].iterations) == 2 * (1 + updates)


def test_latents_move_within_the_ball_and_do_more_harm_than_noise(images):
    latent = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    harm = {}
    for noise in (False, True):
        model = _procedure(
            images, latent_adversarial_noise=noise, latent_adversarial_epsilon=0.5
        ).model
        moved = model._moved(latent, 0).numpy()
        lengths = np.linalg.norm(moved - latent, axis=1)
        if noise:
            np.testing.assert_allclose(lengths, 0.5, rtol=1e-5)
        assert lengths.max() <= 0.5 * (1 + 1e-5)
        clean = model._decoded(latent)
        harm[noise] = np.mean(1 - metrics.ssim(clean, model._decoded(moved)))
    assert harm[False] > 1.2 * harm[True]


def _one_minus_ssim(clean, other):
    return 1 - objectives.ssim(clean, other)


def _mean_squared_error(clean, other):
    return tf.reduce_mean(tf.square(clean - other), axis=[1, 2, 3])


@pytest.mark.parametrize(
    ("given", "distance"),
    [
        ({}, _one_minus_ssim),
        ({"latent_adversarial_objective": "output_mse"}, _mean_squared_error),
    ],
)
def test_attack_raises_the_distance_at_inference(images, given, distance):
    model = _procedure(images, latent_adversarial_epsilon=0.5, **given).model
    # Statistics far from those of a batch tell inference from training.
    for layer in model._networks().decoder.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(layer.moving_mean + 0.3)
    latent = tf.constant(np.random.default_rng(1).normal(size=(6, 3)), tf.float32)
    decoder = model._networks().decoder
    clean = decoder(latent, training=False)
    with tf.GradientTape() as tape:
        moved = latent + 0.01
        tape.watch(moved)
        value = distance(clean, decoder(moved, training=False))
    expected = tape.gradient(value, moved)
    found, gradient = gradients.exact(model._attack._objective, moved, (clean,))
    np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def test_decoder_learns_from_moved_latents_with_the_statistics_of_the_batch(
    images, monkeypatch
):
    model = _procedure(images).model
    seen = {}
    moved = tf.constant(np.random.default_rng(2).normal(size=(_ROWS, 3)), tf.float32)
    monkeypatch.setattr(model, "_moved", lambda latent, number: moved)
    update = model._update_decoder

    def updated(latent, target):
        seen["latent"] = latent
        return update(latent, target)

    monkeypatch.setattr(model, "_update_decoder", updated)
    decoder = model._networks().decoder
    norms = [
        layer
        for layer in decoder.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    batches = _procedure(images).batches(images, batch_size=_ROWS, seed=0, start_step=0)
    before = [layer.moving_mean.numpy() for layer in norms]
    model.train_step(next(iter(batches)))
    np.testing.assert_array_equal(seen["latent"], moved)
    after = [layer.moving_mean.numpy() for layer in norms]
    assert all(np.any(a != b) for a, b in zip(before, after, strict=True))
    # A further update of the same latents changes them again: it is one of training.
    update(moved, images.images[:_ROWS])
    again = [layer.moving_mean.numpy() for layer in norms]
    assert all(np.any(a != b) for a, b in zip(after, again, strict=True))


def test_a_decoder_that_stays_as_it_is_cannot_learn():
    with pytest.raises(ValueError, match=r"--latent_adversarial_steps .*--train_decod"):
        _given(latent_adversarial_steps=1, decoder_from="runs/other")


def test_each_update_and_step_draws_numbers_of_its_own(images):
    model = _procedure(images, latent_adversarial_noise=True).model
    latent = np.zeros((4, 3), np.float32)
    first, again, second = (model._moved(latent, k).numpy() for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    model.step.assign_add(1)
    later = model._moved(latent, 0).numpy()
    assert not np.any(first == second)
    assert not np.any(first == later)


def test_a_decoder_learns_to_undo_what_it_is_attacked_with(images):
    # Of one image and one latent the loss falls to nothing, whatever it begins with.
    procedure = _procedure(images, learning_rate=0.01)
    latent = np.ones((_ROWS, 3), np.float32)
    target = np.repeat(images.images[:1], _ROWS, axis=0)
    losses = [float(procedure.model._update_decoder(latent, target)) for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(tmp_path, write_images):
    dataset = str(write_images(labels=None, test_labels=None))
    given = {"dataset": dataset, "latent_adversarial_steps": 1, "validation": 10}
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    training.train(_given(output_dir=str(whole), **given))
    shutil.copytree(whole, stopped)
    (stopped / "metrics.json").unlink()
    for path in (stopped / "checkpoints").glob("step_00000003.*"):
        path.unlink()
    training.train(_given(output_dir=str(stopped), **given))
    for part in ("encoder", "decoder", "log_variance"):
        ours, theirs = (
            getattr(Autoencoder.load(folder), part).get_weights()
            for folder in (whole, stopped)
        )
        assert all(map(np.array_equal, ours, theirs))
    header = (whole / "log.csv").read_text().splitlines()[0].split(",")
    assert "adversarial_loss" in header
    assert "val_adversarial_loss" not in header


def test_options_without_such_updates_are_refused():
    message = "--latent_adversarial_noise belongs to --latent_adversarial_steps"
    with pytest.raises(ValueError, match=message):
        _given(latent_adversarial_noise=True)


def test_networks_are_those_of_a_run_without(images):
    procedure = _procedure(images)
    expected = models.build("conv", _SHAPE, seed=0, latent=3, variational=True)
    pairs = zip(
        procedure.networks.decoder.get_weights(),
        expected.decoder.get_weights(),
        strict=True,
    )
    assert all(np.array_equal(a, b) for a, b in pairs)
