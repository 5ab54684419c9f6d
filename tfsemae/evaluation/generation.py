"""What an autoencoder generates, and how much of its latent it uses."""

import math
import pathlib

import numpy as np
import tensorflow as tf

from tfsemae import data, metrics, objectives
from tfsemae.evaluation import perceptual
from tfsemae.models import distributions
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures

_ACTIVE = 0.01  # variance of a mean, above which an entry of the latent is used
_SAMPLES = 500  # of the prior
_COLUMNS, _ROWS = 10, 5  # of pictures
_CODES = 2_000  # of the total correlation, each compared with all posteriors
_BLOCK_NUMBERS = 2**24  # of one comparison, 64 MiB


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


def posterior_measures(
    means: np.ndarray, log_variances: np.ndarray, *, seed: int
) -> dict[str, float]:
    """Measures the posteriors of images: their noise, and how codes depend.

    Two numbers are of the mixture of the first N posteriors,
    `q(z) = sum_j{ q(z|x_j) } / N`, estimated by minibatch weighted sampling with all of
    them as the batch: one code is drawn from each posterior, and compared with all N.
    The mutual information is at most log(N). Where that of the whole population is
    more, what is missing in it is added to the total correlation, which then says
    little; that of a Gaussian of the same covariance has no such bound.

    Args:
        means: float32 `[M, Z]`; N is M, at most 2,000.
        log_variances: float32 `[M, Z]`, natural logarithms.
        seed: of the codes.

    Returns:
        `posterior_deviation`, mean standard deviation of an entry given an image;
        `posterior_share` in [0, 1], the share of the total variance of the codes that
        is this noise, 0 of a deterministic encoder; in nats `mutual_information` of
        image and code, `total_correlation`, `KL(q(z) || prod_k q(z_k))`, an estimate
        that may be below 0, and `gaussian_total_correlation`, `-log(det R) / 2` with
        the matrix R of the correlations of all codes.

    Source: Chen et al. 2018, "Isolating sources of disentanglement in variational
    autoencoders", section 3 and appendix C.1.
    """
    variances = np.exp(log_variances.astype(np.float64))
    covariance = np.cov(means.astype(np.float64), rowvar=False, ddof=0)
    covariance = np.atleast_2d(covariance) + np.diag(variances.mean(axis=0))
    scales = np.sqrt(np.diag(covariance))
    _, log_determinant = np.linalg.slogdet(covariance / np.outer(scales, scales))
    parts = _mixture(means[:_CODES], log_variances[:_CODES], seed)
    return {
        "posterior_deviation": float(np.mean(np.sqrt(variances))),
        "posterior_share": float(variances.mean(axis=0).sum() / np.trace(covariance)),
        "mutual_information": float(parts.mutual_information),
        "total_correlation": float(parts.total_correlation),
        "gaussian_total_correlation": float(-log_determinant / 2),
    }


def _mixture(
    means: np.ndarray, log_variances: np.ndarray, seed: int
) -> objectives.KLDecomposition:
    normal = tf.random.stateless_normal(means.shape, (seed, 1), alg="philox")
    return objectives.kl_decomposition(
        means + np.exp(log_variances / 2) * normal,
        means,
        log_variances,
        dataset_size=1,
        block_size=max(1, _BLOCK_NUMBERS // means.size),
    )


def _draw(
    autoencoder: Autoencoder,
    images: data.Images,
    samples: np.ndarray,
    folder: pathlib.Path,
) -> None:
    # A linear end of the decoder leaves [0, 1].
    rows = np.split(np.clip(samples[: _ROWS * _COLUMNS], 0, 1), _ROWS)
    figures.image_grid([("", row) for row in rows], folder / "samples.png")
    shown = data.pixels(images, min(2 * _ROWS, len(images) // 2 * 2))
    ends = autoencoder.encoder(shown, training=False).numpy()
    shares = np.linspace(0, 1, _COLUMNS, dtype=np.float32)[:, np.newaxis]
    lines = [
        first + shares * (last - first)
        for first, last in zip(ends[::2], ends[1::2], strict=True)
    ]
    figures.image_grid(
        [
            ("", np.clip(autoencoder.decoder(line, training=False), 0, 1))
            for line in lines
        ],
        folder / "interpolations.png",
    )
