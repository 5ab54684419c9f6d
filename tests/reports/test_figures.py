import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from tfsemae.reports import figures

LIMIT = 300_000  # bytes, what may land in `results/`
DIGITS = [str(digit) for digit in range(10)]


def pixels(path):
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def cloud(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 2)), rng.integers(0, 10, count)


def draw_images(path, channels=1):
    images = np.random.default_rng(0).uniform(size=(10, 28, 28, channels))
    rows = [("original", images), ("vanilla", images), ("semantic", images)]
    figures.image_grid(rows, path)


def draw_embedding(path):
    panels = [("vanilla", *cloud(2000)), ("semantic", *cloud(2000, seed=1))]
    figures.embedding(panels, DIGITS, path)


def draw_curves(path):
    curve = figures.Curve(
        label="semantic",
        x=[0.1, 0.2, 0.3],
        y=[26.0, 25.0, 21.0],
        x_error=[0.01, 0.01, 0.01],
        y_error=[0.2, 0.2, 0.2],
        names=["0.01", "0.1", "1"],
    )
    panel = figures.Panel(
        x_label="silhouette",
        y_label="PSNR (dB)",
        curves=[curve, figures.Curve(label="vanilla", x=[0.08], y=[26.2])],
        levels=[("printed", 25.1)],
    )
    figures.curves([panel, panel], path)


def draw_curves_in_space(path):
    curve = figures.Curve(label="pairs", x=[0.1, 0.5], y=[1.0, 0.2])
    panel = figures.Panel(x_label="X", y_label="Z", curves=[curve, curve])
    figures.curves_in_space([panel, panel], "pair", path)


def draw_diagram(path):
    boxes = {"encoder": (0.2, 0.5), "decoder": (0.8, 0.5)}
    figures.diagram(boxes, [("encoder", "decoder")], path)


