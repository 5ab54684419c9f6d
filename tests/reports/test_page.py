import base64
import collections
import dataclasses
import html.parser
import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from tfsemae.reports import Picture, figures, page, sentences

VOID = {"meta", "link", "img"}
BLOCKS = {"td", "th", "dt", "dd", "p", "li", "h1", "h2", "h3", "div"}
BLOCKS |= {"figcaption", "summary", "text"}
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
    figures.image_grid(rows, tmp_path / "results/paper_mnist/figure_3.png")
    return tmp_path / "results"


@pytest.fixture
def write(results, tmp_path):
    """Writes the pages and returns the path of the page of `paper`."""

    def written(ledgers, fresh=()):
        page.write(
            tmp_path / "pages",
            ledgers,
            pictures_from=results,
            fresh=fresh,
            fresh_pictures_from=results,
        )
        return tmp_path / "pages" / "paper.html"

    return written


def test_page_says_all_that_the_ledger_says(write, ledger):
    text = parse(write([ledger])).text
    for part in [
        *("paper_mnist", "Ming 2022, Table II", "full", "2 h 31 min"),
        "PSNR, semantic dB paper_mnist 25.10 25.35 ± 0.12 n = 5 +0.25 as printed",
        "PSNR, semantic dB 25.10 25.35 ± 0.12 n = 5 +0.25 as printed whole test set",
        f"silhouette {DASH} 0.0871 {DASH} our choice",
        *("Labels cost next to nothing.", "paired difference of PSNR in dB"),
        "✗ does not hold \u22121.044 [\u22121.130, \u22120.951]",
        *("Both at once.", "too few seeds", "? undecided"),
        *("Fig. 3: digits. Seed 0.", "loss mse leaves the plateau"),
        "too_weak: restarts gain 12 %",
        *("./reproduce.sh paper_mnist", ledger.revision),
        *("python 3.11.7, keras 3.15.1", "processor A Processor, cores 2"),
    ]:
        assert part in text


def test_printed_numbers_are_there_in_full(write, ledger):
    values = [
        attrs["value"] for tag, attrs in parse(write([ledger])).tags if tag == "data"
    ]
    row = ledger.rows[0]
    expected = [row.printed, row.measured, row.difference]
    assert [float(value) for value in values] == expected


def test_page_needs_no_other_file(write, ledger, results):
    path = write([ledger])
    parser = parse(path)
    assert {tag for tag, _ in parser.tags}.isdisjoint({"script", "iframe", "object"})
    for tag, attrs in parser.tags:
        if "src" in attrs or tag == "link":
            assert attrs.get("src", attrs.get("href")).startswith("data:")
        elif "href" in attrs:
            assert attrs["href"].startswith("#") or attrs["href"] == "index.html"
        assert not any(name.startswith("on") or name == "style" for name in attrs)
    assert not re.search(r"url\(|@import|https?:", path.read_text(encoding="utf-8"))
    [image] = [attrs for tag, attrs in parser.tags if tag == "img"]
    content = (results / "paper_mnist/figure_3.png").read_bytes()
    assert base64.b64decode(image["src"].partition(",")[2]) == content
    assert image["alt"] == "Fig. 3: digits"
    with Image.open(io.BytesIO(content)) as picture:
        assert (int(image["width"]), int(image["height"])) == picture.size


def test_page_is_semantic(write, ledger):
    tags = parse(write([ledger])).tags
    counts = collections.Counter(tag for tag, _ in tags)
    assert counts["h1"] == counts["main"] == 1
    assert counts["table"] == counts["caption"] == 3
    assert all("scope" in attrs for tag, attrs in tags if tag == "th")
    names = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(names) == len(set(names))
    targets = {attrs["href"] for tag, attrs in tags if tag == "a"}
    assert targets - {"index.html"} <= {f"#{name}" for name in names}
    assert "paper_mnist.claim.1" in names
    meta = {attrs.get("name"): attrs.get("content") for t, attrs in tags if t == "meta"}
    assert meta["color-scheme"] == "light dark"


