import dataclasses
import sys

import pytest

from tfsemae.benchmarks import attacks, audit, lbfgsb, training
from tfsemae.benchmarks.settings import Measured, interpreter, writable
from tfsemae.settings import identity_names


@pytest.mark.parametrize("benchmark", [attacks, audit, lbfgsb, training])
def test_all_have_the_same_flags(benchmark):
    shared = {field.name for field in dataclasses.fields(Measured)}
    own = vars(benchmark.Settings).get("__annotations__", {})
    assert issubclass(benchmark.Settings, Measured)
    assert not shared & own.keys()
    assert "output" not in identity_names(benchmark.Settings)


def test_home_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert interpreter("~/venv/bin/python") == f"{tmp_path}/venv/bin/python"
    assert interpreter(None) == sys.executable
    assert writable(Measured(output="~/a/b.json"), "b") == tmp_path / "a/b.json"


def test_results_lie_beside_those_of_other_benchmarks(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert str(writable(Measured(), "audit")) == "results/benchmarks/audit.json"
    assert (tmp_path / "results/benchmarks").is_dir()
