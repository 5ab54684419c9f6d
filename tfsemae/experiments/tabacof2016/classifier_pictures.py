"""Figs. 4 and 5: an image over the penalty, and the curves of all images."""

from collections.abc import Iterator, Mapping

import numpy as np

from tfsemae.evaluation.classifier_penalties import last_reached
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.tabacof2016 import pictures, runs
from tfsemae.experiments.tabacof2016.trade_offs import Measurements
from tfsemae.reports import figures
from tfsemae.reports.ledger import Picture

_SHOWN = 8  # images of a picture
_GRID_POINTS = 25  # of medians
_QUANTITIES = {"probability": "probability", "log_odds": "logit"}


def draw(work: Workspace, attacked: Mapping[str, Measurements]) -> list[Picture]:
    """Draws Figs. 4 and 5 of each data set."""
    drawn = []
    for dataset, run in attacked.items():
        name = runs.NAMES[dataset]

        def add(file: str, caption: str, name: str = name) -> None:
            drawn.append(Picture(file=file, caption=caption.format(name)))

        path = work.output_dir / f"figure4_{dataset}.png"
        figures.curves(list(of_first_image(run)), path)
        add(path.name, "As Fig. 4: {}, the first image, a point a penalty.")
        path = work.output_dir / f"figure4_{dataset}_images.png"
        figures.image_grid(images(run), path)
        add(path.name, "As Fig. 4: {}, at the last penalty that changes the class.")
        panels = list(centred(run))
        flat = work.output_dir / f"figure5_{dataset}.png"
        deep = work.output_dir / f"figure5_{dataset}_images.png"
        figures.curves([_with_median(panel) for panel in panels], flat)
        add(flat.name, "As Fig. 5: {}, a thin line an image, and their median.")
        figures.curves_in_space(panels, "image", deep)
        add(deep.name, "As Fig. 5: {}, all images.")
    return drawn


def of_first_image(run: Measurements) -> Iterator[figures.Panel]:
    """Probability and logit of both classes over the distortion."""
    norms = run.array("adversarial/distortion")[0]
    order = np.argsort(norms)
    for quantity, label in _QUANTITIES.items():
        yield figures.Panel(
            x_label="|d|",
            y_label=label,
            curves=[
                figures.Curve(
                    label=name,
                    x=norms[order],
                    y=run.array(f"adversarial/{of}_{quantity}")[0, order],
                )
                for of, name in (("target", "new class"), ("label", "own class"))
            ],
        )


def images(run: Measurements) -> list[tuple[str, np.ndarray]]:
    """Rows of images, attacked with the last penalty that changes the class."""
    originals = run.array("images")[:_SHOWN]
    reached = run.array("adversarial/target_probability") > run.array(
        "adversarial/label_probability"
    )
    last = np.maximum(last_reached(reached[:_SHOWN]), 0)
    shown = run.array("adversarial/images")[np.arange(len(last)), last]
    return [
        ("original", originals),
        ("adversarial", shown),
        ("0.5 + distortion / 2", 0.5 + (shown - originals) / 2),
    ]


def centred(run: Measurements) -> Iterator[figures.Panel]:
    """Curves of all images from the norm on at which the class changes."""
    for quantity, label in _QUANTITIES.items():
        lines = []
        for norms, values, crossing in zip(
            run.array("adversarial/distortion"),
            run.array(f"adversarial/target_{quantity}"),
            run.array("crossing"),
            strict=True,
        ):
            if np.isfinite(crossing):
                order = np.argsort(norms)
                x, y = norms[order] - crossing, values[order]
                lines.append(figures.Curve(label="images", x=x, y=y, marked=False))
        yield figures.Panel(
            x_label="|d| minus that where the class changes",
            y_label=f"{label} of the new class",
            curves=lines,
        )


def _with_median(panel: figures.Panel) -> figures.Panel:
    """With the median where all curves are."""
    if not panel.curves:
        return panel
    first = max(curve.x[0] for curve in panel.curves)
    last = min(curve.x[-1] for curve in panel.curves)
    if not first < last:
        return panel
    return pictures.with_median(panel, np.linspace(first, last, _GRID_POINTS))
