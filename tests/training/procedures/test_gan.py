"""GANs: what a step changes, by what, and that it can be continued."""

import csv
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data, models, objectives, settings, training
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.gan import Gan
from tfsemae.training.procedures.gan import GanProcedure

_SHAPE, _ROWS, _RATE = (4, 4, 1), 6, 0.5


def _given(**changes):
    defaults = {
        "output_dir": "unused",
        "model": "dense",
        "hidden": ["5"],
        "latent": 3,
        "gan_loss": "minimax",
        "batch_size": _ROWS,
        "steps": 4,
        "checkpoint_every": 2,
        "decay_rate": 1.0,
    }
    return settings.make(training.Settings, defaults | changes)


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).random((20, *_SHAPE), np.float32)
    return data.Images(pixels, None, ())


@pytest.fixture
def batch(images):
    noise = np.random.default_rng(1).normal(size=(_ROWS, 3)).astype(np.float32)
    return images.images[:_ROWS], noise


def _procedure(images, **changes):
    return GanProcedure.build(_given(**changes), images)


def _weights(procedure):
    networks = procedure.networks
    parts = networks.generator, networks.discriminator
    return tuple([np.array(w) for w in part.get_weights()] for part in parts)


def _equal(a, b):
    return all(map(np.array_equal, a, b))


def test_each_update_leaves_the_other_network_as_it_is(images, batch):
    procedure = _procedure(images)
    pixels, noise = batch
    generator, discriminator = _weights(procedure)
    procedure.model._update_discriminator(pixels, noise)
    after = _weights(procedure)
    assert _equal(after[0], generator)
    assert not _equal(after[1], discriminator)
    procedure.model._update_generator(noise)
    assert not _equal(_weights(procedure)[0], generator)
    assert _equal(_weights(procedure)[1], after[1])


def _h(networks, pixels, noise):
    """H of the lecture, mean over real and generated images each.

    The discriminator sees them apart, since batch normalisation would mix them.
    """
    real = networks.discriminator(pixels, training=True)
    fake = networks.discriminator(
        networks.generator(noise, training=True), training=True
    )
    return -tf.reduce_mean(tf.math.log(tf.sigmoid(real))) - tf.reduce_mean(
        tf.math.log(1 - tf.sigmoid(fake))
    )


@pytest.mark.parametrize("layers", [{}, {"model": "conv", "hidden": ["256", "64"]}])
def test_steps_are_those_of_the_slide(images, batch, layers):
    # theta <- theta - eta dH/dtheta; g <- g + eta dH/dg.
    plain = {"optimizer": "sgd", "sgd_momentum": 0.0, "sgd_nesterov": False}
    procedure = _procedure(images, learning_rate=_RATE, **plain, **layers)
    networks, (pixels, noise) = procedure.networks, batch
    for part, sign, update in (
        (
            networks.discriminator,
            -1,
            lambda: procedure.model._update_discriminator(pixels, noise),
        ),
        (networks.generator, 1, lambda: procedure.model._update_generator(noise)),
    ):
        with tf.GradientTape() as tape:
            h = _h(networks, pixels, noise)
        slopes = tape.gradient(h, part.trainable_weights)
        expected = [
            weight.numpy() + sign * _RATE * slope.numpy()
            for weight, slope in zip(part.trainable_weights, slopes, strict=True)
        ]
        update()
        found = [weight.numpy() for weight in part.trainable_weights]
        for after, by_hand in zip(found, expected, strict=True):
            np.testing.assert_allclose(after, by_hand, atol=1e-6)


def test_real_images_give_the_generator_no_gradient(images, batch):
    procedure = _procedure(images)
    weights = procedure.networks.generator.trainable_weights
    with tf.GradientTape(persistent=True) as tape:
        logits = procedure.model(dict(zip(("image", "noise"), batch, strict=True)))
        h = objectives.gan_discriminator_loss(logits["real"], logits["fake"])
        both = tf.reduce_sum(h)
        fake = tf.reduce_sum(tf.nn.softplus(logits["fake"]))  # -ln(1 - D)
    for of_both, of_fake in zip(
        tape.gradient(both, weights), tape.gradient(fake, weights), strict=True
    ):
        assert np.any(of_fake)
        np.testing.assert_allclose(of_both, of_fake, atol=1e-7)


