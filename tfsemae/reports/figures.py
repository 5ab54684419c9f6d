"""Pictures of images, codes and curves, as PNG files with repeatable bytes.

Each picture is readable in grey: what colour tells, a marker tells as well.
Colours: Petroff 2021, "Accessible color sequences for data visualization".
"""

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image

from tfsemae import files

_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
# Eleven, so that with ten colours 110 classes look different.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p")
_LINES = ("--", ":", "-.", (0, (8, 2, 1, 2, 1, 2)))
_STYLE = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
_PIXELS_PER_INCH = 160
_IMAGE_PIXELS = 112  # shown size that images are enlarged to, about
_GAP_PIXELS = 8
_CAPTION_PIXELS = 24
_HEAT_PIXELS = 32  # side of an entry of a heat map
_CELL_PIXELS = 64
_LEGEND_LINES = 20
_LEGEND_PIXELS = 260
_BOUND_COLOUR = "#1d4f7c"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curve:
    """Points in the order in which a line joins them; one point is a marker.

    Attributes:
        label: its name in the legend.
        x: float `[N]`.
        y: float `[N]`.
        x_error: half length of the horizontal error bars, `[N]`, or None.
        y_error: half length of the vertical error bars, `[N]`, or None.
        names: name of each point, `[N]`, or none at all; a point with a name has
            a colour, a marker and an entry in the legend of its own.
        band: lower and upper ends of a shaded stretch, `[N]` each, or None.
        like: label of another curve whose colour and marker it has; "" for its own.
        line: `-`, `--`, `:`, `-.`, or "" for none; tells curves of one colour apart.
        marked: whether each point has a marker, for lines of few points.
    """

    label: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    x_error: Sequence[float] | np.ndarray | None = None
    y_error: Sequence[float] | np.ndarray | None = None
    names: Sequence[str] = ()
    band: tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray] | None = (
        None
    )
    like: str = ""
    line: str = "-"
    marked: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes.

    Attributes:
        x_label: quantity and unit.
        y_label: quantity and unit.
        curves: what is drawn.
        title: what stands above it, or nothing.
        levels: `(label, y)` of dashed horizontal lines, a printed value for example.
        bounds: `(label, y)` of solid horizontal lines, the values that decide.
        verticals: `(label, x)` of dashed vertical lines.
        logarithmic: whether the x-axis is.
    """

    x_label: str
    y_label: str
    curves: Sequence[Curve]
    title: str = ""
    levels: Sequence[tuple[str, float]] = ()
    bounds: Sequence[tuple[str, float]] = ()
    verticals: Sequence[tuple[str, float]] = ()
    logarithmic: bool = False


def image_grid(
    rows: Sequence[tuple[str, np.ndarray]],
    path: files.PathLike,
    *,
    captions: Sequence[Sequence[str]] = (),
) -> None:
    """Draws rows of images, each row with its label at the left.

    Each pixel of an image becomes a square of whole pixels of the picture, with
    its value kept exactly (rounded to 8 bits).

    Args:
        rows: `(label, images)`; images float in [0, 1] `[N, H, W, C]` with C of
            1 or 3, all rows of the same shape.
        path: PNG file to write.
        captions: of each row the N texts above its images; by default there are none.

    Raises:
        ValueError: if there are no images, or shapes, range or the number of captions
            are others.
    """
    _check_not_empty("rows", rows)
    strips = [_strip(label, np.asarray(images)) for label, images in rows]
    if len({strip.shape for strip in strips}) > 1:
        shapes = [np.shape(images) for _, images in rows]
        raise ValueError(f"All rows must have the same shape. Received: {shapes}.")
    counts = [len(texts) for texts in captions]
    if counts and counts != [len(images) for _, images in rows]:
        raise ValueError(
            "`captions` must have a text for each image of each row, "
            f"{[len(images) for _, images in rows]}. Received: {counts} texts."
        )
    height, width = strips[0].shape[:2]
    side = (width + _GAP_PIXELS) // len(rows[0][1])  # of an image and a gap
    left = _label_pixels([label for label, _ in rows])
    width += left
    above = _CAPTION_PIXELS if captions else 0
    pitch = height + _GAP_PIXELS + above
    total = pitch * len(rows) - _GAP_PIXELS
    with _figure(width, total, path, palette=False) as figure:
        for index, ((label, _), strip) in enumerate(zip(rows, strips, strict=True)):
            bottom = total - height - above - index * pitch
            figure.figimage(strip, left, bottom)
            x = (left - _GAP_PIXELS) / width
            y = (bottom + height / 2) / total
            figure.text(x, y, label, ha="right", va="center")
            for number, text in enumerate(captions[index] if captions else ()):
                x = (left + number * side + (side - _GAP_PIXELS) / 2) / width
                y = (bottom + height + above / 2) / total
                figure.text(x, y, text, ha="center", va="center", fontsize=7)


def embedding(
    panels: Sequence[tuple[str, np.ndarray, np.ndarray]],
    class_names: Sequence[str],
    path: files.PathLike,
    *,
    one_map: bool = False,
) -> None:
    """Draws points of the plane by class, panels side by side, one legend.

    Classes whose names are single characters are drawn as these, others with a
    marker each.

    Args:
        panels: `(title, points, labels)`; points float `[N, 2]`, without unit
            (the axes bear no ticks), labels int `[N]`, indices into
            `class_names`.
        class_names: one for each class.
        path: PNG file to write.
        one_map: whether the panels show parts of one map, in the same frame.

    Raises:
        ValueError: if there is no panel, or shapes or labels do not fit.
    """
    _check_not_empty("panels", panels)
    panels = [_checked_points(*panel, len(class_names)) for panel in panels]
    looks = _looks(class_names)
    with _figure(580 * len(panels) + 160, 600, path) as figure:
        figure.set_layout_engine("constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, (title, points, labels) in zip(axes, panels, strict=True):
            axis.set(title=title, xticks=[], yticks=[])
            axis.set_aspect("equal", adjustable="datalim")
            axis.spines[:].set(visible=True, color="0.8")
            for index, look in enumerate(looks):
                axis.scatter(*points[labels == index].T, s=15, linewidths=0, **look)
            if one_map:
                axis.update_datalim(np.concatenate([points for _, points, _ in panels]))
                axis.autoscale_view()
        handles = _legend_handles(class_names, looks)
        figure.legend(
            handles=handles,
            loc="outside right center",
            ncols=-(-len(handles) // _LEGEND_LINES),
            frameon=False,
            handletextpad=0.2,
        )


def curves(panels: Sequence[Panel], path: files.PathLike) -> None:
    """Draws curves with error bars, panels side by side, one legend.

    What has the same label looks the same in all panels.

    Args:
        panels: see `Panel` and `Curve`.
        path: PNG file to write.

    Raises:
        ValueError: if there is no panel, or lengths within a curve differ.
    """
    _check_not_empty("panels", panels)
    for curve in (curve for panel in panels for curve in panel.curves):
        _check_lengths(curve)
    looks = _curve_looks(panels)
    with _figure(680 * len(panels) + _LEGEND_PIXELS, 620, path) as figure:
        figure.set_layout_engine("constrained", w_pad=0.1)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        handles: dict[str, Artist] = {}
        for axis, panel in zip(axes, panels, strict=True):
            axis.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
            for curve in panel.curves:
                _draw_curve(axis, curve, looks)
            for index, (label, level) in enumerate(panel.levels):
                style = {"linestyle": _LINES[index % len(_LINES)], "color": "0.3"}
                axis.axhline(level, label=label, linewidth=1, **style)
            for label, bound in panel.bounds:
                axis.axhline(bound, label=label, linewidth=1, color=_BOUND_COLOUR)
            for index, (label, x) in enumerate(panel.verticals):
                style = {"linestyle": _LINES[index % len(_LINES)], "color": "0.3"}
                axis.axvline(x, label=label, linewidth=1, **style)
            axis.margins(0.1)
            if panel.logarithmic:
                axis.set_xscale("log")
                label_few_ticks(axis)
            axis.grid(color="0.92")
            axis.set_axisbelow(True)
            drawn = zip(*axis.get_legend_handles_labels(), strict=True)
            handles |= {label: handle for handle, label in drawn}
        labels = _legend_labels(panels)
        figure.legend(
            handles=[handles[label] for label in labels],
            labels=labels,
            loc="outside right center",
            frameon=False,
        )


def matrix(
    values: np.ndarray,
    names: tuple[Sequence[str], Sequence[str]],
    labels: tuple[str, str],
    path: files.PathLike,
) -> None:
    """Draws numbers from 0 to 100 as shades of grey with the rounded number in each.

    Args:
        values: float `[R, C]`, such as percentages; NaN stays empty.
        names: of the rows and of the columns.
        labels: what the rows and the columns are.
        path: PNG file to write.

    Raises:
        ValueError: if the numbers of names are others.
    """
    counts = tuple(len(each) for each in names)
    if counts != values.shape:
        raise ValueError(
            f"`names` must be those of {values.shape} rows and columns. "
            f"Received: {counts} names."
        )
    rows, columns = values.shape
    size = (_CELL_PIXELS * columns + 120, _CELL_PIXELS * rows + 120)
    with _figure(*size, path) as figure:
        figure.set_layout_engine("constrained")
        axis = figure.subplots()
        axis.imshow(values, cmap="Greys", vmin=0, vmax=200)  # black text stays legible
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                axis.text(column, row, f"{value:.0f}", ha="center", va="center")
        axis.set_xticks(range(columns), names[1])
        axis.set_yticks(range(rows), names[0])
        axis.set(xlabel=labels[1], ylabel=labels[0])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)


def heat_maps(
    panels: Mapping[str, np.ndarray | None],
    names: Sequence[str],
    label: str,
    path: files.PathLike,
) -> None:
    """Draws matrices of numbers from -1 to 1 beside each other, in equal colours.

    Args:
        panels: title -> float `[K, K]`; NaN stays white, None leaves a panel empty.
        names: of the K rows and columns.
        label: what the numbers are.
        path: PNG file to write.

    Raises:
        ValueError: if there is no matrix, or the numbers of names are others.
    """
    shown = [values for values in panels.values() if values is not None]
    _check_not_empty("panels", shown)
    for title, values in panels.items():
        if values is not None and values.shape != (len(names), len(names)):
            raise ValueError(
                f"`names` must be those of the rows and columns. Received: "
                f"{len(names)} names and the shape {values.shape} in {title!r}."
            )
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    side = _HEAT_PIXELS * len(names) + 160
    with _figure(side * columns + 160, side * rows, path) as figure:
        figure.set_layout_engine("constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis, (title, values) in zip(axes.flat, panels.items(), strict=False):
            axis.set_title(title)
            axis.tick_params(length=0)
            if values is None:
                axis.set(xticks=[], yticks=[], aspect="equal")
                continue
            drawn = axis.imshow(values, cmap="viridis", vmin=-1, vmax=1)
            axis.set_xticks(range(len(names)), names, rotation=90)
            axis.set_yticks(range(len(names)), names)
        figure.colorbar(drawn, ax=axes, label=label, shrink=0.6)


def label_few_ticks(axis: Axes) -> None:
    """Labels 1, 2 and 5 of each decade of a logarithmic x-axis of less than two.

    matplotlib labels ten of them, which run into each other.
    """
    low, high = axis.get_xlim()
    if high >= 100 * low:
        return
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())


def curves_in_space(
    panels: Sequence[Panel], depth_label: str, path: files.PathLike
) -> None:
    """Draws the curves of each panel one behind another, in three dimensions.

    Args:
        panels: see `Panel`; of their curves x and y are drawn, y upwards.
        depth_label: of the third axis, on which the curves have their number.
        path: PNG file to write.

    Raises:
        ValueError: if there is no panel, or lengths within a curve differ.
    """
    _check_not_empty("panels", panels)
    for curve in (curve for panel in panels for curve in panel.curves):
        _check_lengths(curve)
    with _figure(620 * len(panels), 620, path) as figure:
        axes = figure.subplots(
            1, len(panels), squeeze=False, subplot_kw={"projection": "3d"}
        )[0]
        for axis, panel in zip(axes, panels, strict=True):
            axis.set(title=panel.title, xlabel=panel.x_label, ylabel=depth_label)
            axis.set_zlabel(panel.y_label)
            for depth, curve in enumerate(panel.curves):
                behind = np.full(len(curve.x), depth)
                axis.plot(curve.x, behind, curve.y, color=_COLOURS[0], linewidth=0.8)
            axis.set_box_aspect(None, zoom=0.85)  # else the last label is cut
        figure.subplots_adjust(left=0.02, right=0.97, wspace=0.1)


def diagram(
    boxes: Mapping[str, tuple[float, float]],
    arrows: Sequence[tuple[str, str]],
    path: files.PathLike,
) -> None:
    """Draws labelled boxes and the arrows between them.

    Args:
        boxes: text -> its centre, both coordinates in [0, 1].
        arrows: texts of the boxes (from, to).
        path: PNG file to write.

    Raises:
        ValueError: if an arrow has no such box.
    """
    for name in (name for arrow in arrows for name in arrow):
        if name not in boxes:
            raise ValueError(
                "`arrows` must join boxes. Received: an arrow of "
                f"{name!r}, boxes={list(boxes)}."
            )
    with _figure(1300, 560, path) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        axis.set_axis_off()
        texts = {
            name: axis.text(
                *centre,
                name,
                ha="center",
                va="center",
                bbox={"boxstyle": "round,pad=0.5", "fc": "white", "ec": "0.3"},
            )
            for name, centre in boxes.items()
        }
        for first, second in arrows:
            axis.annotate(
                "",
                xy=boxes[second],
                xytext=boxes[first],
                arrowprops={
                    "arrowstyle": "->",
                    "patchA": texts[first].get_bbox_patch(),
                    "patchB": texts[second].get_bbox_patch(),
                    "color": "0.3",
                },
            )


def _legend_labels(panels: Sequence[Panel]) -> list[str]:
    """Curves, each before its points, then horizontal lines; each label once."""
    labels: dict[str, None] = {}
    for curve in (curve for panel in panels for curve in panel.curves):
        labels |= dict.fromkeys([curve.label, *curve.names])
    for panel in panels:
        lines = [*panel.levels, *panel.bounds, *panel.verticals]
        labels |= dict.fromkeys(label for label, _ in lines)
    return list(labels)


def _curve_looks(panels: Sequence[Panel]) -> dict[str, dict[str, str]]:
    """Colour and marker of each label of a curve or a point."""
    labels: dict[str, None] = {}
    for curve in (curve for panel in panels for curve in panel.curves):
        labels |= dict.fromkeys(curve.names or [curve.like or curve.label])
    return {
        label: {
            "color": _COLOURS[index % len(_COLOURS)],
            "marker": _MARKERS[index % len(_MARKERS)],
        }
        for index, label in enumerate(labels)
    }


def _draw_curve(axis, curve: Curve, looks: dict[str, dict[str, str]]) -> None:
    style = {"markersize": 5, "linewidth": 1.2, "elinewidth": 0.8, "capsize": 2}
    if not curve.names:
        errors = {"xerr": curve.x_error, "yerr": curve.y_error}
        line = curve.line if len(curve.x) > 1 else ""
        look = looks[curve.like or curve.label] | {"linestyle": line}
        if not curve.marked:
            look, style = look | {"marker": ""}, {"linewidth": 0.8}
        if curve.band is not None:
            low, high = curve.band
            axis.fill_between(curve.x, low, high, color=look["color"], alpha=0.2, lw=0)
        axis.errorbar(curve.x, curve.y, label=curve.label, **errors, **look, **style)
        return
    axis.plot(curve.x, curve.y, label=curve.label, color="0.6", linewidth=1.2)
    for index, name in enumerate(curve.names):
        errors = {
            key: None if error is None else [error[index]]
            for key, error in (("xerr", curve.x_error), ("yerr", curve.y_error))
        }
        point = ([curve.x[index]], [curve.y[index]])
        axis.errorbar(*point, label=name, **errors, **looks[name], **style, ls="")


def _label_pixels(labels: Sequence[str]) -> int:
    """Width of a column that holds the labels, with a gap on either side."""
    with matplotlib.rc_context(matplotlib.rcParamsDefault | _STYLE):
        figure = Figure(dpi=_PIXELS_PER_INCH)
        renderer = FigureCanvasAgg(figure).get_renderer()
        texts = [figure.text(0, 0, label) for label in labels]
        width = max(text.get_window_extent(renderer).width for text in texts)
    return math.ceil(width) + 2 * _GAP_PIXELS


def _strip(label, images):
    """Images `[N, H, W, C]` side by side, enlarged, uint8 `[h, w, 3]`."""
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            "Images must have the shape [N, H, W, C] with C of 1 or 3. "
            f"Received: shape={images.shape} in row {label!r}."
        )
    if not (images.min() >= 0 and images.max() <= 1):  # NaN fails as well
        raise ValueError(
            "Images must lie in [0, 1]; clip them first. Received: "
            f"[{images.min():.3g}, {images.max():.3g}] in row {label!r}."
        )
    scale = max(1, round(_IMAGE_PIXELS / max(images.shape[1:3])))
    pixels = np.rint(images * 255).astype(np.uint8)
    pixels = np.broadcast_to(pixels, (*pixels.shape[:3], 3))
    pixels = pixels.repeat(scale, axis=1).repeat(scale, axis=2)
    gap = ((0, 0), (0, 0), (0, _GAP_PIXELS), (0, 0))
    strip = np.concatenate(np.pad(pixels, gap, constant_values=255), axis=1)
    return strip[:, :-_GAP_PIXELS]


def _checked_points(title, points, labels, classes):
    points, labels = np.asarray(points), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ValueError(
            "Points must have the shape [N, 2] and labels [N]. Received: "
            f"points.shape={points.shape}, labels.shape={labels.shape} in {title!r}."
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"Labels must lie in [0, {classes}), the number of `class_names`. "
            f"Received: [{labels.min()}, {labels.max()}] in {title!r}."
        )
    return title, points, labels


def _looks(class_names):
    """Colour and marker of each class, as keywords of `scatter` and `Line2D`."""
    characters = all(len(name) == 1 and name.isalnum() for name in class_names)
    markers = [f"${name}$" for name in class_names] if characters else _MARKERS
    return [
        {
            "color": _COLOURS[index % len(_COLOURS)],
            "marker": markers[index % len(markers)],
        }
        for index in range(len(class_names))
    ]


def _legend_handles(class_names, looks):
    handles = []
    for name, look in zip(class_names, looks, strict=True):
        # Beside the name "7" a glyph "7" would read as a second name: a dot.
        marker = look["marker"] if look["marker"] in _MARKERS else "o"
        look = look | {"marker": marker}
        handles.append(Line2D([], [], linestyle="", label=name, **look))
    return handles


def _check_not_empty(name, values):
    if not len(values):
        raise ValueError(f"`{name}` must not be empty. Received: {name}={values!r}.")


def _check_lengths(curve):
    for name in ("y", "x_error", "y_error", "names"):
        values = getattr(curve, name)
        absent = values is None or (name == "names" and not values)
        if not absent and len(values) != len(curve.x):
            raise ValueError(
                f"`{name}` of the curve {curve.label!r} must be as long as `x`, "
                f"{len(curve.x)}. Received: {len(values)} values."
            )


@contextlib.contextmanager
def _figure(width, height, path, *, palette=True) -> Iterator[Figure]:
    """A figure of `width` x `height` pixels, written to `path` at the end.

    A drawing is kept in 256 colours, at a third of the size; images are not.
    """
    # Styles that a user keeps for other work must not change these pictures.
    with matplotlib.rc_context(matplotlib.rcParamsDefault | _STYLE):
        size = (width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH)
        figure = Figure(figsize=size, dpi=_PIXELS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        yield figure
        canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    if palette:
        picture = picture.quantize(256, dither=Image.Dither.NONE)
    with files.replacing(path) as temporary:
        picture.save(temporary, format="png", optimize=True)
