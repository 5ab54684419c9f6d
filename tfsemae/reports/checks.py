"""What the fields of a ledger may hold; each check names field and value."""

import math
import numbers
import re
from collections.abc import Iterable, Mapping
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def store_numbers(part: Any, *names: str, optional: bool = False) -> None:
    """Keeps finite numbers of `part` as floats, NumPy's and integers as well."""
    for name in names:
        value = getattr(part, name)
        if value is None and optional:
            continue
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            raise ValueError(
                f"`{name}` must be a finite number. Received: {name}={value!r}."
            )
        object.__setattr__(part, name, float(value))


def store_mapping(part: Any, name: str) -> None:
    """Keeps a mapping from texts to texts or whole numbers as a dict."""
    value = getattr(part, name)
    if not isinstance(value, Mapping) or not all(
        isinstance(key, str) and isinstance(entry, str | int)
        for key, entry in value.items()
    ):
        raise ValueError(
            f"`{name}` must map texts to texts or whole numbers. "
            f"Received: {name}={value!r}."
        )
    object.__setattr__(part, name, dict(value))


def store_parts(ledger: Any, name: str, kind: type) -> None:
    """Keeps a sequence of `kind` objects as a tuple."""
    parts = tuple(getattr(ledger, name))
    for part in parts:
        if not isinstance(part, kind):
            raise ValueError(
                f"`{name}` must hold {kind.__name__} objects. Received: {part!r}."
            )
    object.__setattr__(ledger, name, parts)


def check_texts(part: Any, *names: str) -> None:
    """Refuses what is not a `str`."""
    for name in names:
        value = getattr(part, name)
        if not isinstance(value, str):
            raise ValueError(f"`{name}` must be a text. Received: {name}={value!r}.")


def check_name(part: Any, name: str) -> None:
    """Refuses what cannot be a file name and an anchor of a page."""
    value = getattr(part, name)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"`{name}` must be of letters, digits, `_`, `.` and `-`, a letter or "
            f"digit first. Received: {name}={value!r}."
        )


def check_member(part: Any, name: str, allowed: tuple[str, ...]) -> None:
    """Refuses what is not one of `allowed`."""
    value = getattr(part, name)
    if value not in allowed:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, allowed))}. "
            f"Received: {name}={value!r}."
        )


def check_not_negative(part: Any, *names: str) -> None:
    """Refuses numbers below zero; None passes."""
    for name in names:
        value = getattr(part, name)
        if value is not None and value < 0:
            raise ValueError(
                f"`{name}` must not be negative. Received: {name}={value}."
            )


def check_unique(name: str, ids: Iterable[str]) -> None:
    """Refuses an id that stands twice."""
    seen = set()
    for each in ids:
        if each in seen:
            raise ValueError(
                f"`{name}` must have unique ids. Received twice: {each!r}."
            )
        seen.add(each)
