"""The figures of the paper: curves on both grids, images, codes."""

import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae import metrics
from tfsemae.experiments.intervals import hull
from tfsemae.experiments.lu2023.areas import (
    CONDITIONS,
    GRIDS,
    SCORES,
    Comparison,
    Measurements,
    psnr,
)
from tfsemae.reports import embeddings, figures
from tfsemae.reports.ledger import Picture

_SEED = 0  # of the bootstrap and of t-SNE
_SHOWN = 8  # images of a row
_MAPPED = 500  # codes of a condition
_LINES = {"pgd": "-", "strong": "--", "noise": ":"}
_BAND = (
    "Means over images and seeds; bands are 95 % bootstrap intervals over images, of "
    "each seed, joined."
)


def curves(
    compared: Comparison,
    path: pathlib.Path,
    caption: str,
    *,
    scores: Sequence[str] | None = None,
    groups: Iterable[Any] | None = None,
    conditions: Sequence[str] = tuple(CONDITIONS),
    base_lines: bool = False,
    radius: float | None = None,
) -> Picture:
    """Draws each score over the radius, on both grids.

    Args:
        compared: the networks.
        path: PNG file to write.
        caption: what it shows; what the bands are follows.
        scores: keys of `SCORES`; by default all that were measured.
        groups: of the networks; by default all.
        conditions: keys of `CONDITIONS`.
        base_lines: whether to draw the base lines of the areas.
        radius: of training, a vertical line on the absolute grid.
    """
    panels = []
    for score in scores or compared.scores:
        for grid, of_grid in GRIDS.items():
            base = ("base line", compared.base(score, grid))
            panels.append(
                figures.Panel(
                    x_label=of_grid.axis,
                    y_label=SCORES[score].name,
                    curves=[
                        _curve(compared, group, score, grid, condition)
                        for group in groups or compared.groups
                        for condition in conditions
                    ],
                    levels=[base] if base_lines else [],
                    verticals=[("radius of training", radius)]
                    if radius is not None and grid == "absolute"
                    else [],
                )
            )
    figures.curves(panels, path)
    return Picture(file=path.name, caption=f"{caption} {_BAND}")


def _curve(
    compared: Comparison, group: Any, score: str, grid: str, condition: str
) -> figures.Curve:
    by_seed = []
    for run in compared.groups[group]:
        radii, values = run.curve(SCORES[score].quantity, condition, grid)
        band = metrics.curve_band(radii, values, seed=_SEED)
        by_seed.append(band)
    joined = [hull(each) for each in zip(*by_seed, strict=True)]
    y = np.array(joined)  # [E, 3]: mean, low, high
    if SCORES[score].pooled:
        y = psnr(radii, y)
        finite = np.isfinite(y).all(axis=1)
        radii, y = radii[finite], y[finite]
    return _drawn(group, condition, radii, y[:, 0], (y[:, 1], y[:, 2]))


def _drawn(
    group: Any,
    condition: str,
    x: np.ndarray,
    y: np.ndarray,
    band: tuple[np.ndarray, np.ndarray],
) -> figures.Curve:
    label = str(group) if condition == "pgd" else f"{group}, {CONDITIONS[condition]}"
    return figures.Curve(
        label=label, x=x, y=y, band=band, like=str(group), line=_LINES[condition]
    )


def frechet_curves(
    compared: Comparison, path: pathlib.Path, caption: str, key: str
) -> Picture:
    """Draws a Frechet distance over the radius, on both grids.

    Args:
        compared: the networks.
        path: PNG file to write.
        caption: what it shows; what the bands are follows.
        key: see `Comparison.frechet_areas`.
    """
    panels = [
        figures.Panel(
            x_label=of_grid.axis,
            y_label="Frechet distance",
            curves=[
                _frechet_curve(group, measured, grid, condition, key)
                for group, measured in compared.groups.items()
                for condition in CONDITIONS
            ],
        )
        for grid, of_grid in GRIDS.items()
    ]
    figures.curves(panels, path)
    return Picture(
        file=path.name,
        caption=f"{caption} Means over seeds; bands from the least to the greatest.",
    )


def _frechet_curve(
    group: Any, measured: Sequence[Measurements], grid: str, condition: str, key: str
) -> figures.Curve:
    curves = [run.frechet_curve(condition, grid, key) for run in measured]
    values = np.stack([distances for _, distances in curves])  # [seeds, E]
    ends = values.min(axis=0), values.max(axis=0)
    return _drawn(group, condition, curves[0][0], values.mean(axis=0), ends)


