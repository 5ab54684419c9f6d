import base64
import collections
import dataclasses
import html.parser
import re

import numpy as np
import pytest

from tfsemae.reports import Picture, figures, page

VOID = {"meta", "link", "img"}
BLOCKS = {"td", "th", "dt", "dd", "p", "li"}
DASH = "\u2013"


class Parser(html.parser.HTMLParser):
    """Keeps tags with their attributes and the text; checks nesting."""

    def __init__(self):
        super().__init__()
        self.tags = []
        self.open = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()
        if tag in BLOCKS:
            self.text += " "

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data


def parse(path):
    parser = Parser()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert parser.open == []
    parser.text = " ".join(parser.text.split())
    return parser


@pytest.fixture
def results(tmp_path):
    """Folder of pictures as the sample ledger names them."""
    rows = [("original", np.zeros((2, 28, 28, 1)))]
    figures.image_grid(rows, tmp_path / "results/ming2022_mnist/figure_3.png")
    return tmp_path / "results"


@pytest.fixture
def write(results, tmp_path):
    def written(ledgers, fresh=()):
        page.write(
            tmp_path / "index.html",
            ledgers,
            pictures_from=results,
            fresh=fresh,
            fresh_pictures_from=results,
        )
        return tmp_path / "index.html"

    return written


def test_page_says_all_that_the_ledger_says(write, ledger):
    text = parse(write([ledger])).text
    for part in [
        *("ming2022_mnist", "Ming 2022, Table II", "full", "2 h 31 min"),
        *("PSNR, semantic dB 25.10 25.35 ± 0.12 n = 5 +0.25 our choice",),
        *("whole test set", f"silhouette {DASH} 0.0871 n = 1 {DASH} as printed"),
        *("Labels cost next to nothing.", "paired difference of PSNR in dB"),
        "✗ does not hold \u22121.044 [\u22121.130, \u22120.951]",
        *("Both at once.", "too few seeds", "? undecided"),
        *("Fig. 3: digits. Seed 0.", "loss mse leaves the plateau"),
        *("./reproduce.sh ming2022_mnist", ledger.revision),
        *("python 3.11.7, keras 3.15.1", "processor A Processor, cores 2"),
        "Claims: ✓ holds 0 ✗ does not hold 1 ? undecided 1",
    ]:
        assert part in text


def test_numbers_are_there_in_full(write, ledger):
    values = [
        attrs["value"] for tag, attrs in parse(write([ledger])).tags if tag == "data"
    ]
    row, claim = ledger.rows[0], ledger.claims[0]
    expected = (row.printed, row.measured, row.sd, row.difference)
    expected += (ledger.rows[1].measured, claim.effect, claim.low, claim.high)
    assert [float(value) for value in values] == list(expected)


def test_page_needs_no_other_file(write, ledger, results):
    path = write([ledger])
    parser = parse(path)
    assert {tag for tag, _ in parser.tags}.isdisjoint({"script", "iframe", "object"})
    for tag, attrs in parser.tags:
        if "src" in attrs or tag == "link":
            assert attrs.get("src", attrs.get("href")).startswith("data:")
        elif "href" in attrs:
            assert attrs["href"].startswith("#")
        assert not any(name.startswith("on") or name == "style" for name in attrs)
    assert not re.search(r"url\(|@import|https?:", path.read_text(encoding="utf-8"))
    [image] = [attrs for tag, attrs in parser.tags if tag == "img"]
    content = (results / "ming2022_mnist/figure_3.png").read_bytes()
    assert base64.b64decode(image["src"].partition(",")[2]) == content
    assert image["alt"] == "Fig. 3: digits"
    # 150 for the label, two digits of 112 and the 8 between them.
    assert (image["width"], image["height"]) == ("382", "112")


