"""What is measured of a generative adversarial network, and what it generates."""

import numpy as np
import tensorflow as tf

from tfsemae import data, files, metrics, objectives
from tfsemae.evaluation.checks import check_shape
from tfsemae.models import distributions
from tfsemae.models.gan import Gan
from tfsemae.progress import note
from tfsemae.reports import figures
from tfsemae.run_folder import Metrics

_SAMPLES = 500
_COLUMNS, _ROWS = 10, 5  # of the picture
_DRAWN_CHANNELS = (1, 3)


def check(gan: Gan, images: data.Images) -> None:
    """Refuses what `evaluate` could not measure.

    Args:
        gan: need not be trained.
        images: to be measured.

    Raises:
        ValueError: if the images do not fit the discriminator.
    """
    check_shape(gan.image_shape, images)


def latents(gan: Gan, count: int, seed: int) -> tf.Tensor:
    """What a generator takes for samples: standard normal latents, float32.

    Returns:
        `[count, Z]`, or `[count, Z + K]` of a conditional network, with the classes in
        turn.
    """
    z = distributions.sample_prior(count, gan.latent, seed=(seed, 0))
    return gan.given(z, _labels(gan, count))


def _labels(gan: Gan, count: int) -> np.ndarray:
    return np.arange(count) % max(gan.classes, 1)


def evaluate(
    gan: Gan, images: data.Images, *, output_dir: files.PathLike, seed: int
) -> Metrics:
    """Measures what the discriminator says, and how diverse the samples are.

    Writes `samples.png`, 50 generated images of 1 or 3 channels.

    Args:
        gan: to measure.
        images: of which the first 500 are compared with as many samples.
        output_dir: of the picture.
        seed: of the samples.

    Returns:
        `examples`; `real_probability` and `fake_probability`, mean of D on images and
        on samples; `discriminator_loss`, mean of H on both together (nats), 2 ln 2 of
        one that does not tell them apart, which says nothing of the samples;
        `sample_diversity` and `image_diversity`, mean L2 distances of pairs.
    """
    note("Generating samples.")
    shown = data.pixels(images, _SAMPLES)
    samples = gan.generator(latents(gan, len(shown), seed), training=False).numpy()
    known = None if images.labels is None else images.labels[: len(shown)]
    real, fake = (
        gan.of_label(gan.discriminator(each, training=False), labels)
        for each, labels in ((shown, known), (samples, _labels(gan, len(shown))))
    )
    if gan.image_shape[-1] in _DRAWN_CHANNELS:
        count = min(_ROWS, len(samples) // _COLUMNS)
        rows = np.split(samples[: count * _COLUMNS], max(count, 1))
        path = files.path(output_dir) / "samples.png"
        figures.image_grid([("", row) for row in rows], path)
    losses = objectives.gan_discriminator_loss(real, fake)
    return {
        "examples": len(shown),
        "real_probability": float(np.mean(tf.sigmoid(real))),
        "fake_probability": float(np.mean(tf.sigmoid(fake))),
        "discriminator_loss": float(np.mean(losses)),
        "sample_diversity": metrics.mean_pairwise_distance(samples),
        "image_diversity": metrics.mean_pairwise_distance(shown),
    }
