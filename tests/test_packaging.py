"""The wheel and the archive that a package index would get."""

import email
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_SOURCES = ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a fresh archive and a wheel made of it."""
    # Of a copy: setuptools leaves build/ and *.egg-info where it builds.
    checkout, folder = (tmp_path_factory.mktemp(name) for name in ("checkout", "dist"))
    for name in filter(lambda name: (_ROOT / name).exists(), _SOURCES):
        shutil.copy(_ROOT / name, checkout)
    shutil.copytree(
        _ROOT / "tfsemae",
        checkout / "tfsemae",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    _run("build", "--no-isolation", "--outdir", folder, checkout)
    return folder


def _run(module, *arguments):
    ended = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def _in_package():
    return {
        path.relative_to(_ROOT).as_posix()
        for path in (_ROOT / "tfsemae").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_wheel_has_all_files_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == _in_package()
    assert {"tfsemae/py.typed", "tfsemae/experiments/Snakefile"} <= names


def test_archive_has_all_files_of_the_package(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert _in_package() | {"LICENSE", "README.md", "setup.py"} <= names


def test_index_takes_them(built):
    found = _run("twine", "check", "--strict", *sorted(built.iterdir()))
    assert found.count("PASSED") == 2


def test_links_of_the_description_are_absolute(metadata):
    text = metadata.get_payload()
    assert len(text) > 1000
    targets = re.findall(r'(?:\]\(|(?:src|href)=")([^)"]*)', text)
    assert targets
    for target in targets:
        assert re.match("https?://|#", target), target


def test_python_versions_are_those_of_the_classifiers(metadata):
    listed = re.findall(r"Python :: 3\.(\d+)$", str(metadata), re.MULTILINE)
    first, last = int(listed[0]), int(listed[-1])
    assert [int(minor) for minor in listed] == list(range(first, last + 1))
    wanted = {f">=3.{first}", f"<3.{last + 1}"}
    assert set(metadata["Requires-Python"].split(",")) == wanted


def test_reproduction_outside_of_a_checkout_says_what_it_wants(
    wheel, run_python, tmp_path
):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    start = (
        "import runpy, sys\n"
        f"sys.path.insert(0, {str(tmp_path / 'installed')!r})\n"
        "sys.argv[1:] = ['-n']\n"
        "runpy.run_module('tfsemae.reproduce', run_name='__main__', alter_sys=True)"
    )
    (tmp_path / "elsewhere").mkdir()
    ended = run_python("-c", start, cwd=tmp_path / "elsewhere")
    assert ended.status == 1
    (line,) = ended.messages
    assert "checkout" in line
