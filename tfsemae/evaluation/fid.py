"""FID of the reconstructions and the samples of an autoencoder."""

from collections.abc import Callable, Iterable

import numpy.typing as npt
import tensorflow as tf

from tfsemae import data, files, metrics
from tfsemae.evaluation import image_sets
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import Progress, note

_BATCH = 50  # images of 299 x 299 pixels
_LEAST, _ENOUGH = 2, 2049  # of a covariance, and of one of full rank

Features = Callable[[tf.Tensor], npt.ArrayLike]


def inception(weights: files.PathLike) -> metrics.InceptionFeatures:
    """The features of FID.

    Raises:
        ValueError: if the file of `--inception_weights` cannot be used.
    """
    try:
        return metrics.InceptionFeatures(weights)
    except ValueError as error:
        raise ValueError(f"--inception_weights={weights}: {error}") from error


def check(images: data.Images) -> None:
    """Raises ValueError if `measure` could not measure images."""
    if len(images) < _LEAST:
        raise ValueError(
            f"--inception_weights takes at least {_LEAST} images to measure. "
            f"Received: {len(images)}."
        )
    channels = images.images.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            "--inception_weights is for images of 3 channels, or 1. Leave it out. "
            f"Received: {channels} channels."
        )


def measure(
    autoencoder: Autoencoder,
    features: Features,
    images: data.Images,
    *,
    seed: int,
    prior: bool,
) -> dict[str, float]:
    """Compares reconstructions and samples of an autoencoder with images.

    Args:
        autoencoder: to measure; what it gives beyond [0, 1] is clipped.
        features: images float32 `[B, H, W, C]` in [0, 1] -> features `[B, D]`, such as
            `metrics.InceptionFeatures`.
        images: N of them, at least 2.
        seed: of the samples.
        prior: whether its latents were trained to be standard normal.

    Returns:
        `reconstruction_fid`, between the images and their reconstructions, and with a
        prior `sample_fid`, between the images and N samples of the prior. They are
        biased upwards, the more the fewer images there are; see `metrics.fid`.

    Source: Heusel et al. 2017.
    """
    sets = {"reconstruction": image_sets.reconstructed(autoencoder, images)}
    if prior:
        sets["sample"] = image_sets.sampled(autoencoder, len(images), seed=seed)
    if len(images) < _ENOUGH:
        note(f"FID of fewer than {_ENOUGH:,} images is far too large.")
    note(f"Computing features of FID, {1 + len(sets)} times of {len(images)} images.")
    of_images = _moments(features, image_sets.of_data(images), len(images))
    return {
        f"{name}_fid": _moments(features, each, len(images)).frechet_distance(of_images)
        for name, each in sets.items()
    }


def _moments(
    features: Features, batches: Iterable[tf.Tensor], count: int
) -> metrics.Moments:
    moments, done = metrics.Moments(), 0
    progress = Progress(count, unit="image")
    for batch in batches:
        for start in range(0, len(batch), _BATCH):
            pixels = tf.clip_by_value(batch[start : start + _BATCH], 0.0, 1.0)
            moments.update(features(pixels))
            done += len(pixels)
            progress.update(done)
    progress.close()
    return moments
