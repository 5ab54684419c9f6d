"""Settings as dataclasses whose fields are flags. Free of TensorFlow.

A setting is defined once, as a field:

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Optimizer:
        steps: int = setting(10_000, "Optimizer steps.", lower_bound=1)

`command_line` makes absl flags of the fields, and a run keeps them as `flags.txt`.
A group may hold other groups; names are unique over all of them, but for groups of
which one is used: what several networks have, they inherit from one class, and it is
one flag.

A group may have a method `unused`: of its fields, settings or groups, those that are
of no effect beside the others, such as the options of a network that is not trained,
each with the flag that would give it one. They must have their defaults and are left
out of `flags.txt`, so that new options of one network change no run of another.
"""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from absl import flags

T = TypeVar("T")

# Flags belong to the module that asks for them, not to this one.
flags.disclaim_key_flags()


def setting(
    default: Any = dataclasses.MISSING,
    help: str = "",
    *,
    choices: Sequence[str] | None = None,
    lower_bound: float | None = None,
    upper_bound: float | None = None,
    short_name: str | None = None,
    identity: bool = True,
) -> Any:
    """Defines a field and the flag of its name.

    Args:
        default: its value where nothing is given; without one it is required.
        help: one line with unit and range.
        choices: the texts that are allowed.
        lower_bound: of a number, inclusive.
        upper_bound: of a number, inclusive.
        short_name: of the flag, one letter.
        identity: whether the result depends on it. Folders and what only concerns
            one start do not belong to the identity of a run.

    Returns:
        A dataclass field.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": help,
            "choices": choices,
            "lower_bound": lower_bound,
            "upper_bound": upper_bound,
            "short_name": short_name,
            "identity": identity,
        },
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checked:
    """A group of settings that are checked when it is made, as their flags are.

    Raises:
        ValueError: if a number is not finite or out of its bounds, or a text is
            none of its choices, or what is not used is set.
    """

    def __post_init__(self) -> None:
        """Refuses what the definitions of the settings exclude."""
        for field in dataclasses.fields(self):
            if "help" in field.metadata:  # else it is a group of its own
                _check(field, getattr(self, field.name))
        refuse_unused(self)


def refuse_unused(group: Any) -> None:
    """Refuses settings of no effect; see the module.

    Args:
        group: an instance.

    Raises:
        ValueError: if one of them has another value than its default.
    """
    used = _flat(group, leave_out=_unused)
    owners: dict[str, list[str]] = {}  # line -> what would use it
    for name, belongs_to in _unused(group).items():
        for setting_name, line in _changed(group, name).items():
            if setting_name not in used:  # by another group, which shares it
                owners.setdefault(line, []).append(belongs_to)
    if owners:
        first = next(iter(owners.values()))
        lines = " ".join(line for line, found in owners.items() if found == first)
        raise ValueError(
            f"{lines} belongs to {' or '.join(first)}. Add that, or leave it out."
        )


def _changed(group: Any, name: str) -> dict[str, str]:
    """Settings of a field that differ from their defaults: name -> line."""
    value = getattr(group, name)
    standard = {f.name: f.default for f, _ in _fields(type(group))}
    found = flat(value) if dataclasses.is_dataclass(value) else {name: value}
    differing = {k: v for k, v in found.items() if v != standard[k]}
    # Mostly there are none, and making flags takes a millisecond.
    return _lines(group, differing) if differing else {}


def used(group: Any) -> set[str]:
    """The names of the settings that have an effect; see the module.

    Args:
        group: an instance.
    """
    return set(_flat(group, leave_out=_unused))


def define(group: type, values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines a flag for each setting.

    Args:
        group: a dataclass of settings, or of groups of them.
        values: where the flags go; a name that is there already is shared.
    """
    for field, kind in _fields(group):
        if field.name not in values:
            _define(field, kind, values)


def read(group: type[T], values: flags.FlagValues = flags.FLAGS) -> T:
    """Makes settings of parsed flags.

    Args:
        group: see `define`.
        values: parsed.

    Returns:
        An instance with the values of the flags.
    """
    return make(
        group, {field.name: values[field.name].value for field, _ in _fields(group)}
    )


def make(group: type[T], given: dict[str, Any]) -> T:
    """Makes settings of named values.

    Args:
        group: a dataclass of settings, or of groups of them.
        given: name -> value, whichever group it belongs to; what is not given has
            its default.

    Returns:
        An instance.

    Raises:
        ValueError: if a name is no setting.
    """
    unknown = sorted(given.keys() - {field.name for field, _ in _fields(group)})
    if unknown:
        raise ValueError(f"There are no such settings. Received: {', '.join(unknown)}.")
    return _make(group, given)


