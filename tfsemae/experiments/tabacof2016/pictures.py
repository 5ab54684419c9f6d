"""Figs. 2 and 3: a pair over the penalty, and the curves of all pairs."""

import pathlib

import numpy as np

from tfsemae.evaluation import penalty_problems
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.tabacof2016 import runs
from tfsemae.experiments.tabacof2016.runs import MAIN, Group
from tfsemae.experiments.tabacof2016.trade_offs import Measurements, TradeOffs
from tfsemae.reports import figures
from tfsemae.reports.ledger import Picture

_SHOWN = 8  # pairs of a picture of images
_GRID = np.linspace(0, 1, 11)  # of medians


def draw(work: Workspace, dataset: str, found: TradeOffs) -> list[Picture]:
    """Draws the figures of an artefact of section 3, of the first seed."""
    name = runs.NAMES[dataset]
    drawn = []
    for group in MAIN:
        run = found.groups[group][0]
        drawn.append(
            _images(
                run,
                work.output_dir / f"figure2_{group.id}.png",
                f"As Fig. 2: {name}, {group}. Adversarial images at the greatest "
                "penalty with which the output is nearer to the target than to the "
                "original.",
            )
        )
    path = work.output_dir / "figure3.png"
    figures.curves([_panel(group, found.groups[group][0]) for group in MAIN], path)
    drawn.append(
        Picture(
            file=path.name,
            caption=f"As Fig. 3: {name}, a thin line a pair, and their median. X is "
            "the distortion, Z the distance of the output to the target, both "
            "normalised.",
        )
    )
    return drawn


def _images(run: Measurements, path: pathlib.Path, caption: str) -> Picture:
    images = run.array("adversarial/images")[:_SHOWN]
    to_target, to_original = (
        run.array(f"adversarial/{name}")[:_SHOWN]
        for name in ("to_target", "to_original")
    )
    hit = penalty_problems.last_hit(to_target, to_original)
    # The original is what the greatest penalty leaves.
    figures.image_grid(
        [
            ("original", images[:, -1]),
            ("adversarial", images[np.arange(len(images)), hit]),
            ("least penalty", images[:, 0]),
        ],
        path,
    )
    return Picture(file=path.name, caption=caption)


def _panel(group: Group, run: Measurements) -> figures.Panel:
    x, y = run.array("curve/distortion"), run.array("curve/distance")
    kept = np.flatnonzero(np.isfinite(y).all(axis=1))
    curves, on_grid = [], []
    for pair in kept:
        order = np.argsort(x[pair])
        inside = order[x[pair][order] <= 1]
        on_grid.append(np.interp(_GRID, x[pair][inside], y[pair][inside]))
        curves.append(
            figures.Curve(
                label="pairs",
                x=x[pair][inside],
                y=y[pair][inside],
                marked=False,
            )
        )
    if on_grid:
        median = np.median(on_grid, axis=0)
        curves.append(figures.Curve(label="median", x=_GRID, y=median))
    return figures.Panel(x_label="X", y_label="Z", title=str(group), curves=curves)