def _fit(procedure, images, steps):
    batches = procedure.batches(images, batch_size=_ROWS, seed=0, start_step=0)
    procedure.model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)


def test_a_conditional_one_learns_from_few_images_and_their_labels(images):
    labelled = data.Images(images.images, np.arange(20) % 2, ("a", "b"))
    procedure = _procedure(labelled, gan_labelled_per_class=3)
    networks = procedure.networks
    assert (networks.latent, networks.classes) == (3, 2)
    batches = procedure.batches(labelled, batch_size=_ROWS, seed=0, start_step=0)
    inputs, labels = next(iter(batches))
    np.testing.assert_array_equal(np.bincount(labels), [3, 3])  # one pass
    for image, label in zip(inputs["image"].numpy(), labels.numpy(), strict=True):
        place = np.argmin(np.abs(labelled.images - image).sum(axis=(1, 2, 3)))
        assert labelled.labels[place] == label
    with pytest.raises(ValueError, match="has no labels, which --gan_labelled_per"):
        _procedure(images, gan_labelled_per_class=3)


def test_the_logit_of_another_class_is_not_trained(images, batch):
    labelled = data.Images(images.images, np.arange(20) % 2, ("a", "b"))
    plain = {"optimizer": "sgd", "sgd_momentum": 0.0, "sgd_nesterov": False}
    procedure = _procedure(labelled, gan_labelled_per_class=3, **plain)
    networks, (pixels, noise) = procedure.networks, batch
    labels = tf.zeros(_ROWS, tf.int64)
    last = networks.discriminator.trainable_weights[-2:]
    before = [weight.numpy() for weight in last]
    procedure.model._update_discriminator(pixels, networks.given(noise, labels), labels)
    for weight, was in zip(last, before, strict=True):
        after = weight.numpy()
        np.testing.assert_array_equal(after[..., 1], was[..., 1])
        assert not np.array_equal(after[..., 0], was[..., 0])


def test_the_discriminator_trains_alone_first(images):
    procedure = _procedure(images, gan_discriminator_steps=2)
    generator, discriminator = _weights(procedure)
    _fit(procedure, images, 2)
    assert _equal(_weights(procedure)[0], generator)
    assert not _equal(_weights(procedure)[1], discriminator)
    _fit(procedure, images, 1)
    assert not _equal(_weights(procedure)[0], generator)
    assert procedure.model.steps_done() == 3


@pytest.mark.parametrize("alone", [0, 3])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
    tmp_path, write_images, alone
):
    given = {"dataset": str(write_images(labels=None, test_labels=None))}
    given["gan_discriminator_steps"] = alone
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    found = training.train(_given(output_dir=str(whole), **given))
    assert 0 < found["real_probability"] < 1
    shutil.copytree(whole, stopped)
    (stopped / "metrics.json").unlink()
    for path in (stopped / "checkpoints").glob("step_00000004.*"):
        path.unlink()
    training.train(_given(output_dir=str(stopped), **given))
    assert models.load(whole).digest() == models.load(stopped).digest()
    with open(whole / "log.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(float(row["discriminator_loss"]) > 0 for row in rows)
    exported = tf.saved_model.load(str(whole / "saved_model"))
    noise = tf.ones([2, 3])
    generated = Gan.load(whole).generator(noise)
    np.testing.assert_allclose(exported.generate(noise), generated, atol=1e-6)


def test_it_starts_from_the_decoder_of_an_autoencoder(images, tmp_path):
    earlier = models.build(
        "dense", _SHAPE, seed=7, latent=3, hidden=(5,), variational=True
    )
    earlier.save(tmp_path)
    procedure = _procedure(images, decoder_from=str(tmp_path))
    found = procedure.networks.generator.get_weights()
    assert _equal(found, Autoencoder.load(tmp_path).decoder.get_weights())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gan_loss": None, "gan_discriminator_steps": 2}, "belongs to --gan_loss"),
        (
            {"semantic": True},
            "--semantic belongs to an autoencoder, without --gan_loss",
        ),
        ({"variational": True}, "without --variational"),
        ({"validation": 3}, "Leave --validation and --strategy=mirrored out"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        _given(**changes)
