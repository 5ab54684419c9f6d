"""Pictures of images, codes and curves, as PNG files with repeatable bytes.

Each picture is readable in grey: what colour tells, a marker tells as well.
Colours: Petroff 2021, "Accessible color sequences for data visualization".
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from PIL import Image

from tfsemae import files

_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
# Eleven, so that with ten colours 110 classes look different.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p")
_LINES = ("--", ":", "-.")
_STYLE = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
_PIXELS_PER_INCH = 160
_IMAGE_PIXELS = 112  # shown size that images are enlarged to, about
_GAP_PIXELS = 8
_LABEL_PIXELS = 150
_LEGEND_LINES = 20
_POINT_PIXELS = 5
# Right and up of a point, in the order in which its name is put there.
_SIDES = ((1, 1), (-1, -1), (1, -1), (-1, 1), (0, 1), (0, -1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curve:
    """Points in the order in which a line joins them; one point is a marker.

    Attributes:
        label: its name in the legend.
        x: float `[N]`.
        y: float `[N]`.
        x_error: half length of the horizontal error bars, `[N]`, or None.
        y_error: half length of the vertical error bars, `[N]`, or None.
        names: text beside each point, `[N]`, or none at all; one that would
            cover something else is left out.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    x_error: Sequence[float] | None = None
    y_error: Sequence[float] | None = None
    names: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes.

    Attributes:
        x_label: quantity and unit.
        y_label: quantity and unit.
        curves: what is drawn.
        title: what stands above it, or nothing.
        levels: `(label, y)` of horizontal lines, a printed value for example.
    """

    x_label: str
    y_label: str
    curves: Sequence[Curve]
    title: str = ""
    levels: Sequence[tuple[str, float]] = ()


def image_grid(rows: Sequence[tuple[str, np.ndarray]], path: files.PathLike) -> None:
    """Draws rows of images, each row with its label at the left.

    Each pixel of an image becomes a square of whole pixels of the picture, with
    its value kept exactly (rounded to 8 bits).

    Args:
        rows: `(label, images)`; images float in [0, 1] `[N, H, W, C]` with C of
            1 or 3, all rows of the same shape.
        path: PNG file to write.

    Raises:
        ValueError: if there are no images, or shapes or range are others.
    """
    _check_not_empty("rows", rows)
    strips = [_strip(label, np.asarray(images)) for label, images in rows]
    if len({strip.shape for strip in strips}) > 1:
        shapes = [np.shape(images) for _, images in rows]
        raise ValueError(f"All rows must have the same shape. Received: {shapes}.")
    height, width = strips[0].shape[:2]
    width += _LABEL_PIXELS
    pitch = height + _GAP_PIXELS
    total = pitch * len(rows) - _GAP_PIXELS
    with _figure(width, total, path, palette=False) as figure:
        for index, ((label, _), strip) in enumerate(zip(rows, strips, strict=True)):
            bottom = total - height - index * pitch
            figure.figimage(strip, _LABEL_PIXELS, bottom)
            x = (_LABEL_PIXELS - 2 * _GAP_PIXELS) / width
            y = (bottom + height / 2) / total
            figure.text(x, y, label, ha="right", va="center")


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
    """Draws curves with error bars, panels side by side.

    Args:
        panels: see `Panel` and `Curve`.
        path: PNG file to write.

    Raises:
        ValueError: if there is no panel, or lengths within a curve differ.
    """
    _check_not_empty("panels", panels)
    with _figure(680 * len(panels), 620, path) as figure:
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, panel in zip(axes, panels, strict=True):
            axis.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
            for index, curve in enumerate(panel.curves):
                _draw_curve(axis, curve, index)
            for index, (label, level) in enumerate(panel.levels):
                line = _LINES[index % len(_LINES)]
                axis.axhline(
                    level, label=label, color="0.3", linestyle=line, linewidth=1
                )
            axis.margins(0.1)  # room for names
            axis.grid(color="0.92")
            axis.set_axisbelow(True)
            axis.legend(frameon=False)
        figure.tight_layout()
        for axis, panel in zip(axes, panels, strict=True):
            _name_points(axis, panel)


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


def _draw_curve(axis, curve, index):
    _check_lengths(curve)
    axis.errorbar(
        curve.x,
        curve.y,
        xerr=curve.x_error,
        yerr=curve.y_error,
        label=curve.label,
        color=_COLOURS[index % len(_COLOURS)],
        marker=_MARKERS[index % len(_MARKERS)],
        markersize=5,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=2,
    )


def _name_points(axis, panel):
    """Puts names beside their points, clear of curves, levels and each other."""
    taken = [axis.get_legend().get_window_extent()]
    for _, level in panel.levels:
        (_, y) = axis.transData.transform((0, level))
        taken.append(Bbox([(axis.bbox.x0, y), (axis.bbox.x1, y)]))
    points = []
    for curve in panel.curves:
        points.extend(axis.transData.transform(np.c_[curve.x, curve.y]))
        # Boxes along the curve, as there is none that is a line.
        dense = np.arange(0, len(curve.x) - 0.99, 0.02)
        along = [np.interp(dense, range(len(xy)), xy) for xy in (curve.x, curve.y)]
        for place in axis.transData.transform(np.transpose(along)):
            taken.append(Bbox([place - _POINT_PIXELS, place + _POINT_PIXELS]))
    for curve in panel.curves:
        for name, *point in zip(curve.names, curve.x, curve.y, strict=False):
            box = _name_point(axis, name, point, taken, np.array(points))
            if box is not None:
                taken.append(box)


def _name_point(axis, name, point, taken, points):
    """Tries one side after another; the box of the name, None without room."""
    own = axis.transData.transform(point)
    for right, up in _SIDES:
        text = axis.annotate(
            name,
            point,
            xytext=(5 * right, 5 * up),
            textcoords="offset points",
            ha=("center", "left", "right")[right],
            va=("center", "bottom", "top")[up],
            fontsize=8,
        )
        box = text.get_window_extent()
        middle = np.mean(box.get_points(), axis=0)
        nearest = points[np.argmin(np.linalg.norm(points - middle, axis=1))]
        free = _contains(axis.bbox, box) and not any(map(box.overlaps, taken))
        if free and np.array_equal(nearest, own):
            return box
        text.remove()
    return None


def _contains(outer, inner):
    return np.array_equal(Bbox.union([outer, inner]), outer)


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
