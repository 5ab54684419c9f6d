"""BUILD and setup.py name what is there and what is imported, no more, no less."""

import ast
import functools
import importlib.metadata
import pathlib
import re
import sys

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
#: Needed without an import statement: run as `python -m snakemake`; imported by
#: TensorFlow Datasets, which does not declare it.
_RUN, _UNDECLARED = "snakemake", "importlib-resources"


def _targets():
    """Calls of BUILD: name -> (rule, keyword -> value)."""
    tree = ast.parse((_ROOT / "BUILD").read_text("utf-8"))
    calls = [node.value for node in tree.body if isinstance(node, ast.Expr)]
    found = {}
    for call in calls:
        if call.func.id in ("load", "package"):
            continue
        values = {keyword.arg: _value(keyword.value) for keyword in call.keywords}
        assert values["name"] not in found, f"{values['name']} stands twice"
        found[values["name"]] = (call.func.id, values)
    return found


def _value(node):
    if isinstance(node, ast.List):
        return [_value(element) for element in node.elts]
    if isinstance(node, ast.Call) and node.func.id == "glob":
        paths = [p for pattern in _value(node.args[0]) for p in _ROOT.glob(pattern)]
        return sorted(path.relative_to(_ROOT).as_posix() for path in paths)
    if isinstance(node, ast.Call) and node.func.id == "requirement":
        return f"@{_value(node.args[0])}"
    return ast.literal_eval(node)


@functools.cache
def _distributions():
    return {
        module: names[0].lower().replace("_", "-")
        for module, names in importlib.metadata.packages_distributions().items()
    }


def _imported(path):
    """Modules that a file imports, anywhere in it; names within them as well."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _owner(module, owners):
    """The target that holds a module, or a name in it."""
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        if candidate in owners:
            return owners[candidate]
    return _owner(module.rpartition(".")[0], owners)


def expected_deps(name, srcs, owners):
    """Labels of what the sources of a target import."""
    found = set()
    for source in srcs:
        for module in _imported(_ROOT / source):
            top = module.partition(".")[0]
            if top == "tfsemae":
                found.add(f":{_owner(module, owners)}")
            elif top not in sys.stdlib_module_names:
                # PyTorch need not be there; it is called as it is imported.
                found.add(f"@{_distributions().get(top, top)}")
    return found - {f":{name}"}


def _owners(targets):
    return {
        source: name
        for name, (rule, values) in targets.items()
        if rule != "py_test"
        for source in values["srcs"]
    }


def test_each_file_has_one_target():
    sources = [source for _, values in _targets().values() for source in values["srcs"]]
    files = [
        path.relative_to(_ROOT).as_posix()
        for folder in ("tfsemae", "tests")
        for path in (_ROOT / folder).rglob("*.py")
    ]
    assert sorted(sources) == sorted(files)


@pytest.mark.parametrize("name", list(_targets()))
def test_deps_are_the_imports(name):
    targets = _targets()
    rule, values = targets[name]
    expected = expected_deps(name, values["srcs"], _owners(targets))
    if name == "experiments":
        expected.add(f"@{_RUN}")
    if name == "data":
        expected.add(f"@{_UNDECLARED}")
    if rule == "py_test":
        expected |= {":conftest"}
    assert set(values.get("deps", [])) == expected


def test_doors_are_binaries_and_test_files_are_tests():
    for name, (rule, values) in _targets().items():
        tests = [source for source in values["srcs"] if "/test_" in source]
        assert (rule == "py_test") == bool(tests), name
        assert len(tests) <= 1, name
        house = [source for source in values["srcs"] if source.startswith("tfsemae/")]
        main = 'if __name__ == "__main__"'
        doors = [path for path in house if main in (_ROOT / path).read_text("utf-8")]
        assert (rule == "py_binary") == bool(doors), name


def test_data_are_there():
    for name, (_, values) in _targets().items():
        for path in values.get("data", []):
            assert (_ROOT / path).exists(), f"{name}: {path}"


def _declared():
    """install_requires and extras_require of setup.py, names only."""
    tree = ast.parse((_ROOT / "setup.py").read_text("utf-8"))
    (call,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Expr) and getattr(node.value.func, "id", "") == "setup"
    ]
    values = {keyword.arg: keyword.value for keyword in call.keywords}
    extras = ast.literal_eval(values["extras_require"])
    return {
        "": _names(ast.literal_eval(values["install_requires"])),
        **{extra: _names(entries) for extra, entries in extras.items()},
    }


def _names(requirements):
    return {
        re.match(r"[\w-]+", entry)[0].lower().replace("_", "-")
        for entry in requirements
    }


def test_each_imported_package_is_declared():
    targets, declared = _targets(), _declared()
    used = {"": {_RUN, _UNDECLARED}, "bench": set(), "test": set()}
    for name, (rule, values) in targets.items():
        extra = "bench" if name.startswith("benchmarks") else ""
        if rule == "py_test" or name.endswith("conftest"):
            extra = "test"
        packages = {dep[1:] for dep in values.get("deps", []) if dep.startswith("@")}
        used[extra] |= packages
    assert declared[""] == used[""]
    assert used["bench"] - declared[""] == declared["bench"]
    # Run by tests as programs: the linters, and an executor of Snakemake.
    programs = {"ruff", "import-linter", "snakemake-executor-plugin-cluster-generic"}
    tests_only = used["test"] - declared[""] - declared["bench"]
    assert tests_only == declared["test"] - programs