def parse(group: type[T], words: Iterable[str]) -> T:
    """Makes settings of a command line.

    Args:
        group: see `define`.
        words: such as `--steps=5`; `--flagfile` as well.

    Returns:
        An instance; what is not given has its default.

    Raises:
        ValueError: if a word is no flag of the group, or a value is not allowed.
    """
    values = flags.FlagValues()
    define(group, values)
    flags.DEFINE_string("flagfile", "", "", flag_values=values)
    try:
        rest = values(["", *words])
    except flags.Error as error:
        raise ValueError(str(error)) from error
    if rest[1:]:
        raise ValueError(f"Unexpected words. Received: {' '.join(rest[1:])}.")
    return read(group, values)


def flat(group: Any) -> dict[str, Any]:
    """Name -> value of all settings of an instance."""
    return _flat(group, leave_out=lambda group: {})


def serialized(group: Any) -> dict[str, str]:
    """Name -> the setting as absl writes it, such as `--steps=5` or `--semantic`.

    Settings that are None or of no effect are left out.
    """
    return _lines(group, _flat(group, leave_out=_unused))


def _flat(group: Any, leave_out: Callable[[Any], Mapping[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in dataclasses.fields(group):
        value = getattr(group, field.name)
        if field.name in leave_out(group):
            continue
        if dataclasses.is_dataclass(value):
            found |= _flat(value, leave_out)
        else:
            found[field.name] = value
    return found


def _unused(group: Any) -> Mapping[str, str]:
    return group.unused() if hasattr(group, "unused") else {}


def _lines(group: Any, chosen: Mapping[str, Any]) -> dict[str, str]:
    """Some settings of a group as absl writes them."""
    values = flags.FlagValues()
    definitions = {field.name: (field, kind) for field, kind in _fields(type(group))}
    lines = {}
    for name, value in chosen.items():
        _define(*definitions[name], values)
        flag = values[name]
        flag.value = list(value) if isinstance(value, tuple) else value
        if value is not None:
            lines[name] = flag.serialize()
    return lines


def identity_names(group: type) -> set[str]:
    """Names of the settings on which a result depends."""
    return {
        field.name
        for field, _ in _fields(group)
        if field.metadata.get("identity", True)
    }


@functools.cache
def _hints(group: Any) -> Mapping[str, Any]:
    """Name -> type of the fields of a group; reading them takes a while."""
    return typing.get_type_hints(group)


def _read_fields(group: Any) -> tuple[tuple[dataclasses.Field, Any], ...]:
    """The settings of a group and of the groups in it, each with its type."""
    found: list[tuple[dataclasses.Field, Any]] = []
    for field in dataclasses.fields(group):
        kind = _hints(group)[field.name]
        if dataclasses.is_dataclass(kind):
            found += _fields(kind)
        else:
            found.append((field, kind))
    return tuple(found)


# Annotated, since a type checker does not take a class of fields for hashable.
_fields: Callable[[Any], tuple[tuple[dataclasses.Field, Any], ...]] = functools.cache(
    _read_fields
)


def _make(group: Any, given: dict[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for field in dataclasses.fields(group):
        kind = _hints(group)[field.name]
        if dataclasses.is_dataclass(kind):
            values[field.name] = _make(kind, given)
        elif field.name in given:
            value = given[field.name]
            # absl gives lists; a frozen group holds tuples.
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return group(**values)


def _check(field: dataclasses.Field, value: Any) -> None:
    choices = field.metadata["choices"]
    if choices and value is not None and value not in choices:
        raise ValueError(
            f"--{field.name}={value} is none of its choices, {', '.join(choices)}."
        )
    if not isinstance(value, int | float):
        return
    if not math.isfinite(value):
        raise ValueError(f"--{field.name}={value} is not a finite number.")
    low, high = field.metadata["lower_bound"], field.metadata["upper_bound"]
    if low is not None and value < low:
        raise ValueError(f"--{field.name}={value} is below its lower bound, {low}.")
    if high is not None and value > high:
        raise ValueError(f"--{field.name}={value} is above its upper bound, {high}.")


def _define(field: dataclasses.Field, kind: Any, values: flags.FlagValues) -> None:
    limits: Mapping[str, Any] = field.metadata
    default: Any = field.default
    options: dict[str, Any] = {
        "name": field.name,
        "help": limits["help"],
        "short_name": limits["short_name"],
        "flag_values": values,
    }
    if default is dataclasses.MISSING:
        default, options["required"] = None, True
    bounds = {name: limits[name] for name in ("lower_bound", "upper_bound")}
    kind = _without_none(kind)
    if limits["choices"]:
        choices = list(limits["choices"])
        flags.DEFINE_enum(default=default, enum_values=choices, **options)
    elif kind is bool:
        flags.DEFINE_boolean(default=default, **options)
    elif kind is int:
        flags.DEFINE_integer(default=default, **bounds, **options)
    elif kind is float:
        flags.DEFINE_float(default=default, **bounds, **options)
    elif typing.get_origin(kind) is tuple:
        listed = None if default is None else list(default)
        flags.DEFINE_list(default=listed, **options)
    else:
        flags.DEFINE_string(default=default, **options)


def _without_none(kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        (kind,) = (each for each in typing.get_args(kind) if each is not type(None))
    return kind