def test_page_is_semantic(write, ledger):
    tags = parse(write([ledger])).tags
    counts = collections.Counter(tag for tag, _ in tags)
    assert counts["h1"] == counts["main"] == 1
    assert counts["table"] == counts["caption"] == 3
    assert all("scope" in attrs for tag, attrs in tags if tag == "th")
    names = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(names) == len(set(names))
    targets = {attrs["href"][1:] for tag, attrs in tags if tag == "a"}
    assert targets <= set(names)
    assert {"ming2022_mnist.row.psnr", "ming2022_mnist.claim.1"} <= set(names)
    meta = {attrs.get("name"): attrs.get("content") for t, attrs in tags if t == "meta"}
    assert meta["color-scheme"] == "light dark"


def test_text_is_escaped(write, ledger, make_ledger):
    evil = "<script>alert('1')</script>\" & <b>"
    changed = make_ledger(
        source=evil,
        command=evil,
        rows=(dataclasses.replace(ledger.rows[0], note=evil, quantity=evil),),
        claims=(dataclasses.replace(ledger.claims[0], statement=evil),),
        pictures=(Picture(file="figure_3.png", caption=evil),),
        choices=(dataclasses.replace(ledger.choices[0], value=evil, reason=evil),),
        machine={evil: evil},
    )
    path = write([changed])
    parser = parse(path)
    assert "<script" not in path.read_text(encoding="utf-8")
    # source twice, machine twice, and command, note, quantity, statement,
    # caption, value and reason
    assert parser.text.count(evil) == 11
    assert [attrs["alt"] for tag, attrs in parser.tags if tag == "img"] == [evil]


@pytest.mark.parametrize(("count", "folded"), [(29, False), (30, True)])
def test_many_numbers_that_are_not_printed_are_folded(
    write, make_ledger, ledger, count, folded
):
    printed, other = ledger.rows
    others = [dataclasses.replace(other, id=f"other{k}") for k in range(count)]
    parser = parse(write([make_ledger(rows=(*others[:5], printed, *others[5:]))]))
    tags = [tag for tag, _ in parser.tags]
    assert tags.count("details") == folded
    if folded:
        _, _, inside = parser.text.partition("30 more numbers")
        assert inside.count(other.quantity) == 30
        assert printed.quantity not in inside
    names = [attrs["id"] for _, attrs in parser.tags if "row" in attrs.get("id", "")]
    assert len(names) == count + 1


def test_where_nothing_is_printed_the_first_numbers_are_shown(
    write, make_ledger, ledger
):
    _, other = ledger.rows
    rows = [dataclasses.replace(other, id=f"r{k}", quantity=f"#{k}") for k in range(32)]
    shown, _, folded = parse(write([make_ledger(rows=rows)])).text.partition("2 more")
    assert "#29" in shown
    assert "#30" in folded
    assert "#31" in folded


def test_parts_are_not_counted_again(write, make_ledger, ledger):
    part, whole = ledger.claims
    part = dataclasses.replace(part, part_of=whole.id)
    parser = parse(write([make_ledger(claims=(whole, part))]))
    marked = [attrs["id"] for _, attrs in parser.tags if attrs.get("class") == "part"]
    assert marked == [f"ming2022_mnist.claim.{part.id}"]
    assert "Claims: ✓ holds 0 ✗ does not hold 0 ? undecided 1" in parser.text


def test_interval_is_drawn_to_scale(write, make_ledger, ledger):
    claim = dataclasses.replace(ledger.claims[0], effect=0.5, low=-1, high=2)
    tags = parse(write([make_ledger(claims=(claim,))])).tags
    # Zero at 100 and the farthest end, 2, 90 away.
    [bar] = [attrs["d"] for tag, attrs in tags if attrs.get("class") == "bar"]
    assert bar == "M55.0 7H190.0"
    [dot] = [attrs["cx"] for tag, attrs in tags if tag == "circle"]
    assert dot == "122.5"


