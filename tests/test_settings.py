import dataclasses
import re
import typing

import pytest
from absl import flags

from tfsemae import audit, evaluation, reproduce, settings, training
from tfsemae.settings import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner(settings.Checked):
    """Settings of each kind."""

    steps: int = setting(10, "Steps.", lower_bound=1, upper_bound=99, short_name="s")
    rate: float = setting(0.1, "Rate.", lower_bound=0.0)
    names: tuple[str, ...] | None = setting(None, "Names.")
    wide: bool = setting(False, "Whether it is wide.")
    kind: str = setting("plain", "Kind.", choices=("plain", "odd"))
    count: int | None = setting(None, "Count.", lower_bound=1, identity=False)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer:
    """A setting that is required, and a group."""

    folder: str = setting(help="Folder.", identity=False)
    inner: Inner = dataclasses.field(default_factory=Inner)


LINES = ["--folder=a", "--steps=5", "--names=x,y", "--wide", "--kind=odd"]
PARSED = Outer(
    folder="a", inner=Inner(steps=5, names=("x", "y"), wide=True, kind="odd")
)


def test_command_line_gives_values_to_all_groups():
    assert settings.parse(Outer, LINES) == PARSED


def test_what_is_not_given_has_its_default():
    assert settings.parse(Outer, ["--folder=a"]) == Outer(folder="a")


def test_flags_of_absl_have_the_same_values():
    values = flags.FlagValues()
    settings.define(Outer, values)
    values(["command", *LINES])
    assert settings.read(Outer, values) == PARSED


def test_a_flag_that_is_there_already_is_shared():
    values = flags.FlagValues()
    settings.define(Outer, values)
    settings.define(Inner, values)
    values(["command", "--folder=a", "-s", "7"])
    assert settings.read(Outer, values).inner == settings.read(Inner, values)
    assert settings.read(Inner, values).steps == 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--folder must have a value"),
        (["--folder=a", "--steps=0"], "--steps=0"),
        (["--folder=a", "--steps=100"], "--steps=100"),
        (["--folder=a", "--rate=-1"], "--rate=-1"),
        (["--folder=a", "--rate=fast"], "--rate=fast"),
        (["--folder=a", "--kind=even"], "value should be one of <plain|odd>"),
        (["--folder=a", "--stepz=1"], "stepz"),
        (["--folder=a", "more"], "Unexpected words. Received: more"),
    ],
)
def test_command_line_that_is_refused(words, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        settings.parse(Outer, words)


def test_flagfile_is_read(tmp_path):
    path = tmp_path / "some.flags"
    path.write_text("# A comment.\n--steps=5\n--names=x,y\n--wide\n")
    found = settings.parse(Outer, [f"--flagfile={path}", "--folder=a", "--kind=odd"])
    assert found == PARSED


def test_named_values_go_to_their_groups():
    given = {"folder": "a", "steps": 5, "names": ["x", "y"], "wide": True}
    assert settings.make(Outer, given | {"kind": "odd"}) == PARSED


def test_a_name_that_is_no_setting_is_refused():
    with pytest.raises(ValueError, match=r"no such settings\. Received: b, c\.$"):
        settings.make(Outer, {"folder": "a", "c": 1, "b": 2})


def test_flat_and_make_are_inverse():
    assert settings.make(Outer, settings.flat(PARSED)) == PARSED
    assert settings.flat(PARSED)["steps"] == 5


def test_serialized_is_what_absl_reads():
    assert settings.serialized(PARSED) == {
        "folder": "--folder=a",
        "steps": "--steps=5",
        "rate": "--rate=0.1",
        "names": "--names=x,y",
        "wide": "--wide",
        "kind": "--kind=odd",
    }
    assert settings.serialized(Outer(folder="a"))["wide"] == "--nowide"


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": 0.1 + 0.2},
        {"rate": 1e30},
        {"rate": 1.757e-5},
        {"names": ("a b", 'quo"te', "com,ma", "naïve")},
        {"names": ()},
        {"count": 3},
    ],
)
def test_what_is_serialized_is_read_back(changes):
    made = settings.make(Outer, {"folder": "with space"} | changes)
    assert settings.parse(Outer, settings.serialized(made).values()) == made


