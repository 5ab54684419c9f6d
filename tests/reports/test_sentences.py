import dataclasses

import pytest

from tfsemae.reports import sentences


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("no placeholder", "no placeholder"),
        ("{paper_mnist:psnr:.1f} dB", "25.4 dB"),  # 25.35 is a little more
        ("{paper_mnist:psnr/printed:.2f}", "25.10"),
        ("{paper_mnist:psnr/difference:+.2f}", "+0.25"),
        ("{paper_mnist:psnr/n} seeds", "5 seeds"),
        ("{paper_mnist:psnr/note}", "whole test set"),
        ("{paper_mnist:1}", "does not hold"),
        ("{paper_mnist:1/low:+.2f}", "\u22121.13"),
        ("{paper_mnist:1=does not hold} So it is.", "So it is."),
        ("{paper_mnist:2=holds|undecided}\nSo it is.", "So it is."),
    ],
)
def test_placeholders_are_filled(ledger, template, filled):
    assert sentences.fill(template, [ledger]) == filled


@pytest.mark.parametrize(("value", "shown"), [(-0.004, "0.00"), (-0.006, "\u22120.01")])
def test_no_minus_before_a_zero(ledger, make_ledger, value, shown):
    claim = dataclasses.replace(ledger.claims[0], effect=value)
    ledger = make_ledger(claims=(claim,))
    assert sentences.fill("{paper_mnist:1/effect:+.2f}", [ledger]) == shown


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "{paper_mnist:psnr2:.1f}",
            r"\{paper_mnist:psnr2:.1f\} names no value",
        ),
        ("{paper1999:psnr:.1f}", "names no value of a ledger"),
        ("{paper_mnist:2/effect:.1f}", "names no value"),
        ("{paper_mnist:psnr/colour}", "names no value"),
        ("{paper_mnist:psnr}", "needs a format"),
        ("{paper_mnist:1:.2f}", "needs a format such as :.2f where, and only"),
        ("{psnr}", r"must be \{artefact:id/field:format\}. Received: \{psnr\}"),
        ("{paper_mnist:1=holds} It holds.", "expects another verdict.*'does not"),
    ],
)
def test_placeholder_that_does_not_fit_is_refused(ledger, template, message):
    with pytest.raises(ValueError, match=message):
        sentences.fill(template, [ledger])


@pytest.fixture
def texts(tmp_path, monkeypatch):
    monkeypatch.setattr(sentences, "TEXTS", tmp_path)
    return tmp_path


def test_text_of_a_source(texts, ledger):
    (texts / "paper.md").write_text(
        "# The paper\n\nFirst {paper_mnist:psnr:.2f}.\n\n## Part\n\n"
        "Of another {paper_other:psnr:.2f}.\n\n"
        "![It](paper_other/a.png)\n\nLast.\n"
    )
    text = sentences.text("paper", [ledger])
    assert text.title == "The paper"
    assert text.body == "First 25.35.\n\n## Part\n\nLast."
    assert text.summary == "First 25.35."


def test_a_text_chooses_claims_of_readme(texts, ledger):
    path = texts / "paper.md"
    path.write_text(
        "# The paper\n\n<!-- README\npaper_mnist: 1 2\npaper_other: 3\n-->\n\nEnd.\n"
    )
    expected = {"paper_mnist": ("1", "2"), "paper_other": ("3",)}
    assert sentences.chosen("paper") == expected
    assert sentences.text("paper", [ledger]).body == "End."
    path.write_text("# The paper\n\n<!-- README\npaper_mnist:\n-->\n")
    with pytest.raises(
        ValueError, match=r"`artefact: id id \.\.\.`\. Received: 'paper_m"
    ):
        sentences.chosen("paper")
    path.write_text("# The paper\n")
    assert sentences.chosen("paper") == sentences.chosen("another") == {}


def test_source_without_a_text(texts, ledger):
    text = sentences.text("paper", [ledger])
    assert (text.title, text.body, text.summary) == ("paper", "", "")


@pytest.mark.parametrize("mark", ["1.", "-", "+", "#", "(7)", "%"])
def test_no_line_begins_with_a_mark_of_a_list_or_a_unit(texts, mark):
    # 87 characters of 88: the mark alone would begin the next line.
    (texts / "a.md").write_text(f"# A\n\n{'x' * 84} at {mark} rest\n")
    lines = sentences.text("a", []).body.splitlines()
    assert lines == ["x" * 84, f"at {mark} rest"]