def test_interval_of_nothing_is_not_drawn(write, make_ledger, ledger):
    claim = dataclasses.replace(ledger.claims[0], effect=0, low=0, high=0)
    tags = parse(write([make_ledger(claims=(claim,))])).tags
    assert "svg" not in [tag for tag, _ in tags]


@pytest.mark.parametrize("scale", ["full", "reduced", "smoke"])
def test_scale_is_marked(write, make_ledger, scale):
    parser = parse(write([make_ledger(scale=scale)]))
    badges = [attrs for _, attrs in parser.tags if "scale" in attrs.get("class", "")]
    assert [badge["class"] for badge in badges] == [f"scale {scale}"] * 2
    assert ("Smoke scale." in parser.text) == (scale == "smoke")


def test_landed_and_newly_measured_stand_side_by_side(write, ledger, make_ledger):
    psnr, silhouette = ledger.rows
    fresh = make_ledger(
        scale="smoke",
        rows=(
            dataclasses.replace(psnr, measured=20.1, sd=None, n=1),
            dataclasses.replace(psnr, id="ssim", quantity="SSIM", measured=91.5),
        ),
        claims=(dataclasses.replace(ledger.claims[1], verdict="holds"),),
    )
    text = parse(write([ledger], fresh=[fresh])).text
    assert "Quantity Paper Landed Difference Newly measured Difference Tag" in text
    assert "25.10 25.35 ± 0.12 n = 5 +0.25 20.10 n = 1 \u22125.00 our choice" in text
    assert f"{silhouette.quantity} {DASH} 0.0871 n = 1 {DASH} {DASH} {DASH} as" in text
    assert f"SSIM dB 25.10 {DASH} {DASH} 91.50 ± 0.12 n = 5 +66.40 our" in text
    assert "Landed ✗ does not hold \u22121.044" in text
    assert "Landed ? undecided Newly measured ✓ holds" in text
    assert "Smoke scale (newly measured)." in text
    assert "Claims, landed: ✓ holds 0 ✗ does not hold 1 ? undecided 1" in text
    assert "Claims, newly measured: ✓ holds 1 ✗ does not hold 0 ? undecided 0" in text


def test_a_reading_keeps_its_name_where_the_other_lacks_the_entry(
    write, ledger, make_ledger
):
    bare = make_ledger(rows=(), claims=(), pictures=())
    text = parse(write([bare], fresh=[ledger])).text
    assert "Newly measured ✗ does not hold" in text
    assert "Newly measured. Fig. 3: digits." in text
    assert "Landed ✗" not in text
    assert "Landed. Fig. 3" not in text


def test_an_artefact_may_be_in_one_list_only(write, make_ledger):
    landed = make_ledger("landed_only", pictures=())
    fresh = make_ledger("fresh_only", pictures=())
    names = [
        attrs["id"]
        for tag, attrs in parse(write([landed], fresh=[fresh])).tags
        if tag == "section" and "id" in attrs
    ]
    assert names == ["landed_only", "fresh_only"]


def test_no_ledgers_make_an_empty_page(write):
    assert "section" in [tag for tag, _ in parse(write([])).tags]


def test_bytes_repeat(write, ledger):
    once = write([ledger]).read_bytes()
    assert write([ledger]).read_bytes() == once


def test_missing_picture_is_said_so(write, make_ledger):
    with pytest.raises(FileNotFoundError, match=r"other.figure_3\.png"):
        write([make_ledger("other")])


def test_picture_must_be_a_png(write, ledger, results):
    (results / "ming2022_mnist/figure_3.png").write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match=r"figure_3\.png is not a PNG"):
        write([ledger])


def test_an_artefact_stands_once(write, ledger):
    with pytest.raises(ValueError, match=r"'ming2022_mnist' \(measured\)"):
        write([ledger, ledger])


def test_fresh_needs_the_folder_of_its_pictures(tmp_path, results, ledger):
    with pytest.raises(ValueError, match="fresh_pictures_from=None"):
        page.write(tmp_path / "a.html", [], pictures_from=results, fresh=[ledger])
