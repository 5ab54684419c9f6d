"""What an evaluation refuses before any work is done."""

import numpy as np

from tfsemae import data
from tfsemae.evaluation.latent import LEAST_MAPPED
from tfsemae.evaluation.loading import LEAST_VOTERS
from tfsemae.models.autoencoder import Autoencoder

_LEAST_PIXELS = 11  # the window of SSIM


def check(
    autoencoder: Autoencoder,
    images: data.Images,
    reference: data.Images,
    *,
    classes: bool = True,
) -> None:
    """Refuses what `evaluate` could not measure.

    Args:
        autoencoder: need not be trained.
        images: to be measured.
        reference: that k-NN and linear probe would learn from.
        classes: whether these are to be measured.

    Raises:
        ValueError: if the images do not fit the autoencoder, cannot be drawn, or are
            too few or of too few classes for the measures of the latent.
    """
    check_drawn(autoencoder, images)
    if autoencoder.log_variance is not None and len(images) < 2:
        raise ValueError(
            "To measure a variational autoencoder takes at least 2 images. "
            f"Received: {len(images)}."
        )
    if images.labels is None:
        return
    check_classes(autoencoder.class_names, images.class_names)
    if not classes:
        return
    if reference.labels is None:
        raise ValueError(
            "The data set has labels in one split only. Give them in both, or in none."
        )
    for part, least in ((images, LEAST_MAPPED), (reference, LEAST_VOTERS)):
        found = len(np.unique(part.labels))
        if len(part) < least or not 1 < found < len(part):
            raise ValueError(
                "To measure how the latent separates the classes takes at least "
                f"{LEAST_MAPPED} labelled images and {LEAST_VOTERS} of the other "
                "split, of at least 2 classes. Leave the labels out to measure the "
                f"reconstruction alone. Received: {len(part)} images of {found} "
                "classes."
            )


def has_ssim(image_shape: tuple[int, ...]) -> bool:
    """Whether images of (H, W, C) are large enough for SSIM."""
    return min(image_shape[:2]) >= _LEAST_PIXELS


def check_images(autoencoder: Autoencoder, images: data.Images) -> None:
    """Refuses images that could not be encoded, compared or drawn.

    Args:
        autoencoder: need not be trained.
        images: to be measured.

    Raises:
        ValueError: if the images do not fit the autoencoder, cannot be drawn,
            or are too small for SSIM.
    """
    check_drawn(autoencoder, images)
    if not has_ssim(autoencoder.image_shape):
        raise ValueError(
            f"SSIM needs images of at least {_LEAST_PIXELS} x {_LEAST_PIXELS} pixels, "
            f"but the data set has {autoencoder.image_shape}. Name one of larger "
            "images, with a model of them."
        )


def check_drawn(autoencoder: Autoencoder, images: data.Images) -> None:
    """Raises ValueError if images do not fit the autoencoder or cannot be drawn."""
    check_shape(autoencoder.image_shape, images)
    shape = images.images.shape[1:]
    if shape[-1] not in (1, 3):
        raise ValueError(
            "Images of 1 channel or 3 can be drawn, but the data set has "
            f"{shape[-1]}. Give one of these."
        )


def check_shape(image_shape: tuple[int, ...], images: data.Images) -> None:
    """Raises ValueError if images have another shape than (H, W, C)."""
    shape = images.images.shape[1:]
    if shape != image_shape:
        raise ValueError(
            f"The model takes images of shape {image_shape}, but the data "
            f"set has {shape}. Name a data set of the model's shape."
        )


def check_classes(known: tuple[str, ...], found: tuple[str, ...]) -> None:
    """Raises ValueError if images have other classes than a classifier knows."""
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
