"""Attacks of one gradient step on a classifier, as the lecture prints them.

E = -ln y_label of a classifier with the softmax outputs y, the label and a fake class:

    plain  x' = x + eta dE/dx
    sign   x' = x + epsilon sign(dE/dx)
    fake   x' = x + eta d/dx (ln y_fake - ln y_label)
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tfsemae import attacks, data
from tfsemae.attacks.objectives import Network

_BATCH = 500

STEPS = {
    "plain": "plain step",
    "sign": "sign step",
    "fake": "step to a fake class",
}
_FORMULAS = {
    "plain": attacks.step_plain,  # x + eta dE/dx
    "sign": attacks.step_sign,  # x + epsilon sign(dE/dx)
    "fake": attacks.step_fake,  # x + eta d/dx (ln y_fake - ln y_label)
}


class Attacked(NamedTuple):
    """Images that all networks classify right, and a wrong class for each.

    Attributes:
        images: float32 `[N, H, W, C]` in [0, 1].
        labels: int64 `[N]`.
        fakes: int64 `[N]`; each label has all other classes in turn.
    """

    images: np.ndarray
    labels: np.ndarray
    fakes: np.ndarray


def chosen(
    images: data.Images, right: np.ndarray, count: int | None = None
) -> Attacked:
    """The first images that are classified right, with fake classes.

    Args:
        images: with labels.
        right: bool `[N]`.
        count: of images at most; None for all.
    """
    assert images.labels is not None  # of digits
    kept = data.take(images, np.flatnonzero(right)[:count])
    assert kept.labels is not None
    classes = len(images.class_names)
    turns = 1 + np.arange(len(kept)) % (classes - 1)
    return Attacked(data.pixels(kept), kept.labels, (kept.labels + turns) % classes)


def step(
    network: Network, name: str, attacked: Attacked, **options: Any
) -> Callable[[float], np.ndarray]:
    """An attack of one step: size -> adversarial images, float32 `[N, H, W, C]`.

    Args:
        network: images -> logits.
        name: of `STEPS`.
        attacked: what it begins with.
        **options: of `attacks.SingleStep`.
    """
    attack = _FORMULAS[name](network, size=1.0, **options)

    def moved(size: float) -> np.ndarray:
        parts = []
        for first in range(0, len(attacked.images), _BATCH):
            images, labels, fakes = (each[first : first + _BATCH] for each in attacked)
            classes = (labels, fakes) if name == "fake" else (labels,)
            parts.append(attack(images, *classes, size=size).adversarial.numpy())
        return np.concatenate(parts)

    return moved


def alone(change: np.ndarray) -> np.ndarray:
    """Changes as images, as the slide shows one: grey is 0, the largest black or white.

    Args:
        change: `[N, H, W, C]`.
    """
    largest = np.abs(change).max(axis=(1, 2, 3), keepdims=True)
    scaled = np.divide(change, largest, out=np.zeros_like(change), where=largest > 0)
    return (0.5 + 0.5 * scaled).astype(np.float32)


def norms(change: np.ndarray) -> np.ndarray:
    """|x' - x|_2 of each image, float64 `[N]`."""
    flat = change.reshape(len(change), -1).astype(np.float64)
    return np.linalg.norm(flat, axis=1)