def test_identity_leaves_folders_out():
    names = {"steps", "rate", "names", "wide", "kind"}
    assert settings.identity_names(Outer) == names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "--steps=0 is below its lower bound, 1."),
        ({"steps": 100}, "--steps=100 is above its upper bound, 99."),
        ({"rate": float("inf")}, "--rate=inf is not a finite number."),
        ({"rate": float("nan")}, "--rate=nan is not a finite number."),
        ({"kind": "even"}, "--kind=even is none of its choices, plain, odd."),
        ({"count": 0}, "--count=0 is below its lower bound, 1."),
    ],
)
def test_values_that_a_program_gives_are_checked(changes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        settings.make(Outer, {"folder": "a"} | changes)


def test_bounds_and_no_value_are_allowed():
    for steps in (1, 99):
        Outer(folder="a", inner=Inner(steps=steps, rate=0.0, count=None))


# --- settings that are not used


@dataclasses.dataclass(frozen=True, kw_only=True)
class Narrow(settings.Checked):
    """Of one kind."""

    width: int = setting(3, "Width.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chosen(settings.Checked):
    """A kind, a group of one of the kinds, and a setting of the other."""

    shape: str = setting("wide", "Shape.", choices=("wide", "narrow"))
    depth: int = setting(1, "Depth, of wide ones.")
    narrow: Narrow = dataclasses.field(default_factory=Narrow)

    def unused(self):
        if self.shape == "wide":
            return {"narrow": "--shape=narrow"}
        return {"depth": "--shape=wide"}


def test_what_is_not_used_is_not_serialized():
    assert settings.serialized(Chosen()) == {
        "shape": "--shape=wide",
        "depth": "--depth=1",
    }
    narrow = settings.make(Chosen, {"shape": "narrow"})
    assert settings.serialized(narrow) == {
        "shape": "--shape=narrow",
        "width": "--width=3",
    }
    assert set(settings.flat(narrow)) == {"shape", "depth", "width"}
    assert settings.parse(Chosen, settings.serialized(narrow).values()) == narrow


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"width": 4}, r"^--width=4 belongs to --shape=narrow\. Add that, or leave"),
        ({"shape": "narrow", "depth": 2}, r"^--depth=2 belongs to --shape=wide\."),
    ],
)
def test_what_is_not_used_must_not_be_set(given, message):
    with pytest.raises(ValueError, match=message):
        settings.make(Chosen, given)
    # Its default may be named: flagfiles do.
    settings.make(Chosen, given | {"width": 3, "depth": 1})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flat(Narrow):
    """Of another kind, with the setting of the first."""

    height: int = setting(1, "Height.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sharing(settings.Checked):
    """A kind, and a group of each; the groups share a setting."""

    shape: str = setting("none", "Shape.", choices=("none", "narrow", "flat"))
    narrow: Narrow = dataclasses.field(default_factory=Narrow)
    flat: Flat = dataclasses.field(default_factory=Flat)

    def unused(self):
        names = ("narrow", "flat")
        return {name: f"--shape={name}" for name in names if name != self.shape}


@pytest.mark.parametrize("shape", ["narrow", "flat"])
def test_groups_share_a_setting(shape):
    made = settings.parse(Sharing, [f"--shape={shape}", "--width=4"])
    assert getattr(made, shape).width == 4
    assert settings.serialized(made)["width"] == "--width=4"
    assert settings.make(Sharing, settings.flat(made)) == made


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"width": 4}, r"^--width=4 belongs to --shape=narrow or --shape=flat\. Add"),
        (
            {"shape": "narrow", "width": 4, "height": 2},
            r"^--height=2 belongs to --shape=flat\. Add",
        ),
    ],
)
def test_what_no_group_uses_must_not_be_set(given, message):
    with pytest.raises(ValueError, match=message):
        settings.make(Sharing, given)


# --- the commands


def _definitions(group):
    """(name, class that defines it) of all settings of a group."""
    for field in dataclasses.fields(group):
        kind = typing.get_type_hints(group)[field.name]
        if dataclasses.is_dataclass(kind):
            yield from _definitions(kind)
        else:
            owners = (c for c in group.__mro__ if field.name in c.__annotations__)
            yield field.name, next(owners)


@pytest.mark.parametrize(
    "group",
    [
        training.Settings,
        evaluation.Settings,
        evaluation.AttackSettings,
        audit.Settings,
        reproduce.Settings,
    ],
)
def test_each_flag_of_a_command_is_defined_once(group):
    names = [name for name, _ in set(_definitions(group))]
    assert len(names) == len(set(names)), sorted(names)
