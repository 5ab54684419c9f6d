"""The loss of DRAW as its flagfile asks for it, in closed form."""

import numpy as np
import pytest
import scipy.special

from tfsemae import data, settings, training
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure

_SMALL = ("--output_dir=unused", "--draw_steps=3", "--draw_units=8", "--draw_latent=2")


@pytest.mark.parametrize("name", ["draw", "draw_attention"])
def test_its_kl_is_the_sum_over_the_steps(name):
    flagfile = f"--flagfile=flags/tabacof2018_{name}.flags"
    chosen = settings.parse(training.Settings, [flagfile, *_SMALL])
    pixels = np.random.default_rng(0).random((16, 28, 28, 1), np.float32)
    images = data.Images(pixels, None, ())
    procedure = AutoencoderProcedure.build(chosen, images)
    batches = procedure.batches(images, batch_size=16, seed=0, start_step=0)
    inputs, targets = next(iter(batches))
    networks = procedure.networks
    found = networks.sampled_posterior(
        {"image": inputs["image"], "noise": inputs["noise"]}
    )
    mean, log_variance = (np.float64(found[k]) for k in ("mean", "log_variance"))
    kl = 0.0
    for step in range(3):
        m, v = (each[:, 2 * step : 2 * step + 2] for each in (mean, log_variance))
        kl += 0.5 * (m**2 + np.exp(v) - v - 1).sum(axis=1).mean()
    latent = mean + np.exp(log_variance / 2) * np.float64(inputs["noise"])
    p = np.float64(networks.decoder(np.float32(latent)))
    x = np.float64(inputs["image"])
    terms = scipy.special.xlogy(x, p) + scipy.special.xlog1py(1 - x, -p)
    losses = procedure.model.test_on_batch(inputs, targets, return_dict=True)
    assert losses["regularizer_loss"] == pytest.approx(kl, rel=1e-4)
    expected = -terms.sum(axis=(1, 2, 3)).mean()
    assert losses["reconstruction_loss"] == pytest.approx(expected, rel=1e-5)
