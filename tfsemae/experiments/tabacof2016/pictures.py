"""Figs. 1 to 3: the attack, a pair over the penalty, and the curves of all pairs."""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from tfsemae import models
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
    name, folder = runs.NAMES[dataset], work.output_dir
    drawn = [_schema(folder / "figure1.png")]
    first = {group: found.groups[group][0] for group in MAIN}
    path = folder / "figure2.png"
    figures.curves([over_penalties(str(g), run) for g, run in first.items()], path)
    drawn.append(
        Picture(
            file=path.name,
            caption=f"As Fig. 2, left: {name}, the first pair, a point a penalty.",
        )
    )
    for group, run in first.items():
        (attack, *_) = runs.attacks(group, dataset, work.scale)
        victim = models.Autoencoder.load(work.folder(attack.inputs["model_dir"]))
        path = folder / f"figure2_{group.id}.png"
        figures.image_grid(images(run, victim), path)
        drawn.append(
            Picture(
                file=path.name,
                caption=f"As Fig. 2, right: {name}, {group}. Adversarial images at the "
                "greatest penalty with which the output is nearer to the target than "
                "to the original.",
            )
        )
    return [*drawn, *draw_curves(name, first, folder)]


def draw_curves(
    name: str, attacks: Mapping[Group, Measurements], folder: pathlib.Path
) -> list[Picture]:
    """Draws Fig. 3, with lines over one another and behind one another.

    Args:
        name: of the data set.
        attacks: a panel each.
        folder: of the pictures.
    """
    panels = {group: _panel(str(group), run) for group, run in attacks.items()}
    flat, deep = folder / "figure3.png", folder / "figure3_pairs.png"
    figures.curves([with_median(panel, _GRID) for panel in panels.values()], flat)
    figures.curves_in_space(list(panels.values()), "pair", deep)
    meaning = (
        "X is the distortion, Z the distance of the output to the target, both "
        "normalised."
    )
    return [
        Picture(
            file=flat.name,
            caption=f"As Fig. 3: {name}, a thin line a pair, and their median. "
            f"{meaning}",
        ),
        Picture(file=deep.name, caption=f"As Fig. 3: {name}, all pairs. {meaning}"),
    ]


def with_median(panel: figures.Panel, grid: np.ndarray) -> figures.Panel:
    """A panel of curves of ascending x, with their median on a grid.

    Outside of its own x a curve is continued by its last value.
    """
    curves: Sequence[figures.Curve] = panel.curves
    if curves:
        on_grid = [np.interp(grid, curve.x, curve.y) for curve in curves]
        median = np.median(on_grid, axis=0)
        curves = [*curves, figures.Curve(label="median", x=grid, y=median)]
    return figures.Panel(
        x_label=panel.x_label, y_label=panel.y_label, title=panel.title, curves=curves
    )


def over_penalties(title: str, run: Measurements) -> figures.Panel:
    """Distortion and distance to the target of the first pair at all penalties."""
    norms, to_target = (
        run.array(f"adversarial/{name}")[0] for name in ("distortion", "to_target")
    )
    chosen = _hits(run, 1)
    return figures.Panel(
        x_label="|d|",
        y_label="distance of the output to the target",
        title=title,
        curves=[
            figures.Curve(label="penalties", x=norms, y=to_target, line=""),
            figures.Curve(label="shown", x=norms[chosen], y=to_target[chosen]),
        ],
        levels=[
            ("output of the original", run.array("original/to_target")[0]),
            ("output of the target", run.array("target/to_target")[0]),
        ],
        verticals=[("|x - t|", run.array("pair/distance")[0])],
    )


def images(
    run: Measurements, victim: models.Autoencoder
) -> list[tuple[str, np.ndarray]]:
    """Rows of images of the first pairs, at the penalty that `over_penalties` shows."""
    originals, targets = np.moveaxis(run.array("pair/images")[:_SHOWN], 1, 0)
    hits = _hits(run, _SHOWN)
    shown = run.array("adversarial/images")[np.arange(len(hits)), hits]

    def reconstructed(pixels: np.ndarray) -> np.ndarray:
        decoded = victim.joint()(pixels)["reconstruction"]
        return np.clip(decoded, 0, 1)  # a last layer may be linear

    return [
        ("original", originals),
        ("its reconstruction", reconstructed(originals)),
        ("adversarial", shown),
        ("its reconstruction", reconstructed(shown)),
        ("target", targets),
        ("its reconstruction", reconstructed(targets)),
        ("0.5 + distortion / 2", 0.5 + (shown - originals) / 2),
    ]


def _hits(run: Measurements, pairs: int) -> np.ndarray:
    to_target, to_original = (
        run.array(f"adversarial/{name}")[:pairs]
        for name in ("to_target", "to_original")
    )
    return penalty_problems.last_hit(to_target, to_original)


def _panel(title: str, run: Measurements) -> figures.Panel:
    x, y = run.array("curve/distortion"), run.array("curve/distance")
    curves = []
    for pair in np.flatnonzero(np.isfinite(y).all(axis=1)):
        order = np.argsort(x[pair])
        inside = order[x[pair][order] <= 1]
        if len(inside):
            x_of_pair, y_of_pair = x[pair][inside], y[pair][inside]
            curves.append(
                figures.Curve(label="pairs", x=x_of_pair, y=y_of_pair, marked=False)
            )
    return figures.Panel(x_label="X", y_label="Z", title=title, curves=curves)


def _schema(path: pathlib.Path) -> Picture:
    """Fig. 1."""
    boxes = {
        "original x": (0.08, 0.72),
        "distortion d": (0.08, 0.45),
        "adversarial\nx + d": (0.27, 0.6),
        "encoder": (0.45, 0.6),
        "latent of x + d": (0.64, 0.6),
        "decoder": (0.8, 0.6),
        "output, near t": (0.93, 0.6),
        "target t": (0.27, 0.18),
        "encoder ": (0.45, 0.18),
        "latent of t": (0.64, 0.18),
        "minimise over d: distance of the latents + C |d|^2": (0.64, 0.9),
    }
    names = list(boxes)
    pairs = [(0, 2), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (7, 8), (8, 9), (9, 4)]
    pairs += [(4, 10)]
    figures.diagram(boxes, [(names[a], names[b]) for a, b in pairs], path)
    return Picture(file=path.name, caption="As Fig. 1: the attack on the latent.")
