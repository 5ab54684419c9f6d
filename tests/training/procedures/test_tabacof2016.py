"""The trainings of Tabacof 2016 as their flagfiles ask for them, in closed form."""

import numpy as np
import pytest
import scipy.special

from tfsemae import data, settings, training
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure


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
