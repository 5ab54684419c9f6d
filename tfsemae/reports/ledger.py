"""The ledger of an artefact: printed beside measured, and what follows.

A ledger is plain data, checked when it is made and again when it is read, and
kept as `<folder>/ledger.json`. It neither measures nor judges: verdicts come
from the code that computed them.
"""

import dataclasses
import json
import math
import numbers
import pathlib
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, TypeVar, dataclass_transform, get_args

import pydantic
import pydantic.dataclasses

from tfsemae import files
from tfsemae.statistics.verdicts import Verdict

FILE_NAME = "ledger.json"
Scale = Literal["full", "reduced", "smoke"]
Tag = Literal["as printed", "our choice", "reduced", "stand-in"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

_Class = TypeVar("_Class", bound=type)


def _finite(value: Any) -> float:
    """NumPy's numbers and integers as floats; neither texts nor truth values."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        raise ValueError("must be a finite number")
    return float(value)


def _whole(value: Any) -> int:
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError("must be a whole number of at least 1")
    return int(value)


def _name(value: Any) -> str:
    """What can be a file name and an anchor of a page."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            "must consist of letters, digits, `_`, `.` and `-`, a letter or digit first"
        )
    return value


def _scalar(value: Any) -> str | int | float | None:
    if value is None or isinstance(value, str | int):  # truth values as well
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    raise ValueError("must be a text, a finite number, a truth value or None")


def _entry(value: Any) -> str | int:
    if not isinstance(value, str | int):
        raise ValueError("must be a text or a whole number")
    return value


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

_Number = Annotated[float, pydantic.BeforeValidator(_finite)]
_NotNegative = Annotated[_Number, pydantic.Field(ge=0)]
_Count = Annotated[int, pydantic.BeforeValidator(_whole)]
_Name = Annotated[str, pydantic.BeforeValidator(_name)]
_Text = Annotated[str, pydantic.Field(strict=True)]
_Scalar = Annotated[str | int | float | None, pydantic.PlainValidator(_scalar)]
_Entry = Annotated[str | int, pydantic.PlainValidator(_entry)]


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(dataclasses.field, pydantic.Field),
)
def _record(cls: _Class) -> _Class:
    """Makes a frozen dataclass that pydantic checks; an error is one line."""
    config = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
    made: Any = pydantic.dataclasses.dataclass(
        frozen=True, kw_only=True, config=config
    )(cls)
    checked = made.__init__

    def __init__(self: Any, **fields: Any) -> None:
        _checked(lambda: checked(self, **fields))

    made.__init__ = __init__
    return made


@_record
class Row:
    """One measured number, beside the printed one where there is one.

    Attributes:
        id: name of the row, unique in a ledger; letters, digits, `_`, `.`, `-`.
        quantity: what was measured, for a reader.
        unit: unit of `printed`, `measured` and `sd`; "" where there is none.
        printed: the source's number, or None where it prints nothing.
        measured: our number, the mean of `n` values.
        sd: standard deviation of those values, or None.
        n: how many independent values (seeds) the mean is over.
        difference: `measured - printed`, or None; computed, never given.
        tag: one of `Tag`.
        note: what a reader should know besides.
        values: the `n` values themselves, or none.
        low: lower end of the interval of `measured`, or None.
        high: upper end of that interval, or None.

    Raises:
        ValueError: if a number is not finite, a name is not allowed, or `values`
            are not `n`.
    """

    id: _Name
    quantity: _Text
    unit: _Text
    printed: _Number | None
    measured: _Number
    sd: _NotNegative | None = None
    n: _Count = 1
    difference: _Number | None = dataclasses.field(init=False, default=None)
    tag: Tag
    note: _Text = ""
    values: tuple[_Number, ...] = ()
    low: _Number | None = None
    high: _Number | None = None

    @pydantic.model_validator(mode="after")
    def _complete(self) -> "Row":
        _check_interval(self.low, self.high)
        if self.values and len(self.values) != self.n:
            raise ValueError(
                f"`values` must be `n` numbers. Received: {len(self.values)} values "
                f"of n={self.n}."
            )
        if self.printed is not None:
            object.__setattr__(self, "difference", self.measured - self.printed)
        return self


