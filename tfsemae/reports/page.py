"""A self-contained page of results for each source, and an index of them."""

import collections
import dataclasses
import functools
import itertools
import pathlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jinja2
import markdown_it

from tfsemae import files
from tfsemae.reports import drawings, headlines, numerals, pictures, sentences
from tfsemae.reports.ledger import VERDICTS, Claim, Ledger, Row

_FOLDED_FROM = 3  # cases of a statement
_MOST_BYTES = 950_000  # of a page with its pictures, as far as its text allows
_IMAGE = re.compile(r"!\[[^]]*\]\((?P<artefact>[^/)]+)/(?P<file>[^)]+)\)")
#: The claim that the legend draws.
_SAMPLE = Claim(
    id="sample",
    statement="",
    measurement="",
    effect=0.45,
    low=0.25,
    high=0.65,
    verdict="holds",
    bounds=(0.0, 1.0),
)


@dataclasses.dataclass(frozen=True)
class _Reading:
    """A ledger as one column of the page."""

    label: str
    ledger: Ledger
    folder: pathlib.Path


def write(
    folder: files.PathLike,
    ledgers: Sequence[Ledger],
    *,
    pictures_from: files.PathLike,
    fresh: Sequence[Ledger] = (),
    fresh_pictures_from: files.PathLike | None = None,
) -> None:
    """Writes `<folder>/index.html` and `<folder>/<source>.html` for each source.

    A page needs no other file and no network. Without `fresh` it has a column
    "measured"; with it, "landed" and "newly measured" stand side by side,
    artefact by artefact and row by row. The sentences are about `ledgers`.

    Args:
        folder: of the pages.
        ledgers: the landed ones, in the order in which they are to stand.
        pictures_from: folder with `<artefact>/<picture>` of `ledgers`.
        fresh: the newly measured ones; an artefact may be in one list only.
        fresh_pictures_from: as `pictures_from`, of `fresh`.

    Raises:
        FileNotFoundError: if a picture is missing.
        ValueError: if an artefact is twice in a list, a picture is no PNG, a
            sentence does not fit the ledgers, or `fresh` comes without the folder
            of its pictures.
    """
    readings = _readings("landed" if fresh else "measured", ledgers, pictures_from)
    if fresh:
        if fresh_pictures_from is None:
            raise ValueError(
                "`fresh` needs the folder of its pictures. "
                "Received: fresh_pictures_from=None."
            )
        readings += _readings("newly measured", fresh, fresh_pictures_from)
    groups: dict[str, list[_Reading]] = collections.defaultdict(list)
    for reading in readings:
        groups[reading.ledger.source_key].append(reading)
    environment = templates()
    template = environment.get_template("page.html.j2")
    pages = []
    for source, group in groups.items():
        content = functools.partial(_page, source, group, ledgers, compared=bool(fresh))
        bare = template.render(content(picture_bytes=0))
        left = pictures.bytes_in_base64(_MOST_BYTES - len(bare.encode()))
        page = content(picture_bytes=left)
        html = template.render(page)
        files.write_text(files.path(folder) / f"{source}.html", html)
        pages.append(page)
    index = environment.get_template("index.html.j2")
    html = index.render(pages=pages, compared=bool(fresh))
    files.write_text(files.path(folder) / "index.html", html)


