"""What is measured of a trained autoencoder."""

import math
import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfsemae import data, files, metrics, run_folder
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.reports import embeddings, figures

_BATCH = 500
_FIRST = 100  # Ming 2022 averages over the images of Fig. 3, a handful
_GRID = 10
_MAPPED = 1000  # t-SNE of 10,000 latents takes a minute and more
_LEAST_MAPPED = 31  # t-SNE wants more than its perplexity, 30
LEAST_VOTERS = 10  # of 10-NN
_LEAST_PIXELS = 11  # the window of SSIM


def evaluate_run(
    model_dir: files.PathLike,
    split: str,
    *,
    dataset: str | None,
    classes: Sequence[str] | None,
    output_dir: files.PathLike | None,
    seed: int,
    data_dir: str | None,
    manual_dir: str | None,
) -> dict:
    """Evaluates the model of a finished run.

    Args:
        model_dir: the `output_dir` of the run.
        split: to measure on. k-NN and linear probe learn from the training
            split, from the test split where the training split is measured.
        dataset: a name or a `.npz`; by default that of the run.
        classes: see `data.load`; by default those of the run, or all where
            `dataset` is named.
        output_dir: by default `<model_dir>/evaluation/<dataset>_<split>`.
        seed: of t-SNE.
        data_dir: see `data.load`.
        manual_dir: see `data.load`.

    Returns:
        See `evaluate`.

    Raises:
        ValueError: if there is no such model or no such data, or they do not
            fit each other.
    """
    autoencoder = Autoencoder.load(model_dir)
    dataset, classes = run_folder.data_set(model_dir, dataset, classes)
    source = {"data_dir": data_dir, "manual_dir": manual_dir, "classes": classes}
    images = data.load(dataset, split, **source)
    reference = images
    if images.labels is not None:
        other = "test" if split == "train" else "train"
        reference = data.load(dataset, other, **source)
    name = f"{pathlib.Path(dataset).stem}_{split}"
    output_dir = output_dir or pathlib.Path(model_dir) / "evaluation" / name
    return evaluate(
        autoencoder,
        images,
        reference,
        output_dir=run_folder.check(output_dir),
        seed=seed,
    )


def evaluate(
    autoencoder: Autoencoder,
    images: data.Images,
    reference: data.Images,
    *,
    output_dir: files.PathLike,
    seed: int,
) -> dict:
    """Measures reconstruction and latent, and draws both.

    Writes `metrics.json`, `reconstructions.png` (the first 10 images above
    their reconstructions) and, where there are labels and the latents are not all
    equal, `tsne.png` (latents of the first 1,000 images).

    Args:
        autoencoder: to measure.
        images: to measure it on.
        reference: images whose latents the k-NN and the linear probe learn from;
            of no effect where `images` have no labels.
        output_dir: of the three files.
        seed: of t-SNE.

    Returns:
        What `metrics.json` holds: `examples`; `psnr` (dB) and `ssim` in [-1, 1],
        means over all images, and over the first 100 as `psnr_first_100`,
        `ssim_first_100`; with labels `knn_accuracy` (10 neighbours),
        `linear_probe_accuracy`, `silhouette` and `scatter_ratio` of the latent;
        with a classifier `label_accuracy`. Accuracies are in [0, 1]; an infinite
        `scatter_ratio` is None.

    Raises:
        ValueError: see `check`.

    Source: Ming 2022, Table II and Figs. 3 and 4.
    """
    check(autoencoder, images, reference)
    folder = pathlib.Path(output_dir)
    psnr, ssim, latents, logits = _reconstruct(autoencoder, images)
    found = {
        "examples": len(images),
        "psnr": float(np.mean(psnr)),
        "ssim": float(np.mean(ssim)),
        "psnr_first_100": float(np.mean(psnr[:_FIRST])),
        "ssim_first_100": float(np.mean(ssim[:_FIRST])),
    }
    shown = tf.nest.flatten(next(iter(data.batches(images, _GRID, shuffle=False))))[0]
    decoded = autoencoder.joint()(shown)["reconstruction"]
    figures.image_grid(
        [("original", shown), ("reconstruction", decoded)],
        folder / "reconstructions.png",
    )
    if images.labels is not None:
        if autoencoder.classifier is not None:
            found["label_accuracy"] = float(np.mean(logits.argmax(-1) == images.labels))
        found |= _measure_latent(
            latents, images.labels, _encode(autoencoder, reference), reference.labels
        )
        _map_latent(latents[:_MAPPED], images, folder / "tsne.png", seed)
    files.write_json(folder / run_folder.METRICS_FILE, found)
    return found


