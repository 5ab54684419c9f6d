"""Checks of arguments that several packages share. Free of TensorFlow."""

import numpy as np
import numpy.typing as npt


def labelled(
    latents: npt.ArrayLike, labels: npt.ArrayLike, prefix: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Checks latents and their labels.

    Args:
        latents: `[N, ...]`.
        labels: int `[N]`.
        prefix: of both names in a message.

    Returns:
        float64 `[N, D]` and the labels.

    Raises:
        ValueError: if they do not fit each other, or a latent is not finite.
    """
    latents = matrix(latents, f"{prefix}latents")
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"`{prefix}labels` must be integers. "
            f"Received: {prefix}labels.dtype={labels.dtype}."
        )
    if labels.shape != (len(latents),):
        raise ValueError(
            f"`{prefix}labels` must have the shape ({len(latents)},), a label for "
            f"each latent. Received: {prefix}labels.shape={labels.shape}."
        )
    return latents, labels


def matrix(latents: npt.ArrayLike, name: str) -> np.ndarray:
    """Latents as rows of features.

    Args:
        latents: `[N, ...]`, finite.
        name: of the argument, for a message.

    Returns:
        float64 `[N, D]`.

    Raises:
        ValueError: if there are none, or one is not finite.
    """
    latents = np.asarray(latents, dtype=np.float64)
    if latents.ndim == 0 or latents.size == 0:
        raise ValueError(
            f"`{name}` must have the shape [N, ...] and not be empty. "
            f"Received: {name}.shape={latents.shape}."
        )
    latents = latents.reshape(len(latents), -1)
    finite = np.isfinite(latents).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in "
            f"{np.sum(~finite)} of {len(latents)} rows, first in row "
            f"{np.argmin(finite)}."
        )
    return latents


def equal_width(train_latents: np.ndarray, latents: np.ndarray) -> None:
    """Checks that latents `[N, D]` and `[M, D]` have equally many features.

    Raises:
        ValueError: if they do not.
    """
    if train_latents.shape[1] != latents.shape[1]:
        raise ValueError(
            "`train_latents` and `latents` must have equally many features. "
            f"Received: {train_latents.shape[1]} and {latents.shape[1]}."
        )


def class_count(labels: np.ndarray, name: str) -> int:
    """The number of classes.

    Args:
        labels: int `[N]`.
        name: of the argument, for a message.

    Raises:
        ValueError: if there are fewer than 2.
    """
    classes = len(np.unique(labels))
    if classes < 2:
        raise ValueError(
            f"`{name}` must hold at least 2 classes. "
            f"Received: {name} that are all {labels[0]}."
        )
    return classes


def from_first(latents: np.ndarray) -> np.ndarray:
    """Moves latents so that the first one is the origin."""
    # Not the mean, which is rounded: from the first latent, latents of a collapsed
    # encoder are exactly zero, and no measure is made of rounding errors.
    return latents - latents[0]
