"""README's table of results, generated between two markers."""

import pathlib
from collections.abc import Sequence

from tfsemae import files
from tfsemae.reports import numerals
from tfsemae.reports.ledger import Claim, Ledger, Row

BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"
_NOTHING = "\u2013"


def results_table(ledgers: Sequence[Ledger]) -> str:
    """Markdown table with a line per printed number and per claim.

    Claims that another sums up have none, and of a ledger that is not full only
    those that are not one number; the page has all.

    Args:
        ledgers: those of `results/`, in the order in which they are to stand.

    Returns:
        The table, with a line break at its end.
    """
    lines = [
        "| artefact | quantity or claim | printed | measured ± sd (n) | difference "
        "| tag or verdict |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for ledger in ledgers:
        link = f"[{ledger.artefact}](results/{ledger.artefact}/ledger.json)"
        if ledger.scale != "full":
            link += f" ({ledger.scale})"
        lines += [
            _line(link, *_row(row)) for row in ledger.rows if row.printed is not None
        ]
        lines += [
            _line(link, *_claim(claim))
            for claim in ledger.claims
            if claim.part_of is None
            and (ledger.scale == "full" or claim.effect is None)
        ]
    return "\n".join(lines) + "\n"


def update(readme: files.PathLike, ledgers: Sequence[Ledger]) -> None:
    """Puts the table between the markers of `readme`.

    Args:
        readme: a Markdown file with `BEGIN` and `END` on lines of their own.
        ledgers: as for `results_table`.

    Raises:
        ValueError: if the markers do not stand there once each, in order.
    """
    files.write_text(readme, _updated(readme, ledgers))


def is_current(readme: files.PathLike, ledgers: Sequence[Ledger]) -> bool:
    """Whether `update` would leave `readme` as it is; raises as it does."""
    return _updated(readme, ledgers) == _text(readme)


def _updated(readme, ledgers):
    text = _text(readme)
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(
            f"{readme} must hold the lines `{BEGIN}` and `{END}` once each. "
            f"Received: {text.count(BEGIN)} and {text.count(END)}."
        )
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{readme} must hold `{BEGIN}` before `{END}`.")
    return f"{before}{BEGIN}\n\n{results_table(ledgers)}\n{END}{after}"


def _text(readme):
    return pathlib.Path(readme).read_text(encoding="utf-8")


def _row(row: Row) -> tuple[str, ...]:
    # Rows without a printed number are left out before.
    assert row.printed is not None
    assert row.difference is not None
    places = numerals.decimals(row.measured, printed=row.printed, sd=row.sd)
    measured = numerals.fixed(row.measured, places)
    if row.sd is not None:
        measured += f" ± {numerals.fixed(row.sd, places)}"
    if row.n > 1:
        measured += f" ({row.n})"
    return (
        f"{row.quantity} ({row.unit})" if row.unit else row.quantity,
        numerals.fixed(row.printed, places),
        measured,
        numerals.signed(row.difference, places),
        row.tag,
    )


def _claim(claim: Claim):
    return claim.statement, _NOTHING, _effect(claim), _NOTHING, f"**{claim.verdict}**"


def _effect(claim):
    places = numerals.decimals(claim.effect, claim.low, claim.high)
    effect = _NOTHING
    if claim.effect is not None:
        effect = numerals.signed(claim.effect, places)
    if claim.low is None:
        return effect
    low, high = (numerals.signed(end, places) for end in (claim.low, claim.high))
    return f"{effect} [{low}, {high}]"


def _line(*cells):
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(cell):
    cell = " ".join(cell.split())
    return cell.replace("|", "\\|").replace("<", "&lt;")