DRAWINGS = [
    draw_images,
    draw_embedding,
    draw_curves,
    draw_curves_in_space,
    draw_diagram,
]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_bytes_repeat_and_are_few(tmp_path, draw):
    draw(tmp_path / "a.png")
    draw(tmp_path / "b.png")
    content = (tmp_path / "a.png").read_bytes()
    assert content == (tmp_path / "b.png").read_bytes()
    assert len(content) < LIMIT
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info == {}  # neither date nor version


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_users_style_neither_matters_nor_is_touched(tmp_path, draw):
    draw(tmp_path / "a.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        draw(tmp_path / "b.png")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("channels", [1, 3])
def test_image_grid_keeps_each_pixel(tmp_path, channels):
    rng = np.random.default_rng(0)
    rows = [(name, rng.uniform(size=(3, 8, 12, channels))) for name in "ab"]
    figures.image_grid(rows, tmp_path / "grid.png")
    found = pixels(tmp_path / "grid.png")
    # 12 pixels come nearest to 112 when each becomes 9; 8 lie between images.
    left = found.shape[1] - (3 * 108 + 2 * 8)
    assert found.shape[0] == 2 * 72 + 8
    for row, (_, images) in enumerate(rows):
        for column, image in enumerate(images):
            top, start = row * 80, left + column * 116
            block = found[top : top + 72, start : start + 108]
            expected = np.rint(255 * image).repeat(9, axis=0).repeat(9, axis=1)
            np.testing.assert_array_equal(block, np.broadcast_to(expected, block.shape))


def test_image_grid_writes_captions_above_images(tmp_path):
    black = np.zeros((2, 28, 28, 1))
    rows, captions = [("a", black), ("b", black)], [["7  99 %", ""], ["", "1"]]
    figures.image_grid(rows, tmp_path / "grid.png", captions=captions)
    found = pixels(tmp_path / "grid.png").min(axis=2)
    # Two rows of 24 pixels for text and 112 of images, 8 between them.
    assert found.shape[0] == 2 * (24 + 112) + 8
    columns = slice(-232, -120), slice(-112, None)
    for row, written in enumerate(([True, False], [False, True])):
        top = row * 144
        for column, text in zip(columns, written, strict=True):
            assert (found[top : top + 24, column].min() < 100) == text
            assert not found[top + 24 : top + 136, column].any()
    with pytest.raises(ValueError, match=r"each row, \[2, 2\]. Received: \[2, 1\]"):
        figures.image_grid(rows, tmp_path / "no.png", captions=[["", ""], [""]])


def test_matrix_is_darker_where_numbers_are_greater(tmp_path):
    values = np.array([[0.0, 100.0, np.nan]])
    names = (["a"], ["x", "y", "z"])
    figures.matrix(values, names, ("label", "fake class"), tmp_path / "matrix.png")
    found = pixels(tmp_path / "matrix.png").mean(axis=(0, 2))
    darkest = int(np.argmax(np.convolve(255 - found, np.ones(20), "same")))
    assert abs(darkest / len(found) - 0.5) < 0.15  # the second of three columns
    with pytest.raises(ValueError, match=r"\(1, 3\) rows.*Received: \(1, 2\) names"):
        figures.matrix(values, (["a"], ["x", "y"]), ("", ""), tmp_path / "no.png")


def test_heat_maps_are_brighter_where_numbers_are_greater(tmp_path):
    names = [str(k) for k in range(6)]
    low, high = -np.ones((6, 6)), np.ones((6, 6))
    panels = {"low": low, "high": high, "missing": None}
    figures.heat_maps(panels, names, "cosine", tmp_path / "maps.png")
    found = pixels(tmp_path / "maps.png").mean(axis=2)
    middle, half = len(found) // 2, found.shape[1] // 2
    dark, bright = (np.median(found[:middle, k * half :][:, 120:240]) for k in (0, 1))
    assert dark < bright - 50
    assert np.median(found[middle:, :half]) == 255  # the empty panel
    with pytest.raises(ValueError, match=r"2 names and the shape \(6, 6\) in 'low'"):
        figures.heat_maps(panels, names[:2], "", tmp_path / "no.png")
    with pytest.raises(ValueError, match="`panels` must not be empty"):
        figures.heat_maps({"a": None}, names, "", tmp_path / "no.png")


def test_image_grid_writes_labels_and_white_gaps(tmp_path):
    black = np.zeros((2, 28, 28, 1))
    figures.image_grid([("original", black)], tmp_path / "grid.png")
    found = pixels(tmp_path / "grid.png")
    assert found[:, : -232 - 8].min() < 100
    assert (found[:, -120:-112] == 255).all()


@pytest.mark.parametrize("label", ["original", "reconstruction", "a much longer label"])
def test_image_grid_cuts_no_label(tmp_path, label):
    rows = [(text, np.ones((1, 28, 28, 1))) for text in ("a", label)]
    figures.image_grid(rows, tmp_path / "grid.png")
    column = pixels(tmp_path / "grid.png")[:, :-112].min(axis=(0, 2))
    # White on either side of what is written.
    assert column.min() < 100
    assert (column[:4] == 255).all()
    assert (column[-4:] == 255).all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "`rows` must not be empty"),
        ([("a", np.zeros((2, 8, 8)))], r"shape=\(2, 8, 8\) in row 'a'"),
        ([("a", np.zeros((2, 8, 8, 2)))], r"C of 1 or 3"),
        ([("a", np.zeros((0, 8, 8, 1)))], r"shape=\(0, 8, 8, 1\)"),
        ([("a", np.full((2, 8, 8, 1), 1.01))], r"clip them first.*\[1.01, 1.01\]"),
        ([("a", np.full((2, 8, 8, 1), -0.01))], "clip them first"),
        ([("a", np.full((2, 8, 8, 1), np.nan))], r"\[nan, nan\] in row 'a'"),
        (
            [("a", np.zeros((2, 8, 8, 1))), ("b", np.zeros((3, 8, 8, 1)))],
            "All rows must have the same shape",
        ),
    ],
)
def test_image_grid_refuses(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        figures.image_grid(rows, tmp_path / "grid.png")
    assert list(tmp_path.iterdir()) == []


def test_embedding_shows_each_class_in_its_place(tmp_path):
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    names = ["bird", "cat", "deer", "dog"]
    figures.embedding([("map", corners, np.arange(4))], names, tmp_path / "a.png")
    found = pixels(tmp_path / "a.png")[45:-15, 15:605].astype(int)  # inside the axes
    colours = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in figures._COLOURS]
    middles = []
    for (x, y), colour in zip(corners, colours[:4], strict=True):
        # Quantising to 256 colours may move a channel by a few steps.
        near = np.abs(found - colour).max(axis=-1) < 12
        rows, columns = np.nonzero(near)
        assert (columns.mean() > found.shape[1] / 2) == bool(x)
        assert (rows.mean() < found.shape[0] / 2) == bool(y)
        middles.append((columns.mean(), rows.mean()))
    # A square stays one; markers of other shapes have their middles a pixel off.
    (left, bottom), _, _, (right, top) = middles
    assert right - left == pytest.approx(bottom - top, abs=2)