def images_by_model(
    groups: Mapping[Any, Measurements], path: pathlib.Path, caption: str
) -> Picture | None:
    """Draws what networks give of clean and of attacked codes; None without images.

    Args:
        groups: network -> measurements of one seed.
        path: PNG file to write.
        caption: which attack; where it is follows.
    """
    rows = []
    for group, run in groups.items():
        radii = run.radii("pgd", "absolute")
        ends = {"clean": radii[0.0], "attacked": radii[max(radii)]}
        for end, condition in ends.items():
            if not run.has(condition, "images"):
                return None
            rows.append((f"{group}, {end}", _images(run, condition)))
    figures.image_grid(rows, path)
    return Picture(
        file=path.name,
        caption=f"{caption}: what the decoder gives of clean codes, and of codes that "
        f"PGD moved by {max(radii):g}. Seed 0.",
    )


def images_by_radius(
    run: Measurements, path: pathlib.Path, caption: str
) -> Picture | None:
    """Draws a row of images for each radius of the absolute grid; None without them."""
    radii = run.radii("pgd", "absolute")
    if not all(run.has(condition, "images") for condition in radii.values()):
        return None
    rows = [(f"{radius:g}", _images(run, at)) for radius, at in radii.items()]
    figures.image_grid(rows, path)
    return Picture(file=path.name, caption=f"{caption}, a row for each radius. Seed 0.")


def _images(run: Measurements, condition: str) -> np.ndarray:
    found = run.array(condition, "images")
    # Of each example, or of the first ones only; kept in 8 bits or as they are.
    shown = found[:_SHOWN].astype(np.float32)
    if found.dtype == np.uint8:
        shown /= 255
    return np.clip(shown, 0, 1)


def entries(
    run: Measurements, radii: Sequence[float], path: pathlib.Path, caption: str
) -> Picture:
    """Draws how large the entries of clean and attacked codes are, as Figs. 7 and 8.

    Args:
        run: an attack.
        radii: on the absolute grid.
        path: PNG file to write.
        caption: which attack.
    """
    conditions = run.radii("pgd", "absolute")
    clean = run.array("clean", "point")
    points = {f"radius {r:g}": run.array(conditions[r], "point") for r in radii}

    def panel(y_label: str, drawn: Mapping[str, np.ndarray]) -> figures.Panel:
        found = [
            figures.Curve(
                label=label,
                x=np.arange(1, values.shape[1] + 1),
                y=np.abs(values).mean(axis=0),
            )
            for label, values in drawn.items()
        ]
        return figures.Panel(x_label="entry of the code", y_label=y_label, curves=found)

    moved = {label: point - clean for label, point in points.items()}
    figures.curves(
        [
            panel("mean absolute value", {"clean": clean, **points}),
            panel("mean absolute change", moved),
        ],
        path,
    )
    return Picture(
        file=path.name,
        caption=f"{caption}: entries of clean and attacked codes, and by how much the "
        f"attack changes them. Means over {len(clean)} images, seed 0.",
    )


def code_map(
    runs: Mapping[str, Measurements],
    labels: np.ndarray,
    class_names: Sequence[str],
    path: pathlib.Path,
    caption: str,
) -> Picture:
    """Draws one t-SNE map of clean codes and those under several attacks, as Fig. 9.

    Args:
        runs: attack -> measurements of one network, on the same images.
        labels: int `[N]`, of these images.
        class_names: of the labels.
        path: PNG file to write.
        caption: which network.
    """
    first = next(iter(runs.values()))
    parts = {"clean": first.array("clean", "point")}
    for kind, run in runs.items():
        radii = run.radii("pgd", "absolute")
        parts[f"{kind}, radius {max(radii):g}"] = run.array(radii[max(radii)], "point")
    shown = {key: points[:_MAPPED] for key, points in parts.items()}
    found = embeddings.tsne(np.concatenate(list(shown.values())), seed=_SEED)
    panels = [
        (key, part, labels[:_MAPPED])
        for key, part in zip(shown, np.split(found, len(shown)), strict=True)
    ]
    figures.embedding(panels, class_names, path, one_map=True)
    return Picture(
        file=path.name,
        caption=f"{caption}: one t-SNE map of clean and attacked codes. Perplexity 30, "
        f"{len(panels[0][1])} codes each, seed 0.",
    )


def scatter(
    x_label: str,
    points: Mapping[str, Sequence[float]],
    areas: Mapping[tuple[str, str], Mapping[str, Sequence[float]]],
    path: pathlib.Path,
    caption: str,
) -> Picture:
    """Draws the areas of networks over something measured of them, a point a seed.

    Args:
        x_label: of what was measured.
        points: network -> its values, by seed.
        areas: (score, grid) -> network -> its areas, by seed.
        path: PNG file to write.
        caption: of the picture.
    """
    panels = [
        figures.Panel(
            x_label=x_label,
            y_label=f"area of {SCORES[score].name}, {grid} grid",
            curves=[
                figures.Curve(label=label, x=points[label], y=y, line="")
                for label, y in of_networks.items()
            ],
        )
        for (score, grid), of_networks in areas.items()
    ]
    figures.curves(panels, path)
    return Picture(file=path.name, caption=caption)
