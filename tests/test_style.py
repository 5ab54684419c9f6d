"""The linters and the type checker that `pyproject.toml` configures."""

import pathlib
import subprocess
import sysconfig

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_SCRIPTS = pathlib.Path(sysconfig.get_path("scripts"))


@pytest.mark.parametrize(
    "command",
    [
        ["lint-imports", "--no-cache"],
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["mypy", "--cache-dir=/dev/null"],
    ],
    ids=["layers", "lint", "format", "types"],
)
def test_linter_is_content(command):
    result = subprocess.run(
        [_SCRIPTS / command[0], *command[1:]],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
