"""One self-contained page of results from ledgers."""

import base64
import collections
import pathlib
import re
import struct
from collections.abc import Sequence
from typing import NamedTuple

import jinja2

from tfsemae import files
from tfsemae.reports import numerals
from tfsemae.reports.ledger import VERDICTS, Ledger

_MOST_LINES = 30  # of a table that is shown whole
_PNG = b"\x89PNG\r\n\x1a\n"


class Figure(NamedTuple):
    """A picture as the page embeds it; width and height in pixels."""

    file: str
    caption: str
    alternative: str
    uri: str
    width: int
    height: int


def write(
    path: files.PathLike,
    ledgers: Sequence[Ledger],
    *,
    pictures_from: files.PathLike,
    fresh: Sequence[Ledger] = (),
    fresh_pictures_from: files.PathLike | None = None,
) -> None:
    """Writes an HTML page that needs no other file and no network.

    Without `fresh` the page has a column "measured"; with it, "landed" and
    "newly measured" stand side by side, artefact by artefact and row by row.

    Args:
        path: the page.
        ledgers: the landed ones, in the order in which they are to stand.
        pictures_from: folder with `<artefact>/<picture>` of `ledgers`.
        fresh: the newly measured ones; an artefact may be in one list only.
        fresh_pictures_from: as `pictures_from`, of `fresh`.

    Raises:
        FileNotFoundError: if a picture is missing.
        ValueError: if an artefact stands twice in a list, a picture is no PNG,
            or `fresh` comes without the folder of its pictures.
    """
    if fresh and fresh_pictures_from is None:
        raise ValueError(
            "`fresh` needs the folder of its pictures. "
            "Received: fresh_pictures_from=None."
        )
    landed = _readings("landed" if fresh else "measured", ledgers, pictures_from)
    newer = _readings("newly measured", fresh, fresh_pictures_from)
    sections = [
        _section([readings[name] for readings in (landed, newer) if name in readings])
        for name in landed | newer
    ]
    html = _template().render(
        sections=sections,
        totals=_totals(sections),
        verdicts=VERDICTS,
        compared=bool(fresh),
    )
    files.write_text(path, html)


def _template():
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        fixed=numerals.fixed, signed=numerals.signed, duration=numerals.duration
    )
    return environment.get_template("page.html.j2")


def _readings(label, ledgers, pictures_from):
    """What the page says of each ledger, by artefact."""
    readings = {}
    for ledger in ledgers:
        if ledger.artefact in readings:
            raise ValueError(
                "Each artefact must have one ledger of a kind. "
                f"Received twice: {ledger.artefact!r} ({label})."
            )
        whole = (claim for claim in ledger.claims if claim.part_of is None)
        counts = collections.Counter(claim.verdict for claim in whole)
        readings[ledger.artefact] = {
            "label": label,
            "ledger": ledger,
            "counts": counts,
            "figures": [
                _figure(pathlib.Path(pictures_from, ledger.artefact), picture)
                for picture in ledger.pictures
            ],
        }
    return readings


def _figure(folder, picture):
    path = folder / picture.file
    content = path.read_bytes()
    if not content.startswith(_PNG):
        raise ValueError(f"{path} is not a PNG; draw it again.")
    # The head gives the size, so that the page keeps its place for the picture.
    width, height = struct.unpack(">II", content[16:24])
    uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
    # The first sentence; the stop of "Fig. 3" does not end one.
    alternative = re.split(r"\.\s+(?=[A-Z])", picture.caption, maxsplit=1)[0]
    return Figure(picture.file, picture.caption, alternative, uri, width, height)


def _totals(sections):
    """Number of claims by verdict, for each kind of reading."""
    totals: collections.defaultdict = collections.defaultdict(collections.Counter)
    for section in sections:
        for reading in section["readings"]:
            totals[reading["label"]].update(reading["counts"])
    return totals


def _section(readings):
    """An artefact: what its readings say, beside each other."""
    ledgers = [reading["ledger"] for reading in readings]
    choices = (choice for ledger in ledgers for choice in ledger.choices)
    rows = _beside(readings, lambda reading: reading["ledger"].rows, "id")
    shown, folded = _fold([_row(cells) for cells in rows])
    claims = _beside(readings, lambda reading: reading["ledger"].claims, "id")
    return {
        "artefact": ledgers[0].artefact,
        "source": ledgers[0].source,
        "readings": readings,
        "rows": shown,
        "folded": folded,
        "claims": [_claim(cells) for cells in claims],
        "figures": _beside(readings, lambda reading: reading["figures"], "file"),
        "choices": list(dict.fromkeys(choices)),
    }


def _beside(readings, entries, key):
    """For each value of `key` the `(label, entry or None)` of each reading.

    Where two readings differ in a text or a printed number, the page shows the
    last one's, which is the newest.
    """
    tables = {
        reading["label"]: {getattr(entry, key): entry for entry in entries(reading)}
        for reading in readings
    }
    values = dict.fromkeys(value for table in tables.values() for value in table)
    return [
        [(label, table.get(value)) for label, table in tables.items()]
        for value in values
    ]


def _row(cells):
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


def _fold(lines):
    """What a reader sees at once, and what has to be unfolded."""
    if len(lines) <= _MOST_LINES:
        return lines, []
    printed = [line for line in lines if line["head"].printed is not None]
    if not printed:
        return lines[:_MOST_LINES], lines[_MOST_LINES:]
    return printed, [line for line in lines if line["head"].printed is None]


def _claim(cells):
    claims = [claim for _, claim in cells if claim]
    numbers = [
        number
        for claim in claims
        for number in (claim.effect, claim.low, claim.high)
        if number is not None
    ]
    return {
        "head": claims[-1],
        "cells": cells,
        "places": numerals.decimals(*numbers),
        # Largest distance from zero: what the drawn intervals are scaled by.
        "reach": max(map(abs, numbers), default=0.0),
        "notes": list(dict.fromkeys(claim.note for claim in claims if claim.note)),
    }
