"""README's section of results, generated between two markers."""

from collections.abc import Sequence

from tfsemae import files
from tfsemae.reports import headlines, numerals, sentences
from tfsemae.reports.headlines import Case, Headline
from tfsemae.reports.ledger import Ledger, Row

BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"
_NOTHING = "\u2013"
_MOST_EFFECTS = 2  # of a statement that are shown one by one
_MOST_PRINTED = 12  # numbers of a source; of more the page has them all
_NUMBERS = (
    "| quantity | printed | measured ± sd (n) | difference | tag | ledger |",
    "| --- | ---: | ---: | ---: | --- | --- |",
)
_CLAIMS = (
    "| claim | verdict | measured | ledger |",
    "| --- | --- | --- | --- |",
)


def results(ledgers: Sequence[Ledger]) -> str:
    """Markdown on each source: a summary and its tables.

    Args:
        ledgers: those of `results/`, in the order in which they are to stand.

    Returns:
        The sections, with a line break at their end.
    """
    groups = headlines.by_source(ledgers)
    return "\n".join(_section(source, group) for source, group in groups.items())


def numbers_table(ledgers: Sequence[Ledger]) -> str:
    """Markdown table of the printed numbers of one source.

    Args:
        ledgers: in the order in which they are to stand.

    Returns:
        A line per number, empty if there are none or more than a dozen: then they
        stand on the page of the source alone.
    """
    printed = headlines.printed_rows(ledgers)
    if not 0 < len(printed) <= _MOST_PRINTED:
        return ""
    return "\n".join([*_NUMBERS, *(_line(*_row(*each)) for each in printed)])


def claims_table(ledgers: Sequence[Ledger]) -> str:
    """Markdown table of the statements of one source.

    Args:
        ledgers: in the order in which they are to stand.

    Returns:
        A line per statement that the text of the source chooses, see
        `sentences.chosen`; empty without any.
    """
    statements = headlines.chosen(
        headlines.headlines(ledgers), sentences.chosen(ledgers[0].source_key)
    )
    if not statements:
        return ""
    return "\n".join([*_CLAIMS, *(_line(*_headline(each)) for each in statements)])


def update(readme: files.PathLike, ledgers: Sequence[Ledger]) -> None:
    """Puts the results between the markers of `readme`.

    Args:
        readme: a Markdown file with `BEGIN` and `END` on lines of their own.
        ledgers: as for `results`.

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
    return f"{before}{BEGIN}\n\n{results(ledgers)}\n{END}{after}"


def _text(readme):
    return files.path(readme).read_text(encoding="utf-8")


def _section(source: str, ledgers: Sequence[Ledger]) -> str:
    text = sentences.text(source, ledgers)
    blocks = [
        f"### {text.title}",
        *filter(None, [text.summary, numbers_table(ledgers), claims_table(ledgers)]),
        f"What the numbers say, all of them and the pictures: `results/{source}.html`.",
    ]
    return "\n\n".join(blocks) + "\n"


def _link(ledger: Ledger) -> str:
    link = f"[{ledger.artefact}](results/{ledger.artefact}/ledger.json)"
    return link if ledger.scale == "full" else f"{link} ({ledger.scale})"


def _row(ledger: Ledger, row: Row) -> tuple[str, ...]:
    places = numerals.decimals(row.measured, printed=row.printed, sd=row.sd)
    return (
        f"{row.quantity} ({row.unit})" if row.unit else row.quantity,
        _NOTHING if row.printed is None else numerals.fixed(row.printed, places),
        measured(row, places),
        _NOTHING if row.difference is None else numerals.signed(row.difference, places),
        row.tag,
        _link(ledger),
    )


def measured(row: Row, places: int) -> str:
    """Mean, standard deviation and number of values, as there are.

    Args:
        row: of a ledger.
        places: decimals.
    """
    if row.measured is None or row.n is None:
        return _NOTHING
    found = numerals.fixed(row.measured, places)
    if row.sd is not None:
        found += f" ± {numerals.fixed(row.sd, places)}"
    return f"{found} ({row.n})" if row.n > 1 else found


def _headline(headline: Headline) -> tuple[str, ...]:
    first, *others = dict.fromkeys(_link(case.ledger) for case in headline.cases)
    return (
        numerals.prose(headline.statement),
        _verdicts(headline),
        _effects(headline.cases),
        f"{first} and {len(others)} more" if others else first,
    )


def _verdicts(headline: Headline) -> str:
    total = len(headline.cases)
    if total == 1:
        return f"**{headline.cases[0].claim.verdict}**"
    return ", ".join(
        f"**{verdict}** ({count} of {total})" for verdict, count in headline.summary()
    )


def _effects(cases: Sequence[Case]) -> str:
    """The effect, two of them, or the range of many."""
    measured = [case for case in cases if case.claim.effect is not None]
    if len(measured) <= _MOST_EFFECTS:
        shown = [_effect(case, named=len(cases) > 1) for case in measured]
        return "; ".join(shown) or _NOTHING
    units = {case.claim.unit for case in measured}
    if len(units) > 1:
        return _NOTHING
    effects = [case.claim.effect for case in measured if case.claim.effect is not None]
    places = numerals.decimals(*effects)
    write = numerals.signed if measured[0].claim.signed else numerals.fixed
    ends = f"{write(min(effects), places)} to {write(max(effects), places)}"
    return f"{ends} {units.pop()}".rstrip()


def _effect(case: Case, *, named: bool) -> str:
    claim = case.claim
    effect = numerals.effect(
        claim.effect, claim.low, claim.high, with_sign=claim.signed
    )
    name = f"{case.subject or case.ledger.artefact}: " if named else ""
    return f"{name}{effect} {claim.unit}".rstrip()


def _line(*cells):
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(cell):
    cell = " ".join(cell.split())
    return cell.replace("|", "\\|").replace("<", "&lt;")
