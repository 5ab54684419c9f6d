"""Sentences about results, whose numbers and verdicts come from ledgers.

A text is Markdown with placeholders:

    {ming2022_mnist:vanilla_psnr:.2f}                    `measured` of a row
    {ming2022_mnist:vanilla_psnr/printed:.2f}            another field of it
    {ming2022_mnist:1_psnr/low:+.2f}                     a field of a claim
    {ming2022_mnist:1_psnr}                              its verdict
    {ming2022_mnist:1_psnr=holds|undecided}              nothing; but an error if
                                                         the verdict is another
The text of a source is `texts/<source>.md`: a heading `# ...`, then sections. A comment
among them may name the claims that README shows; of artefacts that it does not name,
README shows all:

    <!-- README
    ming2022_mnist: 1 3
    -->
"""

import dataclasses
import itertools
import pathlib
import re
import textwrap
from collections.abc import Sequence

from tfsemae.reports import numerals
from tfsemae.reports.ledger import Claim, Ledger, Row

TEXTS = pathlib.Path(__file__).with_name("texts")
_WIDTH = 88
_PLACEHOLDER = re.compile(
    r"\{(?P<artefact>[\w.-]+):(?P<id>[\w.-]+)(?:/(?P<field>\w+))?"
    r"(?::(?P<format>[+,]*\.\d+f))?(?:=(?P<expected>[a-z |]+))?\}"
)
_CHOSEN = re.compile(r"<!-- README\n(?P<lines>.*?)-->", re.DOTALL)
_CHECK = re.compile(r"\{[^{}]*=[^{}]*\}\s*")
#: Before what must not begin a line: a mark of a list, a unit, a number of an equation.
_TIE = re.compile(r" (?=(?:\d+[.)]|[-+*#>])(?: |$)|(?:%|dB)\W|\(\d+\))")


@dataclasses.dataclass(frozen=True)
class Text:
    """What is said of a source.

    Attributes:
        title: its authors, year and title; the source's key where no text is.
        body: Markdown below the title; may be empty.
    """

    title: str
    body: str

    @property
    def summary(self) -> str:
        """The first paragraph of the body."""
        blocks = self.body.split("\n\n")
        return next((block for block in blocks if block[:1] not in ("#", "!")), "")


def text(source: str, ledgers: Sequence[Ledger]) -> Text:
    """The text of a source, filled from ledgers.

    A paragraph that names an artefact without a ledger is left out.

    Args:
        source: key of the source, see `Ledger.source_key`.
        ledgers: those that have landed.

    Raises:
        ValueError: if a placeholder names nothing in a ledger, or a
            verdict is not the expected one.
    """
    path = TEXTS / f"{source}.md"
    if not path.exists():
        return Text(source, "")
    whole = _CHOSEN.sub("", path.read_text(encoding="utf-8"))
    title, _, body = whole.partition("\n")
    artefacts = {ledger.artefact for ledger in ledgers}
    blocks = [block.strip() for block in body.split("\n\n") if block.strip()]
    filled = [fill(block, ledgers) for block in blocks if _names(block) <= artefacts]
    return Text(title.lstrip("# "), "\n\n".join(map(_wrapped, filled)))


def chosen(source: str) -> dict[str, tuple[str, ...]]:
    """The claims that README is to show: artefact -> their ids.

    Args:
        source: key of the source.

    Returns:
        Artefacts that are not in it show all claims.

    Raises:
        ValueError: if a line is no artefact with ids.
    """
    path = TEXTS / f"{source}.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = _CHOSEN.search(text)
    chosen = {}
    for line in found["lines"].splitlines() if found else ():
        artefact, colon, ids = line.partition(":")
        if not colon or not ids.split():
            raise ValueError(
                f"{path}: a line of README's claims must be `artefact: id id ...`. "
                f"Received: {line!r}."
            )
        chosen[artefact.strip()] = tuple(ids.split())
    return chosen


def fill(template: str, ledgers: Sequence[Ledger]) -> str:
    """Replaces the placeholders of `template`.

    Raises:
        ValueError: if a placeholder is malformed or names nothing, a number
            comes without a format, or a verdict is not the expected one.
    """
    entries: dict[tuple[str, str], Row | Claim] = {
        (ledger.artefact, entry.id): entry
        for ledger in ledgers
        for entry in itertools.chain[Row | Claim](ledger.rows, ledger.claims)
    }
    for check in _CHECK.findall(template):
        _value(check.strip(), entries)
    template = _CHECK.sub("", template)
    return re.sub(r"\{[^{}]*\}", lambda match: _value(match[0], entries), template)


def _value(placeholder: str, entries: dict[tuple[str, str], Row | Claim]) -> str:
    found = _PLACEHOLDER.fullmatch(placeholder)
    if found is None:
        raise ValueError(
            "A placeholder must be {artefact:id/field:format}. "
            f"Received: {placeholder}."
        )
    entry = entries.get((found["artefact"], found["id"]))
    default = "verdict" if isinstance(entry, Claim) else "measured"
    value = getattr(entry, found["field"] or default, None)
    if value is None:
        raise ValueError(
            f"{placeholder} names no value of a ledger. Correct the text, or land "
            "the artefact again."
        )
    if found["expected"]:
        _check_expected(placeholder, value, found["expected"].split("|"))
        return ""
    if isinstance(value, float) != bool(found["format"]):
        raise ValueError(
            f"{placeholder} needs a format such as :.2f where, and only where, it "
            f"names a number. Received: {value!r}."
        )
    return numerals.prose(format(value, found["format"] or ""))


def _check_expected(placeholder: str, value: object, expected: list[str]) -> None:
    if value not in expected:
        raise ValueError(
            f"{placeholder}: the sentence after it expects another verdict. "
            f"Received: {value!r}. Rewrite the sentence."
        )


def _names(block: str) -> set[str]:
    """The artefacts that a block takes its numbers and pictures from."""
    named = {found["artefact"] for found in _PLACEHOLDER.finditer(block)}
    return named | set(re.findall(r"\]\(([\w.-]+)/[\w.-]+\.png\)", block))


def _wrapped(block: str) -> str:
    if block.startswith(("#", "!")):
        return block
    tied = _TIE.sub("\0", " ".join(block.split()))
    lines = textwrap.wrap(tied, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")
