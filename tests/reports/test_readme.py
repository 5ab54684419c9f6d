import dataclasses

import pytest

from tfsemae.reports import readme

TEXT = f"""# Title

{readme.BEGIN}
old
{readme.END}

After.
"""
TABLE = """\
| artefact | quantity or claim | printed | measured ± sd (n) | difference \
| tag or verdict |
| --- | --- | ---: | ---: | ---: | --- |
| [ming2022_mnist](results/ming2022_mnist/ledger.json) | PSNR, semantic (dB) | 25.10 \
| 25.35 ± 0.12 (5) | +0.25 | our choice |
| [ming2022_mnist](results/ming2022_mnist/ledger.json) | Labels cost next to nothing. \
| \u2013 | \u22121.044 [\u22121.130, \u22120.951] | \u2013 | **does not hold** |
| [ming2022_mnist](results/ming2022_mnist/ledger.json) | Both at once. \
| \u2013 | \u2013 | \u2013 | **undecided** |
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_table_has_a_line_per_printed_number_and_per_claim(ledger):
    assert readme.results_table([ledger]) == TABLE


def test_scale_other_than_full_is_said(make_ledger):
    assert "ledger.json) (smoke) |" in readme.results_table(
        [make_ledger(scale="smoke")]
    )


def test_of_reduced_claims_there_are_those_that_sum_up(make_ledger):
    table = readme.results_table([make_ledger(scale="reduced")])
    assert "Both at once." in table
    assert "Labels cost next to nothing." not in table


def test_a_claim_that_another_sums_up_has_no_line(ledger, make_ledger):
    part, whole = ledger.claims
    part = dataclasses.replace(part, part_of=whole.id)
    table = readme.results_table([make_ledger(claims=(whole, part))])
    assert whole.statement in table
    assert part.statement not in table


def test_text_cannot_break_the_table(ledger, make_ledger):
    claim = dataclasses.replace(ledger.claims[0], statement="a | b\n<script>")
    table = readme.results_table([make_ledger(claims=(claim,), rows=())])
    assert "| a \\| b &lt;script> |" in table
    assert len(table.splitlines()) == 3


def test_update_changes_what_is_between_the_markers(path, ledger):
    readme.update(path, [ledger])
    text = path.read_text(encoding="utf-8")
    assert text == TEXT.replace("old", f"\n{TABLE}")


def test_update_twice_is_update_once(path, ledger):
    readme.update(path, [ledger])
    once = path.read_bytes()
    readme.update(path, [ledger])
    assert path.read_bytes() == once


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