def templates() -> jinja2.Environment:
    """The templates of pages, with the filters that they use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).with_name("templates")),
        autoescape=lambda name: name is not None and not name.endswith(".css"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        fixed=numerals.fixed,
        signed=numerals.signed,
        duration=numerals.duration,
        prose=numerals.prose,
        effect=_effect,
        markdown=_markdown,
    )
    environment.globals.update(verdicts=VERDICTS, plural_from=_FOLDED_FROM)
    return environment


def _markdown(text: str) -> str:
    """HTML of Markdown; HTML within it is shown as text."""
    parser = markdown_it.MarkdownIt("commonmark", {"html": False})
    return parser.render(text)


def _effect(claim: Claim, places: int) -> str:
    return numerals.effect(
        claim.effect, claim.low, claim.high, with_sign=claim.signed, places=places
    )


def _readings(
    label: str, ledgers: Sequence[Ledger], folder: files.PathLike
) -> list[_Reading]:
    counts = collections.Counter(ledger.artefact for ledger in ledgers)
    for artefact, count in counts.items():
        if count > 1:
            raise ValueError(
                "Each artefact must have one ledger of a kind. "
                f"Received twice: {artefact!r} ({label})."
            )
    return [
        _Reading(label, ledger, files.path(folder) / ledger.artefact)
        for ledger in ledgers
    ]


def _page(
    source: str,
    readings: Sequence[_Reading],
    ledgers: Sequence[Ledger],
    *,
    compared: bool,
    picture_bytes: int,
) -> dict[str, Any]:
    """What the template of a source shows.

    `picture_bytes`: of all pictures but those of the sentences, before base64.
    """
    own = [ledger for ledger in ledgers if ledger.source_key == source]
    text = sentences.text(source, own)
    lead = _lead(text.body, readings)
    leading = {block["figure"].uri for block in lead if block["figure"]}
    groups: dict[str, list[_Reading]] = collections.defaultdict(list)
    for reading in readings:
        groups[reading.ledger.artefact].append(reading)
    labels = list(dict.fromkeys(reading.label for reading in readings))
    most_bytes = picture_bytes // len(labels)
    selections = {label: pictures.Selection(most_bytes) for label in labels}
    artefacts = [
        _artefact(group, labels, selections, leading) for group in groups.values()
    ]
    return {
        "source": source,
        "title": text.title,
        "summary": text.summary,
        "lead": lead,
        "labels": labels,
        "compared": compared,
        "artefacts": artefacts,
        "printed": [
            line
            for artefact in artefacts
            for line in artefact["rows"]
            if line["head"].printed is not None
        ],
        "headlines": _headlines(artefacts, labels),
        "counts": {
            label: _counts(
                (entry for artefact in artefacts for entry in artefact["claims"]), label
            )
            for label in labels
        },
        "sample": drawings.draw(_SAMPLE),
        "minus": numerals.MINUS,
    }


def _lead(body: str, readings: Sequence[_Reading]) -> list[dict[str, Any]]:
    """The blocks of the sentences, each Markdown or a picture."""
    found = {
        (reading.ledger.artefact, picture.file): (reading.folder, picture)
        for reading in reversed(readings)  # the landed one is the last to be stored
        for picture in reading.ledger.pictures
    }
    blocks: list[dict[str, Any]] = []
    for block in filter(None, body.split("\n\n")):
        image = _IMAGE.fullmatch(block)
        if image is None:
            blocks.append({"markdown": block, "figure": None})
        elif image.groups() in found:
            figure = pictures.embed(*found[image["artefact"], image["file"]])
            blocks.append({"markdown": "", "figure": figure})
        else:
            raise ValueError(f"The text shows a picture of no ledger: {block}.")
    return blocks


def _artefact(
    readings: Sequence[_Reading],
    labels: Sequence[str],
    selections: Mapping[str, pictures.Selection],
    leading: set[str],
) -> dict[str, Any]:
    """What the readings of an artefact say, beside each other."""
    newest = readings[-1].ledger
    shared = {"artefact": newest.artefact, "scale": newest.scale}
    figures, elsewhere = [], []
    for reading in readings:
        for picture in reading.ledger.pictures:
            figure = pictures.embed(reading.folder, picture)
            if figure.uri in leading:
                continue
            if selections[reading.label].takes(reading.folder, picture):
                figures.append((reading.label, figure))
            else:
                elsewhere.append((reading.label, picture))
    choices = (choice for reading in readings for choice in reading.ledger.choices)
    warnings = (each for reading in readings for each in reading.ledger.warnings)
    cells_of_rows = _beside(readings, labels, lambda ledger: ledger.rows)
    rows = [_row(cells) | shared for cells in cells_of_rows]
    claims = _beside(readings, labels, lambda ledger: ledger.claims)
    return {
        "name": newest.artefact,
        "source": newest.source,
        "readings": readings,
        "rows": rows,
        "numbers": _by_subject(rows),
        "claims": [_claim(cells) | shared for cells in claims],
        "figures": figures,
        "elsewhere": elsewhere,
        "choices": list(dict.fromkeys(choices)),
        "warnings": list(dict.fromkeys(warnings)),
    }


def _beside(
    readings: Sequence[_Reading],
    labels: Sequence[str],
    entries: Callable[[Ledger], Iterable[Any]],
) -> list[list[tuple[str, Any]]]:
    """For each id the `(label, entry or None)` of each reading.

    Where two readings differ in a text or a printed number, the page shows the
    last one's, which is the newest.
    """
    tables: dict[str, dict[str, Any]] = {label: {} for label in labels}
    for reading in readings:
        tables[reading.label] = {entry.id: entry for entry in entries(reading.ledger)}
    ids = dict.fromkeys(id_ for table in tables.values() for id_ in table)
    return [[(label, table.get(id_)) for label, table in tables.items()] for id_ in ids]


def _row(cells: list[tuple[str, Row | None]]) -> dict[str, Any]:
    rows = [row for _, row in cells if row]
    places = (
        numerals.decimals(row.measured, printed=row.printed, sd=row.sd) for row in rows
    )
    return {
        "head": rows[-1],
        "cells": cells,
        "places": max(places),
        "tags": list(dict.fromkeys(row.tag for row in rows)),
        "notes": list(dict.fromkeys(row.note for row in rows if row.note)),
    }


def _by_subject(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups rows `<subject>: <quantity>` that follow each other.

    Returns:
        Groups of `subject`, empty where a row is alone; `note`, what the notes of all
        its rows say; and `lines`, `(quantity, rest of the note, row)` each.
    """

    def parts(row: dict[str, Any]) -> tuple[str, str, str]:
        return row["head"].quantity.partition(": ")

    groups = []
    for subject, group in itertools.groupby(rows, lambda row: parts(row)[0]):
        found = list(group)
        notes = [
            list(dict.fromkeys("; ".join(row["notes"]).split("; "))) for row in found
        ]
        if len(found) == 1:
            line = found[0]["head"].quantity, "; ".join(notes[0]), found[0]
            groups.append({"subject": "", "note": "", "lines": [line]})
            continue
        shared = [part for part in notes[0] if all(part in each for each in notes)]
        lines = [
            (
                parts(row)[2],
                "; ".join(part for part in note if part not in shared),
                row,
            )
            for row, note in zip(found, notes, strict=True)
        ]
        groups.append({"subject": subject, "note": "; ".join(shared), "lines": lines})
    return groups