def check(
    autoencoder: Autoencoder, images: data.Images, reference: data.Images
) -> None:
    """Refuses what `evaluate` could not measure, before any work is done.

    Args:
        autoencoder: need not be trained.
        images: to be measured.
        reference: that k-NN and linear probe would learn from.

    Raises:
        ValueError: if the images do not fit the autoencoder, can not be drawn,
            are too small for SSIM, or too few or of too few classes for the
            measures of the latent.
    """
    check_images(autoencoder, images)
    if images.labels is None:
        return
    known, found = autoencoder.class_names, images.class_names
    if known and len(known) != len(found):
        raise ValueError(
            f"The classifier knows {len(known)} classes, but the data set has "
            f"{len(found)}. Name a data set with as many."
        )
    if known and known != found and set(known) == set(found):
        raise ValueError(
            f"The classifier knows the classes in the order {','.join(known)}. Name "
            f"them so. Received: classes={','.join(found)}."
        )
    if reference.labels is None:
        raise ValueError(
            "The data set has labels in one split only. Give them in both, or in none."
        )
    for part, least in ((images, _LEAST_MAPPED), (reference, LEAST_VOTERS)):
        found = len(np.unique(part.labels))
        if len(part) < least or not 1 < found < len(part):
            raise ValueError(
                "To measure how the latent separates the classes takes at least "
                f"{_LEAST_MAPPED} labelled images and {LEAST_VOTERS} of the other "
                "split, of at least 2 classes. "
                f"Received: {len(part)} images of {found} classes."
            )


def check_images(autoencoder: Autoencoder, images: data.Images) -> None:
    """Refuses images that could not be coded, compared or drawn.

    Args:
        autoencoder: need not be trained.
        images: to be measured.

    Raises:
        ValueError: if the images do not fit the autoencoder, can not be drawn,
            or are too small for SSIM.
    """
    if images.images.shape[1:] != autoencoder.image_shape:
        raise ValueError(
            f"The model takes images of shape {autoencoder.image_shape}, but the data "
            f"set has {images.images.shape[1:]}. Name a data set of the model's shape."
        )
    if images.images.shape[-1] not in (1, 3):
        raise ValueError(
            "Images of 1 channel or 3 can be drawn, but the data set has "
            f"{images.images.shape[-1]}. Give one of these."
        )
    if min(images.images.shape[1:3]) < _LEAST_PIXELS:
        raise ValueError(
            f"SSIM needs images of at least {_LEAST_PIXELS} x {_LEAST_PIXELS} pixels, "
            f"but the data set has {images.images.shape[1:]}."
        )


def _measure_latent(latents, labels, reference_latents, reference_labels) -> dict:
    reference = (reference_latents, reference_labels)
    return {
        "knn_accuracy": metrics.knn_accuracy(*reference, latents, labels),
        "linear_probe_accuracy": metrics.linear_probe_accuracy(
            *reference, latents, labels
        ),
        **structure(latents, labels),
    }


def structure(latents: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    """How tight the classes of a latent are, as `metrics.json` has it.

    Args:
        latents: `[N, ...]`.
        labels: int `[N]`, of 2 to N - 1 classes.

    Returns:
        `silhouette` and `scatter_ratio`, None where that is infinite.
    """
    ratio = metrics.scatter_ratio(latents, labels)
    return {
        "silhouette": metrics.silhouette(latents, labels),
        "scatter_ratio": ratio if math.isfinite(ratio) else None,
    }


def _map_latent(
    latents: np.ndarray, images: data.Images, path: pathlib.Path, seed: int
) -> None:
    if not np.ptp(latents, axis=0).any():  # a collapsed encoder: nothing to map
        return
    points = embeddings.tsne(latents, seed=seed)
    labels = images.labels[: len(latents)]
    figures.embedding([("latent", points, labels)], images.class_names, path)


def _reconstruct(autoencoder: Autoencoder, images: data.Images) -> list[np.ndarray]:
    """PSNR, SSIM, latent and logits (empty without classifier) of each image."""

    def measure(pixels):
        latent = autoencoder.encoder(pixels, training=False)
        decoded = autoencoder.decoder(latent, training=False)
        logits = tf.zeros((len(pixels), 0))
        if autoencoder.classifier is not None:
            logits = autoencoder.classifier(latent, training=False)
        psnr, ssim = metrics.psnr(pixels, decoded), metrics.ssim(pixels, decoded)
        return psnr, ssim, latent, logits

    return _over_batches(measure, autoencoder, images)


def _encode(autoencoder: Autoencoder, images: data.Images) -> np.ndarray:
    def encode(pixels):
        return (autoencoder.encoder(pixels, training=False),)

    return _over_batches(encode, autoencoder, images)[0]


def _over_batches(function, autoencoder, images) -> list[np.ndarray]:
    signature = [tf.TensorSpec((None, *autoencoder.image_shape), tf.float32)]
    function = tf.function(function, input_signature=signature)
    batches = data.batches(images, _BATCH, shuffle=False)
    found = [function(tf.nest.flatten(batch)[0]) for batch in batches]
    return [np.concatenate(column) for column in zip(*found, strict=True)]
