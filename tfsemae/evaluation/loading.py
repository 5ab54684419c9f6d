"""The images of an evaluation or an attack. Free of TensorFlow with own files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfsemae import data, files, run_folder
from tfsemae.data import catalogue
from tfsemae.models import verification

if TYPE_CHECKING:
    from tfsemae.evaluation.attack_settings import Settings as AttackSettings
    from tfsemae.evaluation.settings import Settings

LEAST_VOTERS = 10  # of 10-NN
_REFERENCE = 10_000  # images that classifiers of attacked latents learn from


def evaluated(settings: "Settings") -> tuple["data.Images", "data.Images"]:
    """The images to be measured, and those that k-NN and linear probe learn from.

    Args:
        settings: of the evaluation.

    Returns:
        Both; twice the images to be measured where nothing is learned from others: they
        have no labels, or the network is a classifier.

    Raises:
        ValueError: if the data set has labels in one split only; see `data.load`.
    """
    split = settings.data.split
    images = _load(settings, split)
    if images.labels is None or verification.is_classifier(settings.run.model_dir):
        return images, images
    other = _other_split(split)
    if other not in data.splits(_data_set(settings)[0]):
        raise ValueError(
            f"{_data_set(settings)[0]} has labels but no split {other}, which "
            "classifiers of the latent learn from. Add it, or leave the labels out to "
            f"measure the reconstruction alone. Received: --split={split}."
        )
    return images, _load(settings, other)


def of_split(settings: "AttackSettings") -> "data.Images":
    """All images of the split and the classes."""
    return _load(settings, settings.data.split)


def chosen(settings: "AttackSettings") -> tuple["data.Images", np.ndarray]:
    """The images to attack, and their places.

    Args:
        settings: of the attack.

    Returns:
        The images; int64 `[N]`, their places among those of split and classes.

    Raises:
        ValueError: if there are fewer images than asked for; see `data.load`.
    """
    images = of_split(settings)
    indices = np.arange(len(images))
    examples = settings.run.examples
    if examples is not None:
        if examples > len(images):
            raise ValueError(
                f"--examples={examples} is more than the {len(images)} images "
                "that there are. Ask for fewer."
            )
        indices = _drawn(len(images), examples, settings.run.seed)
        images = data.take(images, indices)
    return images, indices


def pairs(
    settings: "AttackSettings",
) -> tuple["data.Images", "data.Images", np.ndarray]:
    """The images to attack, and for each one of another class as a target.

    Args:
        settings: of the attack.

    Returns:
        The images; their targets; int64 `[N, 2]`, the places of both among those of
        split and classes. Without labels a target is any other image.

    Raises:
        ValueError: if all images have one label; see `chosen`.
    """
    images = of_split(settings)
    originals, places = chosen(settings)
    labels = np.arange(len(images)) if images.labels is None else images.labels
    if len(np.unique(labels)) < 2:
        raise ValueError(
            "--attack=lbfgsb takes images of at least two classes, a pair from two of "
            f"them. Received: {len(images)} images of one."
        )
    random = np.random.default_rng([settings.run.seed, 1])  # beside that of `chosen`
    targets = np.array(
        [random.choice(np.flatnonzero(labels != labels[place])) for place in places]
    )
    return originals, data.take(images, targets), np.stack([places, targets], axis=1)


def attacked(
    settings: "AttackSettings",
) -> tuple["data.Images", np.ndarray, "data.Images | None"]:
    """The images to attack, their places, and what classifiers learn from.

    Args:
        settings: of the attack.

    Returns:
        The images; int64 `[N]`, their places among those of split and classes; the
        images whose latents k-NN and linear probe learn from, None where these
        cannot be measured.

    Raises:
        ValueError: if there are fewer images than asked for; see `data.load`.
    """
    images, indices = chosen(settings)
    return images, indices, _learnt_from(settings, images)


def is_own_file(settings: "Settings | AttackSettings") -> bool:
    """Whether the images are those of an own file that is there, read in a moment."""
    dataset, _ = _data_set(settings)
    return catalogue.is_own_file(dataset) and files.path(dataset).is_file()


def has_prior(model_dir: files.PathLike) -> bool:
    """Whether a network was trained with a regulariser towards a normal latent."""
    if not (files.path(model_dir) / run_folder.FLAGS_FILE).is_file():
        return False  # it was not trained by `tfsemae.train`
    return "regularizer" in run_folder.read_flags(model_dir)


def _learnt_from(
    settings: "AttackSettings", images: "data.Images"
) -> "data.Images | None":
    if images.labels is None or not 1 < len(np.unique(images.labels)) < len(images):
        return None
    other = _other_split(settings.data.split)
    if other not in data.splits(_data_set(settings)[0]):
        return None
    reference = _load(settings, other)
    if reference.labels is None or len(reference) < LEAST_VOTERS:
        return None
    if len(reference) > _REFERENCE:
        drawn = _drawn(len(reference), _REFERENCE, settings.run.seed)
        reference = data.take(reference, drawn)
    return reference if len(np.unique(reference.labels)) > 1 else None


def _drawn(images: int, count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.sort(random.choice(images, count, replace=False))


def _other_split(split: str) -> str:
    return "test" if split == "train" else "train"


def _data_set(settings: "Settings | AttackSettings") -> tuple[str, list[str]]:
    dataset, classes = run_folder.data_set(
        settings.run.model_dir, settings.data.dataset, settings.data.classes
    )
    return dataset, list(classes)


def _load(settings: "Settings | AttackSettings", split: str) -> "data.Images":
    dataset, classes = _data_set(settings)
    images = data.load(
        dataset,
        split,
        data_dir=settings.data.data_dir,
        manual_dir=settings.data.manual_dir,
        classes=classes,
    )
    return data.binarize(images) if split in _binarized(settings) else images


def _binarized(settings: "Settings | AttackSettings") -> Sequence[str]:
    """The splits whose pixels are black or white."""
    if settings.data.binarize is not None:
        return settings.data.binarize
    if settings.data.dataset is not None:
        return ()
    return run_folder.read_flags(settings.run.model_dir).get("binarize", "").split(",")
