import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata

import pytest

import tfsemae
from tfsemae.reports import environment, provenance, revision


def test_versions_are_those_of_the_packages():
    versions, _ = environment()
    assert versions["python"] == platform.python_version()
    assert versions["tfsemae"] == tfsemae.__version__
    assert versions["keras"] == metadata.version("keras")
    assert versions["scikit-learn"] == metadata.version("scikit-learn")
    assert list(versions) == [
        *("python", "tfsemae", "tensorflow", "keras", "numpy"),
        *("scikit-learn", "scipy"),
    ]


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(provenance, "_PACKAGES", ("numpy", "no-such-package"))
    versions, _ = environment()
    assert list(versions) == ["python", "tfsemae", "numpy"]


def test_machine_has_no_name():
    _, machine = environment()
    assert machine.keys() <= {
        *("processor", "cores", "oneDNN", "instructions", "memory")
    }
    assert machine["processor"]
    assert 1 <= machine["cores"] <= os.cpu_count()
    assert platform.node() not in map(str, machine.values())


@pytest.mark.parametrize(
    ("flags", "instructions", "left_to_itself"),
    [
        ("sse4_2 avx avx2 fma", "AVX2", "off"),
        ("avx avx2 avx512f avx512bw", "AVX-512", "on"),
        ("sse4_2 avx", None, "off"),
    ],
)
def test_instructions_and_onednn(monkeypatch, flags, instructions, left_to_itself):
    monkeypatch.setattr(provenance, "_cpuinfo", lambda: f"flags\t\t: fpu {flags}\n")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    _, machine = environment()
    assert machine.get("instructions") == instructions
    assert machine["oneDNN"] == left_to_itself
    for value, said in (("0", "off"), ("1", "on")):
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", value)
        assert environment()[1]["oneDNN"] == said


def test_reports_do_not_import_tensorflow():
    code = (
        "import sys; from tfsemae.reports import page, readme, environment;"
        "environment(); print(sorted({'tensorflow', 'keras', 'numpy', 'matplotlib'}"
        " & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert result.stdout == "[]\n"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one commit, whose `module.py` this code seems to be."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "module.py").write_text("")
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "module.py"))
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "module.py")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


def git(folder, *arguments):
    settings = ("user.name=a", "user.email=a@example.org", "commit.gpgsign=false")
    options = [part for setting in settings for part in ("-c", setting)]
    command = ["git", "-C", str(folder), *options, *arguments]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return result.stdout.strip()


def test_revision_of_a_clean_checkout(checkout):
    assert revision() == git(checkout, "rev-parse", "HEAD")
    assert len(revision()) == 40


@pytest.mark.parametrize("name", ["module.py", "new.py"])
def test_revision_tells_changes(checkout, name):
    (checkout / name).write_text("changed")
    assert revision() == git(checkout, "rev-parse", "HEAD") + "+"


def test_revision_of_a_package_inside_a_foreign_checkout(checkout, monkeypatch):
    installed = checkout / "installed.py"
    installed.write_text("")
    monkeypatch.setattr(provenance, "__file__", str(installed))
    assert revision() == "unknown"


def test_revision_outside_of_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "module.py"))
    assert revision() == "unknown"


def test_revision_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert revision() == "unknown"
