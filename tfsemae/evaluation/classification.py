"""What is measured of a trained classifier of images."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from scipy import special

from tfsemae import data, files
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE, Shards, measure
from tfsemae.evaluation.checks import check_classes, check_shape
from tfsemae.models.classifier import Classifier
from tfsemae.models.recogniser import Recogniser
from tfsemae.progress import note
from tfsemae.run_folder import Metrics

_BATCH = 500


def check(classifier: Classifier | Recogniser, images: data.Images) -> None:
    """Refuses what `evaluate` could not measure.

    Args:
        classifier: or a recogniser; need not be trained.
        images: to be measured.

    Raises:
        ValueError: if the images do not fit the classifier, or have no labels.
    """
    check_shape(classifier.image_shape, images)
    if images.labels is None:
        raise ValueError(
            "A classifier is measured by labels, and the data set has none. Name a "
            "labelled data set."
        )
    check_classes(classifier.class_names, images.class_names)


def evaluate(
    classifier: Classifier, images: data.Images, *, output_dir: files.PathLike
) -> Metrics:
    """Measures how well a classifier knows the labels.

    Writes `measurements.npz` (`clean/logits` of each image). A second call after an
    interruption continues.

    Args:
        classifier: to measure.
        images: to measure it on, with labels.
        output_dir: of the files.

    Returns:
        `examples`; `accuracy` in [0, 1]; `cross_entropy`, mean over the images (nats);
        `class_accuracy`, by the name of a class the accuracy of its images, None of a
        class without images.

    Raises:
        ValueError: see `check`.
    """
    check(classifier, images)
    assert images.labels is not None  # checked
    folder = files.path(output_dir)
    note("Classifying the images to be measured.")

    def step(pixels: tf.Tensor) -> Mapping:
        return {"clean": {"logits": classifier.network(pixels, training=False)}}

    identity = [classifier.digest(), images.digest(), str(_BATCH)]
    shards = Shards(folder / "arrays" / "images", identity)
    measure(step, images, shards, batch_size=_BATCH)
    logits = shards.read("clean", "logits").astype(np.float64)
    shards.merge(folder / MEASUREMENTS_FILE)
    shards.remove()
    (folder / "arrays").rmdir()
    return {"examples": len(images), **_measured(logits, images)}


def _measured(logits: np.ndarray, images: data.Images) -> Metrics:
    labels = images.labels
    assert labels is not None  # checked
    of_label = special.log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    correct = np.argmax(logits, axis=1) == labels
    of_class = {
        name: float(np.mean(correct[labels == label])) if label in labels else None
        for label, name in enumerate(images.class_names)
    }
    return {
        "accuracy": float(np.mean(correct)),
        "cross_entropy": float(-np.mean(of_label)),
        "class_accuracy": of_class,
    }
