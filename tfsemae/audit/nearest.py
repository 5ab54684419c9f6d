"""The images that need the least perturbation, as pictures and arrays."""

import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfsemae import data
from tfsemae.audit.stored import Stored
from tfsemae.audit.subject import Subject
from tfsemae.evaluation.arrays import whole, write_npz
from tfsemae.progress import note
from tfsemae.reports import figures

COUNT = 10


def places(epsilons: np.ndarray) -> np.ndarray:
    """Places of the ten smallest finite ones, the smallest first."""
    order = np.argsort(epsilons, kind="stable")
    return order[np.isfinite(epsilons[order])][:COUNT]


def draw(
    audited: Subject,
    images: data.Images,
    latents: Stored,
    found: Mapping[str, Mapping[str, np.ndarray]],
    moved_points: Mapping[str, Stored],
    folder: pathlib.Path,
) -> list[str]:
    """Writes `nearest_<space>.png` and `.npz`.

    Args:
        audited: model and spaces.
        images: that were audited.
        latents: theirs.
        found: space -> quantities of `minimal.Smallest`.
        moved_points: space -> the perturbed points.
        folder: of the files.

    Returns:
        Names of the pictures.
    """
    names = []
    for space in audited.spaces:
        nearest = places(found[space.name]["epsilon"])
        if not len(nearest):
            continue
        original = data.pixels(data.take(images, nearest))
        points = latents[nearest] if space.name == "latent" else original
        moved = moved_points[space.name][nearest]
        clean, shown = (
            space.network(tf.constant(each)).numpy() for each in (points, moved)
        )
        write_npz(
            folder / f"nearest_{space.name}.npz",
            whole(
                {
                    "original": original,
                    "point": points,
                    "perturbed": moved,
                    "reconstruction": clean,
                    "attacked": shown,
                }
            ),
        )
        rows = [("original", original), ("reconstruction", clean)]
        if space.name == "input":
            change = _amplified(moved - points)
            rows += [("attacked image", moved), change]
        else:
            rows += [_amplified(shown - clean, "change")]
        rows.append(
            ("its reconstruction" if space.name == "input" else "attacked", shown)
        )
        if original.shape[-1] not in (1, 3):
            note(f"Images of {original.shape[-1]} channels are not drawn.")
            continue
        name = f"nearest_{space.name}.png"
        figures.image_grid(
            [(label, np.clip(row, 0, 1)) for label, row in rows], folder / name
        )
        names.append(name)
    return names


def _amplified(
    change: np.ndarray, label: str = "perturbation"
) -> tuple[str, np.ndarray]:
    """A change as grey images; the factor stands in the label."""
    largest = float(np.abs(change).max())
    factor = 1.0
    while largest * factor * 2 <= 0.5 and factor < 1000:
        factor *= 2
    suffix = f" x {factor:g}" if factor > 1 else ""
    return f"{label}{suffix}", 0.5 + factor * change
