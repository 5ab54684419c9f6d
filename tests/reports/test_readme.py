import dataclasses

import pytest

from tfsemae.reports import readme, sentences

TEXT = f"""# Title

{readme.BEGIN}
old
{readme.END}

After.
"""
NUMBERS = """\
| quantity | printed | measured ± sd (n) | difference | tag | ledger |
| --- | ---: | ---: | ---: | --- | --- |
| PSNR, semantic (dB) | 25.10 | 25.35 ± 0.12 (5) | +0.25 | as printed \
| [paper_mnist](results/paper_mnist/ledger.json) |"""
CLAIMS = """\
| claim | verdict | measured | ledger |
| --- | --- | --- | --- |
| Labels cost next to nothing. | **does not hold** \
| \u22121.044 [\u22121.130, \u22120.951] \
| [paper_mnist](results/paper_mnist/ledger.json) |
| Both at once. | **undecided** | \u2013 \
| [paper_mnist](results/paper_mnist/ledger.json) |"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_tables_have_a_line_per_printed_number_and_per_claim(ledger):
    assert readme.numbers_table([ledger]) == NUMBERS
    assert readme.claims_table([ledger]) == CLAIMS


def test_a_table_without_a_line_is_none(make_ledger, path):
    bare = make_ledger(rows=(), claims=())
    assert readme.numbers_table([bare]) == readme.claims_table([bare]) == ""
    readme.update(path, [bare])
    assert "### paper\n\nWhat the" in path.read_text("utf-8")


def test_scale_other_than_full_is_said(make_ledger):
    smoke = make_ledger(scale="smoke")
    for table in (readme.numbers_table([smoke]), readme.claims_table([smoke])):
        assert "ledger.json) (smoke) |" in table


def test_a_reduced_artefact_repeats_no_printed_number(make_ledger):
    reduced = make_ledger("paper_weight", scale="reduced")
    table = readme.numbers_table([make_ledger(), reduced])
    assert table.count("PSNR, semantic") == 1
    alone = readme.numbers_table([reduced])
    assert alone.count("PSNR, semantic") == 1


@pytest.mark.parametrize("scale", ["full", "reduced"])
def test_a_further_reading_of_a_printed_number_has_no_line(ledger, make_ledger, scale):
    first, other = ledger.rows
    tag = "our choice" if scale == "full" else "reduced"
    further = dataclasses.replace(
        first, id="further", quantity="PSNR, semantic, weight 2: PSNR", tag=tag
    )
    first = dataclasses.replace(first, quantity="PSNR, semantic, weight 1: PSNR")
    made = make_ledger(rows=(first, further, other), scale=scale)
    table = readme.numbers_table([made])
    assert "weight 1" in table
    assert "weight 2" not in table


@pytest.mark.parametrize(("count", "shown"), [(12, 12), (13, 0)])
def test_many_printed_numbers_are_left_to_the_page(ledger, make_ledger, count, shown):
    first = ledger.rows[0]
    rows = [
        dataclasses.replace(first, id=f"psnr{n}", printed=20.0 + n)
        for n in range(count)
    ]
    table = readme.numbers_table([make_ledger(rows=tuple(rows))])
    assert table.count("PSNR, semantic") == shown


def test_cases_of_a_statement_have_one_line(ledger, make_ledger):
    first = ledger.claims[0]
    claims = [
        dataclasses.replace(
            first,
            id=f"c{k}",
            statement=f"It works (weight {k})",
            effect=k,
            low=-9,
            high=9,
            unit="dB",
            verdict="holds" if k == 1 else "undecided",
        )
        for k in (1, 2, 3)
    ]
    table = readme.claims_table([make_ledger(claims=claims, rows=())])
    assert table.splitlines()[2:] == [
        "| It works | **undecided** (2 of 3), **holds** (1 of 3) | +1 to +3 dB "
        "| [paper_mnist](results/paper_mnist/ledger.json) |"
    ]


def test_two_cases_of_a_statement_are_shown_with_their_intervals(ledger, make_ledger):
    first = dataclasses.replace(ledger.claims[0], statement="Costs nothing: PSNR")
    second = dataclasses.replace(
        first,
        id="b",
        statement="Costs nothing: SSIM",
        effect=0.5,
        low=0.25,
        high=0.75,
        signed=False,
        unit="%",
    )
    table = readme.claims_table([make_ledger(claims=(first, second), rows=())])
    assert (
        "| Costs nothing | **does not hold** (2 of 2) "
        "| PSNR: \u22121.044 [\u22121.130, \u22120.951]; "
        "SSIM: 0.5000 [0.2500, 0.7500] % |"
    ) in table


def test_a_claim_that_another_sums_up_has_no_line(ledger, make_ledger):
    part, whole = ledger.claims
    part = dataclasses.replace(part, part_of=whole.id)
    table = readme.claims_table([make_ledger(claims=(whole, part))])
    assert whole.statement in table
    assert part.statement not in table


def test_text_cannot_break_the_table(ledger, make_ledger):
    claim = dataclasses.replace(ledger.claims[0], statement="a | b\n<script>")
    table = readme.claims_table([make_ledger(claims=(claim,), rows=())])
    assert "| a \\| b &lt;script> |" in table
    assert len(table.splitlines()) == 3


def test_update_changes_what_is_between_the_markers(path, ledger):
    readme.update(path, [ledger])
    text = path.read_text(encoding="utf-8")
    section = f"### paper\n\n{NUMBERS}\n\n{CLAIMS}\n"
    section += (
        "\nWhat the numbers say, all of them and the pictures: `results/paper.html`.\n"
    )
    assert text == TEXT.replace("old", f"\n{section}")


def test_update_twice_is_update_once(path, ledger):
    readme.update(path, [ledger])
    once = path.read_bytes()
    readme.update(path, [ledger])
    assert path.read_bytes() == once


def test_the_summary_stands_above_the_table(path, ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(sentences, "TEXTS", tmp_path)
    text = (
        "# A paper\n\nPSNR is {paper_mnist:psnr:.1f} dB.\n\n"
        "![A picture](paper_mnist/figure_3.png)\n\n## More\n\nEnd.\n"
    )
    (tmp_path / "paper.md").write_text(text)
    readme.update(path, [ledger])
    # The rest is on the source's page.
    expected = "### A paper\n\nPSNR is 25.4 dB.\n\n| quantity"
    assert expected in path.read_text(encoding="utf-8")


def test_is_current_tells_a_stale_table(path, ledger, make_ledger):
    assert not readme.is_current(path, [ledger])
    readme.update(path, [ledger])
    assert readme.is_current(path, [ledger])
    assert not readme.is_current(path, [make_ledger(scale="reduced")])


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        f"{readme.BEGIN}\n",
        f"{readme.END}\n{readme.BEGIN}\n",
        TEXT + TEXT,
    ],
)
def test_markers_must_stand_once_in_order(path, ledger, text):
    path.write_text(text)
    for call in (readme.update, readme.is_current):
        with pytest.raises(ValueError, match=r"README\.md must hold .*results: begin"):
            call(path, [ledger])
    assert path.read_text() == text


def test_what_was_not_run_has_an_empty_cell(ledger, make_ledger):
    row = dataclasses.replace(
        ledger.rows[0], measured=None, n=None, sd=None, tag="not run"
    )
    table = readme.numbers_table([make_ledger(rows=(row,))])
    assert "| 25.10 | \u2013 | \u2013 | not run |" in table
