"""What attacks over a grid of penalties share: the grid, shards, how problems ended."""

import contextlib
import functools
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from tfsemae.attacks import lbfgsb
from tfsemae.evaluation.arrays import (
    MEASUREMENTS_FILE,
    Arrays,
    Shards,
    whole,
    write_npz,
)
from tfsemae.evaluation.attack_registry import Lbfgsb
from tfsemae.progress import Progress
from tfsemae.run_folder import Metrics

TOGETHER = 5  # examples, as many problems for each as there are penalties


def grid(settings: Lbfgsb) -> np.ndarray:
    """The penalties, float64 `[K]`, ascending."""
    ends = settings.least_log2_penalty, settings.greatest_log2_penalty
    return np.exp2(np.linspace(*ends, settings.penalties))


def solve_all(
    solve: Callable[[slice], Arrays], total: int, done: Shards, *, unit: str
) -> None:
    """Attacks what is not done yet, a shard for some examples.

    Args:
        solve: examples -> their values, `[P, ...]`.
        total: number of the examples.
        done: where to.
        unit: their name in the singular.
    """
    begun = done.done()
    with contextlib.closing(Progress(total, done=begun, unit=unit)) as progress:
        for first in range(begun, total, TOGETHER):
            rows = slice(first, min(first + TOGETHER, total))
            done.write(first, solve(rows))
            progress.update(rows.stop)


def endings(done: Shards) -> Metrics:
    """How the problems ended."""
    status = done.read("adversarial", "status")
    return {
        "converged": float(np.mean(status == 0)),
        "abnormal": float(np.mean(status == lbfgsb.ABNORMAL)),
        "not_finite": float(np.mean(status == lbfgsb.NON_FINITE)),
        "iterations": float(np.mean(done.read("adversarial", "iterations"))),
        "evaluations": float(np.mean(done.read("adversarial", "evaluations"))),
    }


def write(
    folder: pathlib.Path, done: Shards, of_examples: Mapping[str, np.ndarray]
) -> None:
    """Writes `measurements.npz`: values as `<condition>/<quantity>`, and others."""
    parts = {
        "/".join(key): functools.partial(done.parts, *key) for key in done.quantities()
    }
    write_npz(folder / MEASUREMENTS_FILE, parts | whole(of_examples))


def norms(images: np.ndarray) -> np.ndarray:
    """L2 norms of `[..., H, W, C]`."""
    return np.sqrt(np.sum(images**2, axis=(-3, -2, -1)))


def last_hit(to_target: np.ndarray, to_original: np.ndarray) -> np.ndarray:
    """The greatest penalty of each pair that still reaches the target, int `[P]`.

    That is the last one before what the network gives is as far from the target as
    from the original; the least where none does.

    Args:
        to_target: distances `[P, K]`.
        to_original: likewise.

    Source: Tabacof 2016, the released code.
    """
    missed = to_target >= to_original
    first = np.where(missed.any(axis=1), missed.argmax(axis=1), missed.shape[1])
    return np.maximum(first - 1, 0)
