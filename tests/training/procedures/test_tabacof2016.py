"""The trainings of Tabacof 2016 as their flagfiles ask for them, in closed form."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

from tfsemae import data, settings, training
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure
from tfsemae.training.procedures.latent_adversarial import LatentAdversarialProcedure


@pytest.fixture(scope="module")
def first_batch():
    """Losses of the first batch of a flagfile, its inputs, and the networks."""

    def measure(name, shape):
        flagfile = f"--flagfile=flags/tabacof2016_{name}.flags"
        chosen = settings.parse(training.Settings, [flagfile, "--output_dir=unused"])
        pixels = np.random.default_rng(0).random((100, *shape), np.float32)
        images = data.binarize(data.Images(pixels, None, ()))
        if "mnist" not in name:
            images = data.Images(pixels, None, ())
        procedure = AutoencoderProcedure.build(chosen, images)
        batches = procedure.batches(images, batch_size=100, seed=0, start_step=0)
        inputs, targets = next(iter(batches))
        found = procedure.model.test_on_batch(inputs, targets, return_dict=True)
        return found, inputs, procedure

    return measure


def _posterior(inputs, networks):
    """Mean, log variance, latent: float64."""
    found = networks.posterior()(inputs["image"])
    mean, log_variance = (np.float64(found[k]) for k in ("mean", "log_variance"))
    noise = np.float64(inputs["noise"])
    return mean, log_variance, mean + np.exp(log_variance / 2) * noise


def _kl(mean, log_variance):
    terms = mean**2 + np.exp(log_variance) - log_variance - 1
    return 0.5 * terms.sum(axis=1).mean()


def _weights(procedure):
    return sum(np.prod(w.shape) for w in procedure.model.trainable_weights)


def test_the_loss_of_mnist_is_the_negative_elbo(first_batch):
    found, inputs, procedure = first_batch("mnist_vae", (28, 28, 1))
    assert _weights(procedure) == 1_360_696
    mean, log_variance, latent = _posterior(inputs, procedure.networks)
    p = np.float64(procedure.networks.decoder(np.float32(latent)))
    x = np.float64(inputs["image"])
    terms = scipy.special.xlogy(x, p) + scipy.special.xlog1py(1 - x, -p)
    expected = -terms.sum(axis=(1, 2, 3)).mean()
    assert found["reconstruction_loss"] == pytest.approx(expected, rel=1e-5)
    kl = _kl(mean, log_variance)
    assert found["regularizer_loss"] == pytest.approx(kl, rel=1e-4)
    assert found["loss"] == pytest.approx(expected + kl, rel=1e-5)


def test_the_loss_of_the_deterministic_twin_is_a_mean(first_batch):
    found, images, procedure = first_batch("mnist_ae", (28, 28, 1))
    assert _weights(procedure) == 1_350_436
    decoded = procedure.networks.decoder(procedure.networks.encoder(images))
    expected = np.mean(np.square(np.float64(decoded) - images))
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_svhn_is_the_negative_elbo_with_learned_variances(first_batch):
    found, inputs, procedure = first_batch("svhn_vae", (32, 32, 3))
    assert _weights(procedure) == 944_270
    mean, log_variance, latent = _posterior(inputs, procedure.networks)
    likelihood = procedure.networks.likelihood()(np.float32(latent))
    decoded, pixel_log_variance = (
        np.float64(likelihood[key]) for key in ("mean", "log_variance")
    )
    terms = scipy.stats.norm.logpdf(
        np.float64(inputs["image"]), decoded, np.exp(pixel_log_variance / 2)
    )
    expected = -terms.sum(axis=(1, 2, 3)).mean()
    # float32 sums of 3,072 terms of either sign.
    assert found["reconstruction_loss"] == pytest.approx(expected, rel=1e-4)
    kl = _kl(mean, log_variance)
    assert found["regularizer_loss"] == pytest.approx(kl, rel=1e-4)
    assert found["loss"] == pytest.approx(expected + kl, rel=1e-4)


def test_the_loss_of_its_twin_is_of_standardised_pixels(first_batch):
    found, images, procedure = first_batch("svhn_ae", (32, 32, 3))
    assert _weights(procedure) == 891_431
    networks = procedure.networks
    decoded = np.float64(networks.decoder(networks.encoder(images)))
    # In units of the source: 0 to 255, standardised by its two numbers.
    m, s = 115.11177966923525, 50.819267906232888
    ours, theirs = ((255 * np.float64(each) - m) / s for each in (decoded, images))
    assert found["loss"] == pytest.approx(np.mean((ours - theirs) ** 2), rel=1e-5)


_SMALL = {
    "output_dir": "unused",
    "model": "conv_elu",
    "latent": 3,
    "variational": True,
    "loss": "normal_nll",
    "batch_size": 4,
}


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)
    return data.Images(pixels, None, ())


def _built(images, kind=AutoencoderProcedure, **changes):
    chosen = settings.make(training.Settings, _SMALL | changes)
    return kind.build(chosen, images)


def _heads(networks):
    """Weights of both parts of the decoder, whose trunks are apart once loaded."""
    parts = (networks.decoder, networks.pixel_log_variance)
    return [weights for part in parts for weights in part.get_weights()]


def test_both_heads_of_the_decoder_are_trained_saved_and_shared(images, tmp_path):
    procedure = _built(images)
    initial = _heads(procedure.networks)
    batches = procedure.batches(images, batch_size=4, seed=0, start_step=0)
    inputs, targets = next(iter(batches))
    procedure.model.train_on_batch(inputs, targets)
    trained = _heads(procedure.networks)
    assert all(not np.array_equal(a, b) for a, b in zip(trained, initial, strict=True))
    procedure.networks.save(tmp_path)
    # A shared decoder is frozen with both of its heads.
    shared = _built(images, decoder_from=str(tmp_path), seed=1)
    shared.model.train_on_batch(inputs, targets)
    found = _heads(shared.networks)
    assert all(np.array_equal(a, b) for a, b in zip(found, trained, strict=True))


def test_a_decoder_without_variances_is_refused(images, tmp_path):
    plain = _built(images, variational=False, loss="mean_squared_error")
    plain.networks.save(tmp_path)
    with pytest.raises(ValueError, match="decoder without variances of pixels, and"):
        _built(images, decoder_from=str(tmp_path))


def test_latent_adversarial_updates_reach_both_heads(images):
    procedure = _built(images, LatentAdversarialProcedure, latent_adversarial_steps=1)
    before = _heads(procedure.networks)
    latent = np.ones((4, 3), np.float32)
    procedure.model._update_decoder(latent, images.images[:4])
    after = _heads(procedure.networks)
    assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
