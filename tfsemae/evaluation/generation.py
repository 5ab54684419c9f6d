"""What a variational autoencoder generates, and how much of its latent it uses."""

import pathlib

import numpy as np
import tensorflow as tf

from tfsemae import data, metrics, objectives
from tfsemae.models import distributions
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures

_ACTIVE = 0.01  # variance of a mean, above which an entry of the latent is used
_SAMPLES = 500  # of the prior
_COLUMNS, _ROWS = 10, 5  # of pictures
_BATCH = 500
_CODES = 2_000  # of the total correlation, each compared with all posteriors
_BLOCK_NUMBERS = 2**24  # of one comparison, 64 MiB


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
        500 samples, and `image_diversity`, that of as many images;
        `total_correlation` (nats), see `total_correlation`.

    Source: active dimensions of Burda et al. 2016, "Importance weighted autoencoders",
    section 5.2.
    """
    note("Sampling the prior.")
    posterior = autoencoder.posterior()
    prior = distributions.prior(autoencoder.encoder.output_shape[-1])
    means, log_variances, divergences = [], [], []
    for batch in data.batches(images, _BATCH, shuffle=False):
        found = posterior(tf.nest.flatten(batch)[0], training=False)
        means.append(found["mean"])
        log_variances.append(found["log_variance"])
        divergences.append(distributions.posterior(**found).kl_divergence(prior))
    mean, log_variance = (np.concatenate(each) for each in (means, log_variances))
    samples = autoencoder.decoder(
        prior.sample(_SAMPLES, seed=(seed, 0)), training=False
    )
    _draw(autoencoder, images, samples.numpy(), folder)
    return {
        "kl": float(np.mean(np.concatenate(divergences))),
        "active_dimensions": int(np.sum(np.var(mean, axis=0) > _ACTIVE)),
        "sample_diversity": metrics.mean_pairwise_distance(samples),
        "image_diversity": metrics.mean_pairwise_distance(
            data.pixels(images, _SAMPLES)
        ),
        "total_correlation": total_correlation(
            mean[:_CODES], log_variance[:_CODES], seed=seed
        ),
    }


def total_correlation(
    means: np.ndarray, log_variances: np.ndarray, *, seed: int
) -> float:
    """Estimates how far the entries of the latent depend on each other.

    It is the total correlation of the mixture of the N posteriors, `KL(q(z) || prod_k
    q(z_k))` with `q(z) = sum_j{ q(z|x_j) } / N`, estimated by minibatch weighted
    sampling with all of them as the batch: one code is drawn from each posterior, and
    compared with all N. Its own posterior is among them, so that the mutual information
    is at most log(N). Where that of the whole population is more, as in a large latent,
    its total correlation is less than the estimate.

    Args:
        means: float32 `[N, Z]`.
        log_variances: float32 `[N, Z]`, natural logarithms.
        seed: of the codes.

    Returns:
        Nats; an estimate, which may be below 0.

    Source: Chen et al. 2018, "Isolating sources of disentanglement in variational
    autoencoders", section 3 and appendix C.1.
    """
    normal = tf.random.stateless_normal(means.shape, (seed, 1), alg="philox")
    parts = objectives.kl_decomposition(
        means + np.exp(log_variances / 2) * normal,
        means,
        log_variances,
        dataset_size=1,
        block_size=max(1, _BLOCK_NUMBERS // means.size),
    )
    return float(parts.total_correlation)


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