def _claim(cells: list[tuple[str, Claim | None]]) -> dict[str, Any]:
    claims = [claim for _, claim in cells if claim]
    values = [
        value for claim in claims for value in (claim.effect, claim.low, claim.high)
    ]
    return {
        "head": claims[-1],
        "outcomes": [
            {"label": label, "claim": claim, "drawing": drawings.draw(claim, claims)}
            for label, claim in cells
            if claim
        ],
        "places": numerals.decimals(*values),
        "subject": "",
        "notes": list(dict.fromkeys(claim.note for claim in claims if claim.note)),
    }


def _headlines(
    artefacts: Sequence[dict[str, Any]], labels: Sequence[str]
) -> list[dict[str, Any]]:
    """The claims without `part_of`, by statement; see `headlines.headlines`."""
    groups: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for artefact in artefacts:
        for entry in artefact["claims"]:
            if entry["head"].part_of is None:
                statement, subject = headlines.split(entry["head"].statement)
                groups[statement].append(entry | {"subject": subject})
    found = []
    for statement, cases in groups.items():
        if len(cases) == 1:
            statement, cases = cases[0]["head"].statement, [cases[0] | {"subject": ""}]
        counts = {label: _counts(cases, label) for label in labels}
        cases = _on_one_scale(cases)
        found.append({"statement": statement, "cases": cases, "counts": counts})
    return found


def _on_one_scale(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cases with their intervals drawn alike where unit and bounds are."""
    claims = [outcome["claim"] for case in cases for outcome in case["outcomes"]]
    if len({(claim.unit, claim.bounds, claim.signed) for claim in claims}) > 1:
        return list(cases)
    return [
        case
        | {
            "outcomes": [
                outcome | {"drawing": drawings.draw(outcome["claim"], claims)}
                for outcome in case["outcomes"]
            ]
        }
        for case in cases
    ]


def _counts(entries: Iterable[dict[str, Any]], label: str) -> collections.Counter[str]:
    """How often each verdict is given to a claim that is no part of another."""
    return collections.Counter(
        outcome["claim"].verdict
        for entry in entries
        for outcome in entry["outcomes"]
        if outcome["label"] == label and outcome["claim"].part_of is None
    )