def _of_class_0(path, panel):
    """Middle of the points of class 0 in a panel, as shares of the panel."""
    found = pixels(path)[45:-15, 15 + 617 * panel : 605 + 617 * panel].astype(int)
    colour = [int(figures._COLOURS[0][i : i + 2], 16) for i in (1, 3, 5)]
    rows, columns = np.nonzero(np.abs(found - colour).max(axis=-1) < 12)
    return columns.mean() / found.shape[1], 1 - rows.mean() / found.shape[0]


def test_panels_of_one_map_have_one_frame(tmp_path):
    def draw(name, one_map):
        # The same point is a corner of the first part and the middle of the second.
        parts = [[[0, 0], [8, 8]], [[-8, -8], [0, 0], [8, 8]]]
        labels = [[0, 1], [1, 0, 1]]
        panels = [
            (str(i), np.array(part), np.array(labels[i]))
            for i, part in enumerate(parts)
        ]
        figures.embedding(panels, ["a", "b"], tmp_path / name, one_map=one_map)
        return [_of_class_0(tmp_path / name, panel) for panel in (0, 1)]

    # Within a marker's width of the middle.
    np.testing.assert_allclose(draw("one.png", True), 0.5, atol=0.02)
    first, second = draw("two.png", False)
    assert max(first) < 0.2
    np.testing.assert_allclose(second, 0.5, atol=0.02)


def test_embedding_reads_in_grey():
    looks = figures._looks([f"class {index}" for index in range(110)])
    assert len({look["marker"] for look in looks[:10]}) == 10
    assert len({tuple(look.values()) for look in looks}) == 110
    assert [look["marker"] for look in figures._looks("012")] == ["$0$", "$1$", "$2$"]


def test_embedding_of_many_points_is_small(tmp_path):
    rng = np.random.default_rng(0)
    panels = [
        (name, rng.uniform(size=(4000, 2)), rng.integers(0, 10, 4000))
        for name in ("vanilla", "semantic")
    ]
    figures.embedding(panels, DIGITS, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < LIMIT


def test_embedding_of_one_panel_and_long_names(tmp_path):
    names = [f"a rather long name {index}" for index in range(30)]
    points, labels = cloud(50)
    figures.embedding([("map", points, labels)], names, tmp_path / "a.png")
    found = pixels(tmp_path / "a.png")
    assert (found[:, -2:] == 255).all()  # the legend ends within the picture


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ([], "`panels` must not be empty"),
        ([("m", np.zeros((3, 3)), [0, 1, 1])], r"points.shape=\(3, 3\).*'m'"),
        ([("m", np.zeros((3, 2)), [0, 1])], r"labels.shape=\(2,\)"),
        ([("m", np.zeros((3, 2)), [0, 1, 10])], r"Labels must lie in \[0, 10\).*10\]"),
        ([("m", np.zeros((3, 2)), [-1, 1, 1])], r"Received: \[-1, 1\]"),
    ],
)
def test_embedding_refuses(tmp_path, panels, message):
    with pytest.raises(ValueError, match=message):
        figures.embedding(panels, DIGITS, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_curves_grow_by_panel(tmp_path):
    panel = figures.Panel(
        x_label="x", y_label="y", curves=[figures.Curve(label="a", x=[0], y=[1])]
    )
    for count in (1, 2, 3):
        figures.curves([panel] * count, tmp_path / "a.png")
        assert pixels(tmp_path / "a.png").shape == (620, 680 * count + 260, 3)


def colours(path):
    """Which of the colours of curves a picture has, the palette's error apart."""
    found = pixels(path).astype(int)
    rgb = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in figures._COLOURS]
    return [bool((np.abs(found - colour).max(axis=-1) < 6).any()) for colour in rgb]


def test_points_with_names_have_a_colour_each(tmp_path):
    def draw(names):
        curve = figures.Curve(
            label="a", x=[0, 1, 2], y=[0, 1, 2], y_error=[0.1] * 3, names=names
        )
        panel = figures.Panel(x_label="x", y_label="y", curves=[curve])
        figures.curves([panel], tmp_path / "a.png")
        return colours(tmp_path / "a.png")

    assert draw(["1", "2", "3"])[:4] == [True, True, True, False]
    assert draw([])[:2] == [True, False]