@_record
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
        least_relevant: smallest distance from a bound that matters, or None.

    Raises:
        ValueError: if a number is not finite, the interval is not one, or a
            name is not allowed.
    """

    id: _Name
    statement: _Text
    measurement: _Text
    effect: _Number | None
    low: _Number | None
    high: _Number | None
    verdict: Verdict
    note: _Text = ""
    part_of: _Name | None = None
    unit: _Text = ""
    bounds: tuple[_Number, ...] = ()
    signed: bool = True
    least_relevant: _NotNegative | None = None

    @pydantic.model_validator(mode="after")
    def _check(self) -> "Claim":
        _check_interval(self.low, self.high)
        return self

    @property
    def merely_detectable(self) -> bool:
        """Whether the claim holds by less than what matters.

        True where the interval lies beyond a bound, and wholly closer to it than
        `least_relevant`.
        """
        if self.verdict != "holds" or self.least_relevant is None:
            return False
        if self.low is None or self.high is None:
            return False
        return any(
            0 < self.low - bound <= self.high - bound < self.least_relevant
            or 0 < bound - self.high <= bound - self.low < self.least_relevant
            for bound in self.bounds
        )


@_record
class Picture:
    """A picture beside the ledger.

    Attributes:
        file: name of a PNG in the ledger's folder.
        caption: what it shows; its first sentence is the alternative text for
            readers who do not see it.
    """

    file: _Name
    caption: _Text


@_record
class Choice:
    """A setting that the source does not print, and why ours is what it is.

    Attributes:
        flag: the flag's name.
        value: its value.
        reason: why.
    """

    flag: _Text
    value: _Scalar
    reason: _Text


@_record
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

    Raises:
        ValueError: if a value is not allowed, an id is not unique, or `part_of`
            names no claim of this ledger, or one that is a part itself.
    """

    artefact: _Name
    source: _Text
    scale: Scale
    command: _Text
    revision: _Text
    versions: dict[_Text, _Entry]
    machine: dict[_Text, _Entry]
    seconds: _NotNegative
    rows: tuple[Row, ...] = ()
    claims: tuple[Claim, ...] = ()
    pictures: tuple[Picture, ...] = ()
    choices: tuple[Choice, ...] = ()

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
            return _from_json(entry)
        except ValueError as error:
            raise ValueError(f"{path} is not a ledger: {error}") from error


_Made = TypeVar("_Made")
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
    ledger = _checked(lambda: _ADAPTER.validate_python(entry))
    for row, difference in zip(ledger.rows, stated, strict=True):
        if difference != row.difference:
            raise ValueError(
                f"`difference` of the row {row.id!r} must be measured - printed = "
                f"{row.difference}. Received: difference={difference!r}."
            )
    return ledger


def _without(entry: dict, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


def _checked(make: Callable[[], _Made]) -> _Made:
    """What `make` returns; the first error of pydantic as one line."""
    try:
        return make()
    except pydantic.ValidationError as error:
        details = error.errors(include_url=False)[0]
    raise ValueError(_line(details))


def _line(details: Any) -> str:
    kind, message, value = details["type"], details["msg"], details["input"]
    where = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in details["loc"]
    ).removeprefix(".")
    name = where.rpartition(".")[2]
    if kind == "missing":
        return f"`{where}` is missing."
    if kind == "unexpected_keyword_argument":
        return f"`{where}` is no field of a ledger. Received: {name}={value!r}."
    if kind == "value_error":
        message = str(details["ctx"]["error"])
    if not where or message.startswith("`"):  # it names the fields itself
        return f"`{where}`: {message}" if where else message
    message = message.replace("Input should be", "must be")
    return f"`{where}` {message}. Received: {name}={value!r}."


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
