"""What is measured of a trained autoencoder."""

import math
import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfsemae import data, files, metrics
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.reports import figures
from tfsemae.training import run_folder

_BATCH = 500
_FIRST = 100  # Ming 2022 averages over the images of Fig. 3, a handful
_GRID = 10
_MAPPED = 1000  # t-SNE of 10,000 codes takes a minute and more
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
    """Measures reconstruction and code, and draws both.

    Writes `metrics.json`, `reconstructions.png` (the first 10 images above
    their reconstructions) and, where there are labels and the codes are not all
    equal, `tsne.png` (codes of the first 1,000 images).

    Args:
        autoencoder: to measure.
        images: to measure it on.
        reference: images whose codes the k-NN and the linear probe learn from;
            of no effect where `images` have no labels.
        output_dir: of the three files.
        seed: of t-SNE.

    Returns:
        What `metrics.json` holds: `examples`; `psnr` (dB) and `ssim` in [-1, 1],
        means over all images, and over the first 100 as `psnr_first_100`,
        `ssim_first_100`; with labels `knn_accuracy` (10 neighbours),
        `linear_probe_accuracy`, `silhouette` and `scatter_ratio` of the code;
        with a classifier `label_accuracy`. Accuracies are in [0, 1]; an infinite
        `scatter_ratio` is None.

    Raises:
        ValueError: see `check`.

    Source: Ming 2022, Table II and Figs. 3 and 4.
    """
    check(autoencoder, images, reference)
    folder = pathlib.Path(output_dir)
    psnr, ssim, codes, logits = _reconstruct(autoencoder, images)
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
        found |= _measure_code(
            codes, images.labels, _encode(autoencoder, reference), reference.labels
        )
        _map_code(codes[:_MAPPED], images, folder / "tsne.png", seed)
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
            measures of the code.
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
                "To measure how the code separates the classes takes at least "
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


def _measure_code(codes, labels, reference_codes, reference_labels) -> dict:
    reference = (reference_codes, reference_labels)
    return {
        "knn_accuracy": metrics.knn_accuracy(*reference, codes, labels),
        "linear_probe_accuracy": metrics.linear_probe_accuracy(
            *reference, codes, labels
        ),
        **structure(codes, labels),
    }


def structure(codes: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    """How tight the classes of a code are, as `metrics.json` has it.

    Args:
        codes: `[N, ...]`.
        labels: int `[N]`, of 2 to N - 1 classes.

    Returns:
        `silhouette` and `scatter_ratio`, None where that is infinite.
    """
    ratio = metrics.scatter_ratio(codes, labels)
    return {
        "silhouette": metrics.silhouette(codes, labels),
        "scatter_ratio": ratio if math.isfinite(ratio) else None,
    }


def _map_code(
    codes: np.ndarray, images: data.Images, path: pathlib.Path, seed: int
) -> None:
    if not np.ptp(codes, axis=0).any():  # a collapsed encoder: nothing to map
        return
    points = metrics.tsne(codes, seed=seed)
    labels = images.labels[: len(codes)]
    figures.embedding([("code", points, labels)], images.class_names, path)


def _reconstruct(autoencoder: Autoencoder, images: data.Images) -> list[np.ndarray]:
    """PSNR, SSIM, code and logits (empty without classifier) of each image."""

    def measure(pixels):
        code = autoencoder.encoder(pixels, training=False)
        decoded = autoencoder.decoder(code, training=False)
        logits = tf.zeros((len(pixels), 0))
        if autoencoder.classifier is not None:
            logits = autoencoder.classifier(code, training=False)
        psnr, ssim = metrics.psnr(pixels, decoded), metrics.ssim(pixels, decoded)
        return psnr, ssim, code, logits

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
