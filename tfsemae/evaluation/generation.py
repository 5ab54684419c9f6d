"""What a variational autoencoder generates, and how much of its latent it uses."""

import pathlib

import numpy as np
import tensorflow as tf

from tfsemae import data, metrics
from tfsemae.models import distributions
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures

_ACTIVE = 0.01  # variance of a mean, above which an entry of the latent is used
_SAMPLES = 500  # of the prior
_COLUMNS, _ROWS = 10, 5  # of pictures
_BATCH = 500


def measure(
    autoencoder: Autoencoder, images: data.Images, *, folder: pathlib.Path, seed: int
) -> dict[str, float | int]:
    """Measures posterior and prior, and draws samples and interpolations.

    Writes `samples.png` (50 images of latents that are drawn from the prior) and
    `interpolations.png` (between 5 pairs of images, 10 steps on a line between their
    latents, whose ends are reconstructions).

    Args:
        autoencoder: with `log_variance`.
        images: whose posteriors are measured, at least 2.
        folder: of the pictures.
        seed: of the samples.

    Returns:
        `kl`, mean KL divergence of the posterior from the prior (nats);
        `active_dimensions`, of how many entries of the latent the mean has a variance
        above 0.01 over the images; `sample_diversity`, mean L2 distance of pairs of
        500 samples, and `image_diversity`, that of as many images.

    Source: active dimensions of Burda et al. 2016, "Importance weighted autoencoders",
    section 5.2.
    """
    note("Sampling the prior.")
    posterior = autoencoder.posterior()
    prior = distributions.prior(autoencoder.encoder.output_shape[-1])
    means, divergences = [], []
    for batch in data.batches(images, _BATCH, shuffle=False):
        found = posterior(tf.nest.flatten(batch)[0], training=False)
        means.append(found["mean"])
        divergences.append(distributions.posterior(**found).kl_divergence(prior))
    variances = np.var(np.concatenate(means), axis=0)
    samples = autoencoder.decoder(
        prior.sample(_SAMPLES, seed=(seed, 0)), training=False
    )
    _draw(autoencoder, images, samples.numpy(), folder)
    return {
        "kl": float(np.mean(np.concatenate(divergences))),
        "active_dimensions": int(np.sum(variances > _ACTIVE)),
        "sample_diversity": metrics.mean_pairwise_distance(samples),
        "image_diversity": metrics.mean_pairwise_distance(
            data.pixels(images, _SAMPLES)
        ),
    }


def _draw(
    autoencoder: Autoencoder,
    images: data.Images,
    samples: np.ndarray,
    folder: pathlib.Path,
) -> None:
    rows = np.split(samples[: _ROWS * _COLUMNS], _ROWS)
    figures.image_grid([("", row) for row in rows], folder / "samples.png")
    shown = data.pixels(images, min(2 * _ROWS, len(images) // 2 * 2))
    ends = autoencoder.encoder(shown, training=False).numpy()
    shares = np.linspace(0, 1, _COLUMNS, dtype=np.float32)[:, np.newaxis]
    lines = [
        first + shares * (last - first)
        for first, last in zip(ends[::2], ends[1::2], strict=True)
    ]
    figures.image_grid(
        [("", autoencoder.decoder(line, training=False)) for line in lines],
        folder / "interpolations.png",
    )
