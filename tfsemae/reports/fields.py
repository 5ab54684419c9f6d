"""Types of a ledger's fields, checked by pydantic; an error is one line."""

import dataclasses
import math
import numbers
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, dataclass_transform

import pydantic
import pydantic.dataclasses

_Class = TypeVar("_Class", bound=type)
_Made = TypeVar("_Made")


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

Number = Annotated[float, pydantic.BeforeValidator(_finite)]
NotNegative = Annotated[Number, pydantic.Field(ge=0)]
Count = Annotated[int, pydantic.BeforeValidator(_whole)]
Name = Annotated[str, pydantic.BeforeValidator(_name)]
Text = Annotated[str, pydantic.Field(strict=True)]
Scalar = Annotated[str | int | float | None, pydantic.PlainValidator(_scalar)]
Entry = Annotated[str | int, pydantic.PlainValidator(_entry)]


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(dataclasses.field, pydantic.Field),
)
def record(cls: _Class) -> _Class:
    """Makes a frozen dataclass that pydantic checks; an error is one line."""
    config = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
    made: Any = pydantic.dataclasses.dataclass(
        frozen=True, kw_only=True, config=config
    )(cls)
    initialise = made.__init__

    def __init__(self: Any, **fields: Any) -> None:
        checked(lambda: initialise(self, **fields))

    made.__init__ = __init__
    return made


def checked(make: Callable[[], _Made]) -> _Made:
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
