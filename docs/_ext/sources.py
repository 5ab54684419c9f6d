"""One page per source, made of its ledgers: sentences, numbers, verdicts, pictures.

A source without a ledger has no page.
"""

import collections
import pathlib
import shutil
from collections.abc import Iterable, Iterator, Sequence

from sphinx.application import Sphinx

from tfsemae.experiments import artefacts
from tfsemae.reports import Claim, Ledger, Row, numerals, readme, sentences

_ROW = ("quantity", "printed", "measured ± sd (n)", "difference", "tag", "note")
_CLAIM = ("claim", "effect [interval]", "verdict", "how it is decided", "note")
_NOTHING = "\u2013"


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before Sphinx reads."""
    app.add_config_value("tfsemae_results", None, "env")
    app.connect("builder-inited", _write_pages)
    return {"parallel_read_safe": True}


def _write_pages(app: Sphinx) -> None:
    folder = pathlib.Path(app.srcdir, "sources")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    results = pathlib.Path(app.config.tfsemae_results)
    groups = collections.defaultdict(list)
    for artefact in artefacts():
        landed = results / artefact
        if not landed.exists():
            continue
        ledger = Ledger.read(landed)
        groups[ledger.source_key].append(ledger)
        (folder / artefact).mkdir()
        for picture in ledger.pictures:
            shutil.copy(landed / picture.file, folder / artefact)
    for source, ledgers in groups.items():
        page = "\n".join(_page(source, ledgers))
        (folder / f"{source}.md").write_text(page, "utf-8")


def _page(source: str, ledgers: Sequence[Ledger]) -> Iterator[str]:
    text = sentences.text(source, ledgers)
    yield f"# {text.title}\n\n{text.body}\n"
    for ledger in ledgers:
        yield from _artefact(ledger)


def _artefact(ledger: Ledger) -> Iterator[str]:
    yield f"## `{ledger.artefact}`\n"
    scale = "" if ledger.scale == "full" else f" Scale: **{ledger.scale}**."
    yield f"{_escaped(ledger.source)}.{scale}\n"
    took = numerals.duration(ledger.seconds)
    yield f"```bash\n{ledger.command}\n```\n\nThe runs took {took} on one core.\n"
    if ledger.claims:
        yield "### Verdicts\n"
        yield _table(_CLAIM, map(_claim, _whole_first(ledger.claims)))
    yield from _numbers(ledger.rows)
    for picture in ledger.pictures:
        caption = _escaped(picture.caption)
        yield f"![{caption}]({ledger.artefact}/{picture.file})\n\n*{caption}*\n"
    if ledger.choices:
        yield "### Choices\n\nWhat the source does not print, and what is used here:\n"
        heads = ("flag", "value", "reason")
        choices = ((f"`--{c.flag}`", f"`{c.value}`", c.reason) for c in ledger.choices)
        yield _table(heads, choices)


def _numbers(rows: Sequence[Row]) -> Iterator[str]:
    """The printed numbers, and the others to be unfolded where there are both."""
    printed = [row for row in rows if row.printed is not None]
    others = [row for row in rows if row.printed is None]
    if not rows:
        return
    yield "### Numbers\n"
    if printed:
        yield _table(_ROW, map(_row, printed))
    if others:
        summary = f"{len(others)} numbers that the source does not print"
        table = _table(_ROW, map(_row, others))
        yield f"<details>\n<summary>{summary}</summary>\n\n{table}\n</details>\n"


def _whole_first(claims: Sequence[Claim]) -> Iterator[Claim]:
    """Each claim, then its parts."""
    for claim in claims:
        if claim.part_of is None:
            yield claim
            yield from (part for part in claims if part.part_of == claim.id)


def _row(row: Row) -> tuple[str, ...]:
    places = numerals.decimals(row.measured, printed=row.printed, sd=row.sd)
    printed = difference = _NOTHING
    if row.printed is not None:
        printed = numerals.fixed(row.printed, places)
    if row.difference is not None:
        difference = numerals.signed(row.difference, places)
    quantity = f"{row.quantity} ({row.unit})" if row.unit else row.quantity
    measured = readme.measured(row, places)
    return quantity, printed, measured, difference, row.tag, row.note


def _claim(claim: Claim) -> tuple[str, ...]:
    effect = numerals.effect(
        claim.effect, claim.low, claim.high, with_sign=claim.signed
    )
    name = claim.statement if claim.part_of is None else f"… {claim.statement}"
    return (
        name,
        f"{effect} {claim.unit}".strip() or _NOTHING,
        f"**{claim.verdict}**",
        claim.measurement,
        claim.note,
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines) + "\n"


def _escaped(text: str) -> str:
    text = " ".join(text.split())
    return text.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
