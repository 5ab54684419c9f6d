"""BUILD is current, and setup.py declares what is imported, no more, no less."""

import ast
import collections
import graphlib
import pathlib
import re
import shutil

import generate_build
import pytest
from packaging import requirements

_ROOT = pathlib.Path(__file__).parents[1]
#: Run by tests as programs.
_PROGRAMS = {
    "build",
    "import-linter",
    "mypy",
    "pytest-xdist",
    "ruff",
    "setuptools",
    "snakemake-executor-plugin-cluster-generic",
    "twine",
}
_UNIMPORTED = {name for names in generate_build.UNIMPORTED.values() for name in names}


@pytest.fixture(scope="module")
def targets():
    return generate_build.targets()


def test_build_is_current(targets):
    remedy = "BUILD is not current: run `python tests/generate_build.py`."
    assert (_ROOT / "BUILD").read_text("utf-8") == generate_build.build(targets), remedy


def test_each_file_has_one_target(targets):
    main = "tests/run_pytest.py"  # the main file of each test as well
    sources = [path for target in targets for path in target.srcs if path != main]
    files = [
        path.relative_to(_ROOT).as_posix()
        for folder in ("tfsemae", "tests")
        for path in (_ROOT / folder).rglob("*.py")
    ]
    assert sorted([*sources, main]) == sorted(files)


def test_targets_depend_on_targets_and_not_in_a_circle(targets):
    labels = {
        target.name: [each[1:] for each in target.deps + target.data if each[0] == ":"]
        for target in targets
    } | {"checkout": []}
    assert {label for needs in labels.values() for label in needs} <= set(labels)
    graphlib.TopologicalSorter(labels).prepare()  # raises CycleError


_SMALL = {
    "tfsemae/__init__.py": "",
    "tfsemae/py.typed": "",
    "tfsemae/files.py": "import json",
    "tfsemae/reports/__init__.py": "def late():\n    import pytest, absl.flags",
    "tfsemae/reports/page.html.j2": "",
    "tfsemae/reports/deep/page.py": "from tfsemae.files import locked",
    "tfsemae/reports/draw.py": "import tfsemae\nif __name__ == '__main__': pass",
    "tfsemae/train.py": "from tfsemae import files\nif __name__ == '__main__': pass",
    "tests/conftest.py": "",
    "tests/reports/conftest.py": "from tfsemae import reports",
    "tests/reports/test_page.py": "import xyz_absent.part\nRUN = 'tfsemae.train'",
}
_SMALL_BUILD = """\
py_library(
    name = "conftest",
    srcs = ["tests/conftest.py"],
    data = [
        ":train",
    ],
)

py_library(
    name = "files",
    srcs = ["tfsemae/files.py"],
)

py_library(
    name = "reports",
    srcs = glob(
        ["tfsemae/reports/**/*.py"],
        exclude = [
            "tfsemae/reports/draw.py",
        ],
    ),
    data = [
        "tfsemae/reports/page.html.j2",
    ],
    deps = [
        ":files",
        requirement("absl-py"),
        requirement("pytest"),
    ],
)

py_library(
    name = "reports_conftest",
    srcs = ["tests/reports/conftest.py"],
    deps = [
        ":reports",
    ],
)

py_library(
    name = "tfsemae",
    srcs = ["tfsemae/__init__.py"],
    data = [
        "tfsemae/py.typed",
    ],
)

py_binary(
    name = "generate_build",
    srcs = ["tests/generate_build.py"],
)

py_binary(
    name = "reports_draw",
    srcs = ["tfsemae/reports/draw.py"],
    main = "tfsemae/reports/draw.py",
    deps = [
        ":tfsemae",
    ],
)

py_binary(
    name = "train",
    srcs = ["tfsemae/train.py"],
    deps = [
        ":files",
    ],
)

py_test(
    name = "reports_test_page",
    srcs = ["tests/run_pytest.py", "tests/reports/test_page.py"],
    args = ["tests/reports/test_page.py"],
    main = "tests/run_pytest.py",
    data = [
        ":checkout",
        ":train",
    ],
    deps = [
        ":conftest",
        ":reports_conftest",
        requirement("pytest"),
        requirement("xyz-absent"),
    ],
)
"""


def test_build_of_a_small_tree(tmp_path, run_python):
    for path, text in _SMALL.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    script = shutil.copy(_ROOT / "tests/generate_build.py", tmp_path / "tests")
    ended = run_python(script)
    assert ended.status == 0, ended.messages
    rules = (tmp_path / "BUILD").read_text("utf-8")
    assert rules[rules.index("py_library(\n") :] == _SMALL_BUILD


def test_each_imported_package_is_declared(targets):
    declared = _declared()
    used = {"": set(), "bench": set(), "docs": set(), "test": set()}
    for target in targets:
        if target.srcs[-1].startswith("tests/"):
            extra = "test"
        else:
            extra = "bench" if target.name.startswith("benchmarks") else ""
        used[extra] |= set(target.requirements)
    product = declared[""] | declared["reproduce"]
    assert product == used[""]
    assert declared["reproduce"] <= _UNIMPORTED
    assert used["bench"] - product == declared["bench"]
    assert used["test"] - product - declared["bench"] == declared["test"] - _PROGRAMS


def test_test_brings_all_that_the_tests_start():
    (entry,) = [
        entry for entry in _setup()["extras_require"]["test"] if "tfsemae" in entry
    ]
    assert entry == "tfsemae[docs,reproduce]"


def test_oldest_constraints_are_the_lower_ends():
    floors = {
        _normal(entry): entry.split(">=")[-1].split("==")[-1].split(",")[0]
        for extra, entries in _entries().items()
        for entry in entries
        if extra in ("", "docs", "reproduce", "test") and "tfsemae" not in entry
    }
    found = _constraints("oldest")
    assert {name: version for name, (version,) in found.items()} == floors


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_newest_constraints_are_within_the_ranges(python):
    found = _constraints("newest", python)
    for extra in ("", "docs", "reproduce", "test"):
        for entry in _entries()[extra]:
            requirement = requirements.Requirement(entry)
            if requirement.name != "tfsemae":
                (version,) = found[_normal(entry)]
                assert version in requirement.specifier, entry


def _constraints(name, python="3.11"):
    """Distribution -> its pinned versions on a version of Python."""
    lines = (_ROOT / "constraints" / f"{name}.txt").read_text("utf-8").splitlines()
    found = collections.defaultdict(list)
    for line in lines:
        if line.startswith("#"):
            continue
        pinned = requirements.Requirement(line)
        marker = pinned.marker
        if marker is None or marker.evaluate({"python_version": python}):
            found[_normal(pinned.name)].append(str(pinned.specifier)[2:])
    return found


def _setup():
    """The arguments of setup() that are literals."""
    tree = ast.parse((_ROOT / "setup.py").read_text("utf-8"))
    (call,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Expr) and getattr(node.value.func, "id", "") == "setup"
    ]
    names = ("install_requires", "extras_require")
    values = {keyword.arg: keyword.value for keyword in call.keywords}
    return {name: ast.literal_eval(values[name]) for name in names}


def _entries():
    """Extra, "" for none -> what setup.py asks for."""
    values = _setup()
    return {"": values["install_requires"], **values["extras_require"]}


def _declared():
    """Extra, "" for none -> the names of the distributions that setup.py asks for."""
    return {
        extra: {_normal(entry) for entry in entries} - {"tfsemae"}
        for extra, entries in _entries().items()
    }


def _normal(entry):
    """The name of a requirement, as BUILD has it."""
    return re.match(r"[\w.-]+", entry)[0].lower().replace("_", "-")
