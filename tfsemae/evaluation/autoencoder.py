"""What is measured of a trained autoencoder: reconstruction and latent."""

import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfsemae import data, files, metrics
from tfsemae.evaluation import (
    classifier_features,
    fid,
    generation,
    latent,
    perceptual,
)
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE, Shards
from tfsemae.evaluation.arrays import measure as measure_batches
from tfsemae.evaluation.checks import check, has_ssim
from tfsemae.evaluation.classifier_features import ClassifierFeatures
from tfsemae.models import distributions
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures
from tfsemae.run_folder import Metrics

_BATCH = 500
_GRID = 10


def evaluate(
    autoencoder: Autoencoder,
    images: data.Images,
    reference: data.Images,
    *,
    output_dir: files.PathLike,
    seed: int,
    features: ClassifierFeatures | None = None,
    inception: fid.Features | None = None,
    prior: bool = False,
    weights_dir: str | None = None,
    classes: bool = True,
) -> Metrics:
    """Measures reconstruction and latent, and draws both.

    Writes `reconstructions.png` (the first 10 images above their
    reconstructions), `measurements.npz` (`clean/psnr`, `clean/ssim` and, with a
    classifier, `clean/predicted`, of a variational autoencoder `clean/kl` of each
    image) and, where there are labels and the latents are not all equal, `tsne.png`
    (latents of the first 1,000 images). A second call after an interruption continues.

    Args:
        autoencoder: to measure.
        images: to measure it on.
        reference: images from whose latents the k-NN and the linear probe learn;
            of no effect where `images` have no labels.
        output_dir: of the files.
        seed: of t-SNE and k-means, and of samples.
        features: of a classifier, in which sets of images are compared as well.
        inception: features of FID, such as `metrics.InceptionFeatures`.
        prior: whether the latents were trained to be standard normal, so that samples
            of that distribution are decoded; those of a variational autoencoder always
            are.
        weights_dir: of LPIPS, see `metrics.LPIPSDistance`, to measure how diverse the
            samples are.
        classes: whether to measure how the latent separates the classes, if there are
            labels.

    Returns:
        `examples`; `psnr` (dB) and, of 11 x 11 pixels or more, `ssim` in [-1, 1],
        means over all images; of classes `knn_accuracy` (10 neighbours),
        `linear_probe_accuracy`, `kmeans_nmi`, `silhouette` and `scatter_ratio` of the
        latent, and
        `map_silhouette`, that of `tsne.png`; with a classifier `label_accuracy`.
        Accuracies are in [0, 1]; an infinite `scatter_ratio` is None, and so is
        `map_silhouette` where the map does not exist or shows one class only. With a
        prior also what `generation.measure` gives; of a variational autoencoder `kl`,
        mean KL divergence of the posterior from the prior (nats), and what
        `generation.posterior_measures` gives; with `features` what
        `classifier_features.measure` gives, and with `inception` what `fid.measure`
        gives.

    Raises:
        ValueError: see `check`, `ClassifierFeatures.check`, `fid.check` and
            `perceptual.distances`, or if there are weights and no prior.
    """
    check(autoencoder, images, reference, classes=classes)
    if features is not None:
        features.check(images)
    if inception is not None:
        fid.check(images)
    variational = autoencoder.log_variance is not None
    prior = prior or variational
    if weights_dir is not None and not prior:
        raise ValueError(
            "--weights_dir is for the diversity of samples of the prior, and this "
            "network was trained without one. Leave it out. "
            f"Received: --weights_dir={weights_dir}."
        )
    shape = autoencoder.image_shape
    lpips = perceptual.distances(weights_dir, shape, ("squeeze",))
    folder = files.path(output_dir)
    note("Reconstructing the images to be measured.")
    measured = _measure(autoencoder, images, folder / "arrays" / "images")
    found: Metrics = {
        "examples": len(images),
        "psnr": float(np.mean(measured.read("clean", "psnr"))),
    }
    if has_ssim(shape):
        found["ssim"] = float(np.mean(measured.read("clean", "ssim")))
    draw_reconstructions(autoencoder, images, folder / "reconstructions.png")
    if variational:
        found["kl"] = float(np.mean(measured.read("clean", "kl")))
        found |= generation.posterior_measures(
            measured.read("clean", "latent"),
            measured.read("clean", "log_variance"),
            seed=seed,
        )
    if prior:
        found |= generation.measure(
            autoencoder,
            images,
            measured.read("clean", "latent"),
            folder=folder,
            seed=seed,
            lpips=lpips,
        )
    if features is not None:
        found |= classifier_features.measure(
            autoencoder, features, images, seed=seed, prior=prior
        )
    if inception is not None:
        found |= fid.measure(autoencoder, inception, images, seed=seed, prior=prior)
    shards = [measured]
    if images.labels is not None and autoencoder.classifier is not None:
        correct = measured.read("clean", "predicted") == images.labels
        found["label_accuracy"] = float(np.mean(correct))
    if images.labels is not None and classes:
        assert reference.labels is not None  # checked

        def learn_from() -> tuple[np.ndarray, np.ndarray]:
            note("Encoding the images that the linear probe learns from.")
            learnt = _encode(autoencoder, reference, folder / "arrays" / "reference")
            shards.append(learnt)
            return learnt.read("clean", "latent"), reference.labels

        found |= latent.measure(
            measured.read("clean", "latent"),
            images.labels,
            learn_from,
            class_names=images.class_names,
            folder=folder,
            seed=seed,
        )
    measured.merge(folder / MEASUREMENTS_FILE, leave_out=["latent", "log_variance"])
    for each in shards:
        each.remove()
    (folder / "arrays").rmdir()
    return found