def test_rows_of_one_subject_stand_below_it(write, make_ledger, ledger):
    quantities = ("vae, seed 0: PSNR: peak 2", "vae, seed 0: SSIM", "dae: SSIM")
    notes = ("of images; peak", "of images", "of images")
    rows = [
        dataclasses.replace(ledger.rows[1], id=f"r{k}", quantity=quantity, note=note)
        for k, (quantity, note) in enumerate(zip(quantities, notes, strict=True))
    ]
    text = parse(write([make_ledger(rows=rows)])).text
    number = "0.0871 our choice"  # there is no paper to compare with
    # What all notes of a subject say stands once.
    vae = f"vae, seed 0 of images PSNR: peak 2 {number} peak SSIM {number}"
    table = f"Tag Note {vae} dae: SSIM {number} of images"
    assert table in text


def test_details_are_folded(write, ledger):
    text = write([ledger]).read_text(encoding="utf-8")
    shown = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    assert "PSNR, semantic" in shown
    assert "Labels cost next to nothing." in shown
    for part in ("silhouette", ledger.revision, "leaves the plateau", "A Processor"):
        assert part in text
        assert part not in shown


def test_index_leads_to_a_page_per_source(write, make_ledger):
    first, second = make_ledger(pictures=()), make_ledger("other1999", pictures=())
    index = write([first, second]).with_name("index.html")
    links = [attrs["href"] for tag, attrs in parse(index).tags if tag == "a"]
    assert links == [
        *("paper.html", "paper.html#paper_mnist"),
        *("other1999.html", "other1999.html#other1999"),
    ]
    names = {path.name for path in index.parent.iterdir()}
    assert names == {"index.html", "paper.html", "other1999.html"}
    text = parse(index).text
    counts = "✓ holds 0 ✗ does not hold 1 ~ intermediate 0 ? undecided 1"
    assert text.count(counts) == 2
    assert "Printed numbers: 1. Artefacts: paper_mnist" in text


