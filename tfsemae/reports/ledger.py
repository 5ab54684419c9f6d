"""The ledger of an artefact: printed beside measured, and what follows.

A ledger is plain data, checked when it is made and again when it is read, and
kept as `<folder>/ledger.json`. It neither measures nor judges: verdicts come
from the code that computed them.
"""

import dataclasses
import json
import pathlib
from collections.abc import Iterable
from typing import Any, Literal, get_args

import pydantic

from tfsemae import files
from tfsemae.reports import fields
from tfsemae.statistics.verdicts import Verdict

FILE_NAME = "ledger.json"
Scale = Literal["full", "reduced", "smoke"]
Tag = Literal["as printed", "our choice", "reduced", "stand-in", "not run"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@fields.record
class Row:
    """One measured number, beside the printed one where there is one.

    Attributes:
        id: name of the row, unique in a ledger; letters, digits, `_`, `.`, `-`.
        quantity: what was measured, for a reader.
        unit: unit of `printed`, `measured` and `sd`; "" where there is none.
        printed: the source's number, or None where it prints nothing.
        measured: our number, the mean of `n` values; None where, and only where, the
            tag is "not run".
        sd: standard deviation of those values, or None.
        n: how many independent values (seeds) the mean is over, or None of none.
        difference: `measured - printed`, or None; computed, never given.
        tag: one of `Tag`.
        note: what a reader should know besides.
        values: the `n` values themselves, or none.
        low: lower end of the interval of `measured`, or None.
        high: upper end of that interval, or None.

    Raises:
        ValueError: if a number is not finite, a name is not allowed, or `values`
            are not `n`, or something was measured of what was not run.
    """

    id: fields.Name
    quantity: fields.Text
    unit: fields.Text
    printed: fields.Number | None
    measured: fields.Number | None
    sd: fields.NotNegative | None = None
    n: fields.Count | None = 1
    difference: fields.Number | None = dataclasses.field(init=False, default=None)
    tag: Tag
    note: fields.Text = ""
    values: tuple[fields.Number, ...] = ()
    low: fields.Number | None = None
    high: fields.Number | None = None

    @pydantic.model_validator(mode="after")
    def _complete(self) -> "Row":
        _check_interval(self.low, self.high)
        self._check_measured()
        if self.values and len(self.values) != self.n:
            raise ValueError(
                f"`values` must be `n` numbers. Received: {len(self.values)} values "
                f"of n={self.n}."
            )
        if self.printed is not None and self.measured is not None:
            object.__setattr__(self, "difference", self.measured - self.printed)
        return self

    def _check_measured(self) -> None:
        if self.tag == "not run":
            given = (self.measured, self.n, self.sd, self.low, *self.values)
            fits = all(value is None for value in given)
        else:
            fits = self.measured is not None and self.n is not None
        if not fits:
            raise ValueError(
                "`measured`, `n` and what tells of them must be None where, and only "
                f"where, `tag` is 'not run'. Received: measured={self.measured}, "
                f"n={self.n}, tag={self.tag!r}."
            )


@fields.record
class Claim:
    """A statement of the source and the verdict of our measurement.

    Attributes:
        id: name of the claim, unique in a ledger; letters, digits, `_`, `.`, `-`.
        statement: what the source claims.
        measurement: what was measured to decide it, and the rule.
        effect: the measured effect, or None where it is not one number.
        low: lower end of the effect's interval, or None.
        high: upper end of the effect's interval, or None.
        verdict: one of `Verdict`: "undecided" where the interval lies across a
            bound, "intermediate" where it lies between two chosen bounds.
        note: what a reader should know besides.
        part_of: id of the claim that this one is a part of, or None.
        unit: unit of `effect`, its interval and `bounds`; "" where there is none.
        bounds: the values of the effect at which the verdict changes.
        signed: whether the effect is a difference, shown with its sign.
        detectable: whether there is an effect that does not reach its bound.

    Raises:
        ValueError: if a number is not finite, the interval is not one, or a
            name is not allowed.
    """

    id: fields.Name
    statement: fields.Text
    measurement: fields.Text
    effect: fields.Number | None
    low: fields.Number | None
    high: fields.Number | None
    verdict: Verdict
    note: fields.Text = ""
    part_of: fields.Name | None = None
    unit: fields.Text = ""
    bounds: tuple[fields.Number, ...] = ()
    signed: bool = True
    detectable: bool = False

    @pydantic.model_validator(mode="after")
    def _check(self) -> "Claim":
        _check_interval(self.low, self.high)
        return self


@fields.record
class Picture:
    """A picture beside the ledger.

    Attributes:
        file: name of a PNG in the ledger's folder.
        caption: what it shows; its first sentence is the alternative text for
            readers who do not see it.
    """

    file: fields.Name
    caption: fields.Text


@fields.record
class Choice:
    """A setting that the source does not print, and why ours is what it is.

    Attributes:
        flag: the flag's name.
        value: its value.
        reason: why.
    """

    flag: fields.Text
    value: fields.Scalar
    reason: fields.Text


@fields.record
class NamedWarning:
    """What speaks against the numbers, or why some are missing.

    Attributes:
        name: of the check; letters, digits, `_`, `.`, `-`.
        text: what it found, and where.
    """

    name: fields.Name
    text: fields.Text


@fields.record
class Ledger:
    """What an artefact found, under which conditions.

    Attributes:
        artefact: its name, also that of its folder.
        source: the paper and the tables and figures in it.
        scale: one of `Scale`.
        command: the command that makes it again.
        revision: of the code, see `provenance.revision`.
        versions: of the packages, see `provenance.environment`.
        machine: see `provenance.environment`.
        seconds: time that it took.
        rows: the numbers.
        claims: the verdicts.
        pictures: files in the same folder.
        choices: settings that the source does not print.
        warnings: about the numbers.

    Raises:
        ValueError: if a value is not allowed, an id is not unique, or `part_of`
            names no claim of this ledger, or one that is a part itself.
    """

    artefact: fields.Name
    source: fields.Text
    scale: Scale
    command: fields.Text
    revision: fields.Text
    versions: dict[fields.Text, fields.Entry]
    machine: dict[fields.Text, fields.Entry]
    seconds: fields.NotNegative
    rows: tuple[Row, ...] = ()
    claims: tuple[Claim, ...] = ()
    pictures: tuple[Picture, ...] = ()
    choices: tuple[Choice, ...] = ()
    warnings: tuple[NamedWarning, ...] = ()

    @pydantic.model_validator(mode="after")
    def _check(self) -> "Ledger":
        _check_unique("rows", (row.id for row in self.rows))
        _check_unique("claims", (claim.id for claim in self.claims))
        whole = {claim.id for claim in self.claims if claim.part_of is None}
        for claim in self.claims:
            if claim.part_of is not None and claim.part_of not in whole:
                raise ValueError(
                    "`part_of` must be the id of a claim of this ledger that is no "
                    f"part. Received: part_of={claim.part_of!r} of {claim.id!r}."
                )
        return self

    @property
    def source_key(self) -> str:
        """Short name of the source: `ming2022` of the artefact `ming2022_mnist`."""
        return self.artefact.partition("_")[0]

    def write(self, folder: files.PathLike) -> pathlib.Path:
        """Writes `<folder>/ledger.json`, whole or not at all.

        Args:
            folder: made if it is missing.

        Returns:
            The path of the file.
        """
        path = files.path(folder) / FILE_NAME
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
        path = files.path(folder) / FILE_NAME
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:  # not JSON, or not UTF-8
            raise ValueError(
                f"{path} is cut short or not JSON ({error}); make it again."
            ) from error
        try:
            return _from_json(entry)
        except ValueError as error:
            raise ValueError(f"{path} is not a ledger: {error}") from error


_ADAPTER: pydantic.TypeAdapter[Ledger] = pydantic.TypeAdapter(Ledger)


def _from_json(entry: Any) -> Ledger:
    if not isinstance(entry, dict):
        raise ValueError(f"the file must hold an object. Received: {entry!r}.")
    rows = entry.get("rows", [])
    stated = []
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        stated = [row.get("difference") for row in rows]
        rows = [_without(row, "difference") for row in rows]
        entry = entry | {"rows": rows}
    ledger = fields.checked(lambda: _ADAPTER.validate_python(entry))
    for row, difference in zip(ledger.rows, stated, strict=True):
        if difference != row.difference:
            raise ValueError(
                f"`difference` of the row {row.id!r} must be measured - printed = "
                f"{row.difference}. Received: difference={difference!r}."
            )
    return ledger


def _without(entry: dict, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


def _check_interval(low: float | None, high: float | None) -> None:
    if (low is None) != (high is None):
        raise ValueError(
            "`low` and `high` must both be given or both be None. "
            f"Received: low={low}, high={high}."
        )
    if low is not None and high is not None and low > high:
        raise ValueError(
            f"`low` must not be above `high`. Received: low={low}, high={high}."
        )


def _check_unique(name: str, ids: Iterable[str]) -> None:
    seen = set()
    for each in ids:
        if each in seen:
            raise ValueError(
                f"`{name}` must have unique ids. Received twice: {each!r}."
            )
        seen.add(each)
