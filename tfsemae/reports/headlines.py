"""What a source is judged by: printed numbers and statements, each shown once."""

import collections
import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence

from tfsemae.reports.ledger import VERDICTS, Claim, Ledger, Row

#: What a statement is about, at its end in parentheses; "(Fig. 6)" is no subject.
_SUBJECT = re.compile(r"(?P<statement>.+) \((?!Fig|Tab|eq)(?P<subject>[^()]+)\)")


@dataclasses.dataclass(frozen=True)
class Case:
    """A claim that is no part of another.

    Attributes:
        ledger: where it stands.
        claim: the claim.
        subject: what tells it from other claims of the same statement.
    """

    ledger: Ledger
    claim: Claim
    subject: str


@dataclasses.dataclass(frozen=True)
class Headline:
    """A statement of a source with all claims that measure it.

    Attributes:
        statement: what the source claims.
        cases: one or more.
    """

    statement: str
    cases: tuple[Case, ...]

    def summary(self) -> list[tuple[str, int]]:
        """Verdicts and how many cases have them, the most frequent first."""
        counts = collections.Counter(case.claim.verdict for case in self.cases)
        return sorted(
            counts.items(), key=lambda item: (-item[1], VERDICTS.index(item[0]))
        )


def headlines(ledgers: Sequence[Ledger]) -> list[Headline]:
    """Groups the claims without `part_of` by their statement.

    `Looks alike (weight 1)` and `Looks alike (weight 2)` are cases of one
    statement, and so are `Costs nothing: PSNR` and `Costs nothing: SSIM`.

    Args:
        ledgers: of one source.

    Returns:
        In the order in which statements first appear.
    """
    groups = collections.defaultdict(list)
    for ledger in ledgers:
        for claim in ledger.claims:
            if claim.part_of is None:
                statement, subject = split(claim.statement)
                groups[statement].append(Case(ledger, claim, subject))
    return [
        Headline(
            cases[0].claim.statement if len(cases) == 1 else statement, tuple(cases)
        )
        for statement, cases in groups.items()
    ]


def chosen(
    found: Sequence[Headline], ids: Mapping[str, Collection[str]]
) -> list[Headline]:
    """The headlines of which a case is chosen.

    Args:
        found: headlines of a source.
        ids: artefact -> ids of claims; of other artefacts all are chosen.

    Raises:
        ValueError: if a ledger has no such claim, or it is a part of another.
    """
    cases = [case for headline in found for case in headline.cases]
    there = {(case.ledger.artefact, case.claim.id) for case in cases}
    for artefact in {artefact for artefact, _ in there} & ids.keys():
        for id_ in ids[artefact]:
            if (artefact, id_) not in there:
                raise ValueError(
                    f"README is to show the claim {id_} of {artefact}, which has no "
                    "such claim or has it as a part of another. Correct the text of "
                    "the source, or land the artefact again."
                )
    return [
        headline
        for headline in found
        if any(
            case.claim.id in ids.get(case.ledger.artefact, (case.claim.id,))
            for case in headline.cases
        )
    ]


def printed_rows(ledgers: Sequence[Ledger]) -> list[tuple[Ledger, Row]]:
    """The rows that the source prints, of full artefacts where there are any.

    Args:
        ledgers: of one source.

    Returns:
        Ledger and row; a number that a full artefact measures is left out of
        the others. Of several readings of a number, such as `weight 1: PSNR` and
        `weight 2: PSNR`, the first stands.
    """
    rows = [
        (ledger, row)
        for ledger in ledgers
        for row in ledger.rows
        if row.printed is not None and row.tag != "our choice"
    ]
    full = {(row.printed, row.unit) for ledger, row in rows if ledger.scale == "full"}
    readings: dict[tuple[object, ...], tuple[Ledger, Row]] = {}
    for ledger, row in rows:
        if ledger.scale == "full" or (row.printed, row.unit) not in full:
            measured = row.quantity.rpartition(": ")[2]
            readings.setdefault((row.printed, row.unit, measured), (ledger, row))
    return list(readings.values())


def by_source(ledgers: Sequence[Ledger]) -> dict[str, list[Ledger]]:
    """The ledgers of each source, by its key, in the order given."""
    groups = collections.defaultdict(list)
    for ledger in ledgers:
        groups[ledger.source_key].append(ledger)
    return dict(groups)


def split(statement: str) -> tuple[str, str]:
    """A statement without its subject, and the subject, which may be empty."""
    found = _SUBJECT.fullmatch(statement)
    subjects = [found["subject"]] if found else []
    rest = found["statement"] if found else statement
    rest, _, quantity = rest.partition(": ")
    return rest, ", ".join([quantity, *subjects] if quantity else subjects)