def test_sentences_come_first_with_their_picture(write, ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(sentences, "TEXTS", tmp_path)
    (tmp_path / "paper.md").write_text(
        "# A <paper>\n\nPSNR: *{paper_mnist:psnr:.2f}* <b>\n\n"
        "![It](paper_mnist/figure_3.png)\n",
        encoding="utf-8",
    )
    path = write([ledger])
    parser = parse(path)
    assert "A <paper> PSNR: 25.35 <b> Fig. 3: digits. Seed 0. Words and" in parser.text
    assert [tag for tag, _ in parser.tags].count("img") == 1  # not again below
    assert "<em>25.35</em>" in path.read_text(encoding="utf-8")
    assert "PSNR: 25.35 <b>" in parse(path.with_name("index.html")).text


def test_sentences_with_a_picture_of_no_ledger_are_refused(
    write, ledger, tmp_path, monkeypatch
):
    monkeypatch.setattr(sentences, "TEXTS", tmp_path)
    (tmp_path / "paper.md").write_text("# A\n\n![It](paper_mnist/b.png)\n")
    with pytest.raises(ValueError, match=r"picture of no ledger: .*b\.png"):
        write([ledger])


def test_text_is_escaped(write, ledger, make_ledger):
    evil = "<script>alert('1')</script>\" & <b>"
    changed = make_ledger(
        source=evil,
        command=evil,
        rows=(dataclasses.replace(ledger.rows[0], note=evil, quantity=evil),),
        claims=(dataclasses.replace(ledger.claims[0], statement=evil),),
        pictures=(Picture(file="figure_3.png", caption=evil),),
        choices=(dataclasses.replace(ledger.choices[0], value=evil, reason=evil),),
        warnings=(dataclasses.replace(ledger.warnings[0], text=evil),),
        machine={evil: evil},
    )
    path = write([changed])
    parser = parse(path)
    assert "<script" not in path.read_text(encoding="utf-8")
    # quantity and statement twice, machine twice, and source, command, note,
    # caption, value, reason and warning
    assert parser.text.count(evil) == 13
    assert [attrs["alt"] for tag, attrs in parser.tags if tag == "img"] == [evil]


def test_parts_are_shown_with_their_claim_and_not_counted(write, make_ledger, ledger):
    part, whole = ledger.claims
    part = dataclasses.replace(part, part_of=whole.id)
    path = write([make_ledger(claims=(whole, part))])
    parser = parse(path)
    marked = [attrs["id"] for _, attrs in parser.tags if attrs.get("class") == "part"]
    assert marked == [f"paper_mnist.claim.{part.id}"]
    assert parser.text.count(part.statement) == 1
    assert parser.text.count(whole.statement) == 2
    counts = "✓ holds 0 ✗ does not hold 0 ~ intermediate 0 ? undecided 1"
    assert f"Claims: {counts}" in parse(path.with_name("index.html")).text


def test_many_cases_of_a_statement_are_summed_up(write, make_ledger, ledger):
    claims = [
        dataclasses.replace(
            ledger.claims[0],
            id=f"c{k}",
            statement=f"It works (weight {k})",
            verdict="holds" if k == 1 else "undecided",
        )
        for k in (1, 2, 3)
    ]
    text = parse(write([make_ledger(claims=claims)])).text
    summary = "It works ✓ holds 1 of 3 ? undecided 2 of 3 Case by case paper_mnist: "
    assert summary + "weight 1 ✓ holds" in text


def test_interval_is_drawn_with_the_bounds_that_decide(write, make_ledger, ledger):
    claim = dataclasses.replace(
        ledger.claims[0], effect=28, low=27, high=29, bounds=(35.0,), signed=False
    )
    parser = parse(write([make_ledger(claims=(claim,))]))
    tags = [attrs for tag, attrs in parser.tags if tag in ("path", "circle")]
    # The lowest number at 14, the highest at 226; the first drawing is the legend's.
    bars = [attrs["d"] for attrs in tags if attrs["class"] == "bar"][1:]
    assert bars == ["M14.0 8H67.0"] * 2
    bounds = [attrs["d"] for attrs in tags if attrs["class"] == "bound"][2:]
    assert bounds == ["M226.0 1V15"] * 2
    dots = [attrs["cx"] for attrs in tags if attrs["class"] == "dot"][1:]
    assert dots == ["40.5"] * 2
    assert "28 [27, 29]" in parser.text
    assert "+28" not in parser.text


def test_cases_of_a_statement_are_drawn_to_one_scale(write, make_ledger, ledger):
    first = dataclasses.replace(
        ledger.claims[0], statement="Works: a", effect=1, low=0, high=2, bounds=(0.0,)
    )
    second = dataclasses.replace(first, id="b", statement="Works: b", high=4)
    tags = parse(write([make_ledger(claims=(first, second))])).tags
    bars = [attrs["d"] for _, attrs in tags if attrs.get("class") == "bar"]
    # The legend's, the two of the statement, the two below on scales of their own.
    assert bars[1:] == ["M14.0 8H120.0", *["M14.0 8H226.0"] * 3]


def test_interval_of_nothing_is_not_drawn(write, make_ledger, ledger):
    claim = dataclasses.replace(ledger.claims[0], effect=0, low=0, high=0)
    tags = parse(write([make_ledger(claims=(claim,))])).tags
    assert [tag for tag, _ in tags].count("svg") == 1  # that of the legend


@pytest.mark.parametrize(("high", "told"), [(-0.000015, True), (0.0, False)])
def test_an_effect_too_small_to_matter_is_told(write, make_ledger, ledger, high, told):
    claim = dataclasses.replace(
        ledger.claims[0],
        effect=-0.000053,
        low=-0.000091,
        high=high,
        verdict="does not hold",
        bounds=(-0.01,),
        detectable=told,
    )
    text = parse(write([make_ledger(claims=(claim,))])).text
    assert ("✗ does not hold detectable" in text) == told
    assert "\u22120.000053 [\u22120.000091, " in text


def test_notes_have_one_kind_of_minus(write, make_ledger, ledger):
    claim = dataclasses.replace(ledger.claims[0], note="SSIM: -0.00, from -0.1")
    text = parse(write([make_ledger(claims=(claim,))])).text
    assert "SSIM: 0.00, from \u22120.1" in text


def test_the_first_picture_of_a_kind_is_embedded(write, make_ledger, results):
    folder = results / "paper_mnist"
    names = ["figure_3.png", "fig6_joint_a.png", "fig6_joint_b.png", "fig6_apart_a.png"]
    for name in names[1:]:
        shutil.copy(folder / names[0], folder / name)
    pictures = [Picture(file=name, caption=f"Caption of {name}") for name in names]
    parser = parse(write([make_ledger(pictures=pictures)]))
    shown = [attrs["alt"] for tag, attrs in parser.tags if tag == "img"]
    assert shown == [f"Caption of {name}" for name in names if "_b" not in name]
    listed = "Beside the ledger, in the folder paper_mnist/: fig6_joint_b.png"
    assert listed in parser.text


def test_pictures_fill_a_page_up_to_a_megabyte(write, make_ledger, results):
    noise = np.random.default_rng(0)
    names = [f"{letter}.png" for letter in "abcdefg"]
    for name in names:
        image = noise.integers(256, size=(200, 250, 3), dtype=np.uint8)
        Image.fromarray(image).save(results / "paper_mnist" / name)  # 150 KB
    pictures = [Picture(file=name, caption=name) for name in names]
    path = write([make_ledger(pictures=pictures)])
    shown = [attrs["alt"] for tag, attrs in parse(path).tags if tag == "img"]
    assert shown == names[:4]  # a fifth of 200 KB in base64 would be too much
    assert path.stat().st_size < 1_000_000


def test_a_picture_of_the_text_counts_once(
    write, make_ledger, results, tmp_path, monkeypatch
):
    monkeypatch.setattr(sentences, "TEXTS", tmp_path)
    text = "# A\n\nIt.\n\n![It](paper_mnist/a.png)\n"
    (tmp_path / "paper.md").write_text(text, encoding="utf-8")
    noise = np.random.default_rng(0)
    names = [f"{letter}.png" for letter in "abcde"]
    for name in names:
        image = noise.integers(256, size=(200, 250, 3), dtype=np.uint8)
        Image.fromarray(image).save(results / "paper_mnist" / name)  # 150 KB
    pictures = [Picture(file=name, caption=name) for name in names]
    parser = parse(write([make_ledger(pictures=pictures)]))
    shown = [attrs["alt"] for tag, attrs in parser.tags if tag == "img"]
    assert shown == names[:4]
    assert "in the folder paper_mnist/: e.png" in parser.text  # and not a.png


@pytest.mark.parametrize("scale", ["full", "reduced", "smoke"])
def test_scale_is_marked(write, make_ledger, scale):
    parser = parse(write([make_ledger(scale=scale)]))
    badges = [attrs for _, attrs in parser.tags if "scale" in attrs.get("class", "")]
    # In the table of printed numbers only where it is not full, and in the details.
    assert [badge["class"] for badge in badges] == [f"scale {scale}"] * (
        1 if scale == "full" else 2
    )
    assert ("Smoke scale: paper_mnist." in parser.text) == (scale == "smoke")


def test_what_was_not_run_has_an_empty_cell(write, ledger, make_ledger):
    assert "not run" not in parse(write([ledger])).text
    row = dataclasses.replace(
        ledger.rows[0], measured=None, n=None, sd=None, tag="not run"
    )
    text = parse(write([make_ledger(rows=(row,))])).text
    assert f"25.10 {DASH} {DASH} not run" in text
    assert "not run Printed of a scale" in text  # what the tag means


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
    path = write([ledger], fresh=[fresh])
    text = parse(path).text
    assert (
        "Quantity Artefact Paper Landed Difference Newly measured Difference Tag"
        in text
    )
    assert "25.10 25.35 ± 0.12 n = 5 +0.25 20.10 n = 1 \u22125.00 as printed" in text
    assert f"{silhouette.quantity} {DASH} 0.0871 {DASH} {DASH} {DASH} our" in text
    assert f"SSIM dB 25.10 {DASH} {DASH} 91.50 ± 0.12 n = 5 +66.40 as" in text
    assert "Landed: ✗ does not hold \u22121.044" in text
    assert "Landed: ? undecided Newly measured: ✓ holds" in text
    assert "Smoke scale: paper_mnist (newly measured)." in text
    index = parse(path.with_name("index.html")).text
    counts = "✓ holds {} ✗ does not hold {} ~ intermediate 0 ? undecided {}"
    assert f"Claims, landed: {counts.format(0, 1, 1)}" in index
    assert f"Claims, newly measured: {counts.format(1, 0, 0)}" in index


def test_notes_of_two_readings_are_shared_once(write, make_ledger, ledger):
    def rows(line):
        return [
            dataclasses.replace(
                ledger.rows[1],
                id=f"r{k}",
                quantity=f"vae: {k}",
                note=f"line {line}; of images",
            )
            for k in (1, 2)
        ]

    text = parse(
        write([make_ledger(rows=rows(1))], fresh=[make_ledger(rows=rows(2))])
    ).text
    assert text.count("of images") == 1


def test_a_reading_keeps_its_name_where_the_other_lacks_the_entry(
    write, ledger, make_ledger
):
    bare = make_ledger(rows=(), claims=(), pictures=())
    text = parse(write([bare], fresh=[ledger])).text
    assert "Newly measured: ✗ does not hold" in text
    assert "Newly measured. Fig. 3: digits." in text
    assert "Landed: ✗" not in text
    assert "Landed. Fig. 3" not in text


def test_an_artefact_may_be_in_one_list_only(write, make_ledger):
    landed = make_ledger("paper_landed", pictures=())
    fresh = make_ledger("paper_fresh", pictures=())
    names = [
        attrs["id"]
        for _, attrs in parse(write([landed], fresh=[fresh])).tags
        if attrs.get("class") == "artefact"
    ]
    assert names == ["paper_landed", "paper_fresh"]


def test_no_ledgers_make_an_empty_index(write):
    index = write([]).with_name("index.html")
    assert [path.name for path in index.parent.iterdir()] == ["index.html"]
    parser = parse(index)
    assert {"a", "h2", "li"}.isdisjoint(tag for tag, _ in parser.tags)
    assert "tfsemae: results" in parser.text


def test_bytes_repeat(write, ledger):
    once = write([ledger]).read_bytes()
    assert write([ledger]).read_bytes() == once


def test_missing_picture_is_said_so(write, make_ledger):
    with pytest.raises(FileNotFoundError, match=r"other.figure_3\.png"):
        write([make_ledger("other")])


def test_picture_must_be_a_png(write, ledger, results):
    (results / "paper_mnist/figure_3.png").write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match=r"figure_3\.png is not a PNG"):
        write([ledger])


def test_an_artefact_stands_once(write, ledger):
    with pytest.raises(ValueError, match=r"'paper_mnist' \(measured\)"):
        write([ledger, ledger])


def test_fresh_needs_the_folder_of_its_pictures(tmp_path, results, ledger):
    with pytest.raises(ValueError, match="fresh_pictures_from=None"):
        page.write(tmp_path, [], pictures_from=results, fresh=[ledger])