def test_the_same_label_looks_the_same_in_all_panels(tmp_path):
    a, b = (figures.Curve(label=label, x=[0, 1], y=[0, 1]) for label in "ab")
    panels = [
        figures.Panel(x_label="x", y_label="y", curves=curves)
        for curves in ([a, b], [b])
    ]
    figures.curves(panels, tmp_path / "a.png")
    found = pixels(tmp_path / "a.png")[:, 700:1350].astype(int)  # within the second
    first, second = ([0x3F, 0x90, 0xDA], [0xFF, 0xA9, 0x0E])
    assert not (np.abs(found - first).max(axis=-1) < 6).any()
    assert (np.abs(found - second).max(axis=-1) < 6).any()


def test_bounds_are_drawn_across_the_panel(tmp_path):
    curve = figures.Curve(label="a", x=[0, 1], y=[0, 1])
    panel = figures.Panel(
        x_label="x", y_label="y", curves=[curve], bounds=[("bound", 0.5)]
    )
    figures.curves([panel], tmp_path / "a.png")
    found = pixels(tmp_path / "a.png").astype(int)
    near = np.abs(found - [0x1D, 0x4F, 0x7C]).max(axis=-1) < 40
    assert near.sum(axis=1).max() > 500  # pixels of a row


@pytest.mark.parametrize("name", ["y", "x_error", "y_error", "names"])
def test_curves_refuse_unequal_lengths(tmp_path, name):
    fields = {"label": "a", "x": [0, 1], "y": [0, 1], name: [0]}
    panel = figures.Panel(x_label="x", y_label="y", curves=[figures.Curve(**fields)])
    with pytest.raises(ValueError, match=f"`{name}` of the curve 'a'.*Received: 1"):
        figures.curves([panel], tmp_path / "a.png")
    with pytest.raises(ValueError, match="`panels` must not be empty"):
        figures.curves([], tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_curve_like_another_has_its_colour_and_a_line_of_its_own(tmp_path):
    first = figures.Curve(label="a", x=[0, 1], y=[0, 1])
    like = figures.Curve(label="b", x=[0, 1], y=[1, 0], like="a", line="--")
    figures.curves(
        [figures.Panel(x_label="x", y_label="y", curves=[first, like])],
        tmp_path / "a.png",
    )
    assert colours(tmp_path / "a.png")[:2] == [True, False]


def test_band_and_vertical_lines_are_drawn_where_they_belong(tmp_path):
    def drawn(**changes):
        x = np.array([0.0, 1.0])
        curve = figures.Curve(label="a", x=x, y=x, band=(x - 0.5, x + 0.5))
        fields = {"x_label": "x", "y_label": "y", "curves": [curve]} | changes
        figures.curves([figures.Panel(**fields)], tmp_path / "a.png")
        return pixels(tmp_path / "a.png").astype(int)

    plain = drawn()
    tinted = (plain[..., 2] - plain[..., 0] > 20).mean()
    assert tinted > 0.1  # half the height of a third of the picture, in pale blue
    # The legend has the same names, so that nothing but the line is elsewhere.
    first, second = (drawn(verticals=[("there", x)]) for x in (0.25, 0.75))
    # Pictures have a palette: equal colours differ a little.
    columns = np.flatnonzero((np.abs(first - second) > 80).any(axis=(0, 2)))
    left, right = np.split(columns, [np.argmax(np.diff(columns)) + 1])
    assert 1 <= len(left) <= 4
    assert 1 <= len(right) <= 4
    assert right.mean() - left.mean() > 100


def test_an_arrow_without_a_box_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Received: an arrow of 'b'"):
        figures.diagram({"a": (0.5, 0.5)}, [("a", "b")], tmp_path / "a.png")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.024, 0.45, [0.05, 0.1, 0.2]), (0.9, 30, [1, 2, 5, 10, 20])],
)
def test_labels_of_a_short_logarithmic_axis_are_few(low, high, expected):
    figure = Figure()
    canvas = FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    figures.label_few_ticks(axis)
    canvas.draw()
    ticks = [*axis.xaxis.get_major_ticks(), *axis.xaxis.get_minor_ticks()]
    labelled = [tick.get_loc() for tick in ticks if tick.label1.get_text()]
    assert sorted(x for x in labelled if low <= x <= high) == pytest.approx(expected)
