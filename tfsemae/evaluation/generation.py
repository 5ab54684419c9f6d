"""What an autoencoder generates, and how much of its latent it uses."""

import math
import pathlib

import numpy as np

from tfsemae import data, metrics
from tfsemae.evaluation import perceptual
from tfsemae.models import distributions
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures

_ACTIVE = 0.01  # variance of a mean, above which an entry of the latent is used
_SAMPLES = 500  # of the prior
_COLUMNS, _ROWS = 10, 5  # of pictures


def measure(
    autoencoder: Autoencoder,
    images: data.Images,
    latents: np.ndarray,
    *,
    folder: pathlib.Path,
    seed: int,
    lpips: perceptual.Distances | None = None,
) -> dict[str, float | int]:
    """Measures the latents, decodes samples of the prior, and draws both.

    Writes `samples.png` (50 images of latents that are drawn from the prior) and
    `interpolations.png` (between 5 pairs of images, 10 steps on a line between their
    latents, whose ends are reconstructions).

    Args:
        autoencoder: whose latents were trained to be standard normal.
        images: at least 2.
        latents: `[N, ...]`, those of the images; means of a variational autoencoder.
        folder: of the pictures.
        seed: of the samples.
        lpips: of `perceptual.distances`.

    Returns:
        `active_dimensions`, of how many entries the latents have a variance above 0.01;
        `sample_diversity`, mean L2 distance of pairs of 500 samples, and
        `image_diversity`, that of as many images; with `lpips` for both the same
        with the ending `_lpips`, see `perceptual.diversity`.

    Source: active dimensions of Burda et al. 2016, "Importance weighted autoencoders",
    section 5.2.
    """
    note("Sampling the prior.")
    shape = autoencoder.encoder.output_shape[1:]
    prior = distributions.prior(math.prod(shape))
    codes = prior.sample(_SAMPLES, seed=(seed, 0)).numpy().reshape(_SAMPLES, *shape)
    samples = autoencoder.decoder(codes, training=False).numpy()
    _draw(autoencoder, images, samples, folder)
    found: dict[str, float | int] = {
        "active_dimensions": int(np.sum(np.var(latents, axis=0) > _ACTIVE))
    }
    shown = data.pixels(images, _SAMPLES)
    for name, pictures in {"sample": samples, "image": shown}.items():
        distance = metrics.mean_pairwise_distance(pictures)
        found[f"{name}_diversity"] = distance
        if lpips:
            of_pairs = perceptual.diversity(lpips, pictures)
            found[f"{name}_diversity_lpips"] = of_pairs
    return found


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
