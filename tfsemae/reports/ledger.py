"""The ledger of an artefact: printed beside measured, and what follows.

A ledger is plain data, checked when it is made and again when it is read, and
kept as `<folder>/ledger.json`. It neither measures nor judges: verdicts come
in from the code that computed them.
"""

import dataclasses
import json
import numbers
import pathlib
from collections.abc import Mapping

from tfsemae import files
from tfsemae.reports import checks

FILE_NAME = "ledger.json"
SCALES = ("full", "reduced", "smoke")
TAGS = ("as printed", "our choice", "reduced", "stand-in")
VERDICTS = ("holds", "does not hold", "undecided")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One measured number, beside the printed one where there is one.

    Attributes:
        id: name of the row, once in a ledger; letters, digits, `_`, `.`, `-`.
        quantity: what was measured, for a reader.
        unit: unit of `printed`, `measured` and `sd`; "" where there is none.
        printed: the source's number, or None where it prints nothing.
        measured: our number, the mean of `n` values.
        sd: standard deviation of those values, or None.
        n: how many independent values (seeds) the mean is over.
        difference: `measured - printed`, or None; never given.
        tag: one of `TAGS`.
        note: what a reader should know besides.

    Raises:
        ValueError: if a number is not finite or a name is not allowed.
    """

    id: str
    quantity: str
    unit: str
    printed: float | None
    measured: float
    sd: float | None = None
    n: int = 1
    difference: float | None = dataclasses.field(init=False)
    tag: str
    note: str = ""

    def __post_init__(self):
        checks.check_name(self, "id")
        checks.check_texts(self, "quantity", "unit", "note")
        checks.check_member(self, "tag", TAGS)
        checks.store_numbers(self, "measured")
        checks.store_numbers(self, "printed", "sd", optional=True)
        checks.check_not_negative(self, "sd")
        if not isinstance(self.n, numbers.Integral) or self.n < 1:
            raise ValueError(
                f"`n` must be a whole number of at least 1. Received: n={self.n!r}."
            )
        object.__setattr__(self, "n", int(self.n))
        difference = None if self.printed is None else self.measured - self.printed
        object.__setattr__(self, "difference", difference)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the source and the verdict of our measurement.

    Attributes:
        id: name of the claim, once in a ledger; letters, digits, `_`, `.`, `-`.
        statement: what the source claims.
        measurement: what was measured to decide it, and the rule.
        effect: the measured effect, or None where it is not one number.
        low: lower end of the effect's interval, or None.
        high: upper end of the effect's interval, or None.
        verdict: one of `VERDICTS`.
        note: what a reader should know besides.
        part_of: id of the claim that sums this one up, or None.

    Raises:
        ValueError: if a number is not finite, the interval is not one, or a
            name is not allowed.
    """

    id: str
    statement: str
    measurement: str
    effect: float | None
    low: float | None
    high: float | None
    verdict: str
    note: str = ""
    part_of: str | None = None

    def __post_init__(self):
        checks.check_name(self, "id")
        if self.part_of is not None:
            checks.check_name(self, "part_of")
        checks.check_texts(self, "statement", "measurement", "note")
        checks.check_member(self, "verdict", VERDICTS)
        checks.store_numbers(self, "effect", "low", "high", optional=True)
        if (self.low is None) != (self.high is None):
            raise ValueError(
                "`low` and `high` must both be given or both be None. "
                f"Received: low={self.low}, high={self.high}."
            )
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(
                "`low` must not be above `high`. "
                f"Received: low={self.low}, high={self.high}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture beside the ledger.

    Attributes:
        file: name of a PNG in the ledger's folder.
        caption: what it shows; its first sentence serves as the short text for
            readers who do not see it.
    """

    file: str
    caption: str

    def __post_init__(self):
        checks.check_name(self, "file")
        checks.check_texts(self, "caption")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """A setting that the source does not print, and why ours is what it is.

    Attributes:
        flag: the flag's name.
        value: its value.
        reason: why.
    """

    flag: str
    value: str | int | float | bool | None
    reason: str

    def __post_init__(self):
        checks.check_texts(self, "flag", "reason")
        if not isinstance(self.value, str | int | float | None):
            raise ValueError(
                "`value` must be a text, a number, a truth value or None. "
                f"Received: value={self.value!r}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ledger:
    """What an artefact found, under which conditions.

    Attributes:
        artefact: its name, also that of its folder.
        source: the paper and the tables and figures in it.
        scale: one of `SCALES`.
        command: the command that makes it again.
        revision: of the code, see `provenance.revision`.
        versions: of the packages, see `provenance.environment`.
        machine: see `provenance.environment`.
        seconds: time that it took.
        rows: the numbers.
        claims: the verdicts.
        pictures: files in the same folder.
        choices: settings that the source does not print.

    Raises:
        ValueError: if a value is not allowed, an id stands twice, or what sums a
            claim up is not there or summed up itself.
    """

    artefact: str
    source: str
    scale: str
    command: str
    revision: str
    versions: Mapping[str, str]
    machine: Mapping[str, str | int]
    seconds: float
    rows: tuple[Row, ...] = ()
    claims: tuple[Claim, ...] = ()
    pictures: tuple[Picture, ...] = ()
    choices: tuple[Choice, ...] = ()

    def __post_init__(self):
        checks.check_name(self, "artefact")
        checks.check_texts(self, "source", "command", "revision")
        checks.check_member(self, "scale", SCALES)
        checks.store_numbers(self, "seconds")
        checks.check_not_negative(self, "seconds")
        checks.store_mapping(self, "versions")
        checks.store_mapping(self, "machine")
        for name, kind in _PARTS.items():
            checks.store_parts(self, name, kind)
        checks.check_unique("rows", (row.id for row in self.rows))
        checks.check_unique("claims", (claim.id for claim in self.claims))
        whole = {claim.id for claim in self.claims if claim.part_of is None}
        for claim in self.claims:
            if claim.part_of is not None and claim.part_of not in whole:
                raise ValueError(
                    "`part_of` must be the id of a claim of this ledger that is no "
                    f"part. Received: part_of={claim.part_of!r} of {claim.id!r}."
                )

    def write(self, folder: files.PathLike) -> pathlib.Path:
        """Writes `<folder>/ledger.json`, whole or not at all.

        Args:
            folder: made if it is missing.

        Returns:
            The path of the file.
        """
        path = pathlib.Path(folder) / FILE_NAME
        files.write_json(path, dataclasses.asdict(self))
        return path

    @classmethod
    def read(cls, folder: files.PathLike) -> "Ledger":
        """Reads `<folder>/ledger.json`.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it is cut short, not a ledger, or was changed so
                that a difference is no longer that of its numbers.
        """
        path = pathlib.Path(folder) / FILE_NAME
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:  # not JSON, or not UTF-8
            raise ValueError(
                f"{path} is cut short or not JSON ({error}); make it again."
            ) from error
        try:
            return _ledger(entry)
        except ValueError as error:
            raise ValueError(f"{path} is not a ledger: {error}") from error


_PARTS = {"rows": Row, "claims": Claim, "pictures": Picture, "choices": Choice}


def _ledger(entry):
    entry = _fields(Ledger, entry, "the file")
    for name, kind in _PARTS.items():
        parts = entry.get(name, [])
        if not isinstance(parts, list):
            raise ValueError(f"`{name}` must be a list. Received: {parts!r}.")
        entry[name] = tuple(_part(kind, part, name) for part in parts)
    return Ledger(**entry)


def _part(kind, entry, where):
    entry = _fields(kind, entry, f"an entry of `{where}`")
    stated = entry.pop("difference", None)
    part = kind(**entry)
    if stated != getattr(part, "difference", None):
        raise ValueError(
            f"`difference` of the row {part.id!r} must be measured - printed = "
            f"{part.difference}. Received: difference={stated}."
        )
    return part


def _fields(kind, entry, where):
    if not isinstance(entry, dict):
        raise ValueError(f"{where} must be an object. Received: {entry!r}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    required = {
        name for name, field in fields.items() if field.default is dataclasses.MISSING
    }
    missing = sorted(required - entry.keys())
    unknown = sorted(entry.keys() - fields.keys())
    if missing or unknown:
        raise ValueError(
            f"{where} must have the fields of a {kind.__name__}. "
            f"Received: missing={missing}, unknown={unknown}."
        )
    return dict(entry)