def draw_reconstructions(
    autoencoder: Autoencoder, images: data.Images, path: pathlib.Path
) -> None:
    """Draws the first images above their reconstructions.

    Source: Ming 2022, Fig. 3.
    """
    original = data.pixels(images, _GRID)
    decoded = autoencoder.joint()(original)["reconstruction"].numpy()
    # Of a linear last layer they may be beyond.
    rows = [("original", original), ("reconstruction", decoded.clip(0, 1))]
    figures.image_grid(rows, path)


def _measure(
    autoencoder: Autoencoder, images: data.Images, folder: pathlib.Path
) -> Shards:
    posterior = prior = None
    if autoencoder.log_variance is not None:
        posterior = autoencoder.posterior()
        prior = distributions.prior(autoencoder.encoder.output_shape[-1])

    def step(pixels: tf.Tensor) -> Mapping:
        values = {}
        if posterior is None:
            code = autoencoder.encoder(pixels, training=False)
        else:
            # Of a posterior that depends on the noise, that without any.
            found = posterior(pixels, training=False)
            code = found["mean"]
            values["log_variance"] = found["log_variance"]
            values["kl"] = distributions.posterior(**found).kl_divergence(prior)
        decoded = autoencoder.decoder(code, training=False)
        values |= {"psnr": metrics.psnr(pixels, decoded), "latent": code}
        if has_ssim(autoencoder.image_shape):
            values["ssim"] = metrics.ssim(pixels, decoded)
        if autoencoder.classifier is not None:
            logits = autoencoder.classifier(code, training=False)
            values["predicted"] = tf.argmax(logits, axis=-1)
        return {"clean": values}

    return _into_shards(step, autoencoder, images, folder)


def _encode(
    autoencoder: Autoencoder, images: data.Images, folder: pathlib.Path
) -> Shards:
    def step(pixels: tf.Tensor) -> Mapping:
        return {"clean": {"latent": autoencoder.encoder(pixels, training=False)}}

    return _into_shards(step, autoencoder, images, folder)


def _into_shards(step, autoencoder, images, folder) -> Shards:
    identity = [autoencoder.digest(), images.digest(), str(_BATCH)]
    shards = Shards(folder, identity)
    measure_batches(step, images, shards, batch_size=_BATCH)
    return shards
