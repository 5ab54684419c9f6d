"""Preparing data sets from original archives, without a network."""

import hashlib
import pathlib
import socket
from typing import ClassVar

import pytest

from tfsemae import data
from tfsemae.data import tfds_preparing

ARCHIVES = pathlib.Path(__file__).parents[3] / "shared" / "data" / "archives"
TEST_IMAGES = {
    "mnist": "a85d8dffc6063fb89dcbc2122651701e7bbc18837f940fc9d76df48c224558ca",
    "fashion_mnist": "a84f70bc4eaa1b2c5e671e99525a60f9dbe89328fa62013e4aa30ba11800c4df",
}
FILES = [
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
]

needs_archives = pytest.mark.skipif(
    not ARCHIVES.is_dir(), reason=f"the original archives are not in {ARCHIVES}"
)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """All connections go to a port of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy)
            monkeypatch.setenv(name.upper(), proxy)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield  # bound, but not listening: refused at once, and nobody else's


@pytest.mark.parametrize(
    "name", ["mnist", "fashion_mnist", "cifar10", "svhn_cropped", "celeb_a"]
)
def test_without_network_the_message_names_all_the_ways(name, tmp_path):
    with pytest.raises(ValueError, match=f"{name} is not prepared and") as caught:
        data.load(name, "train", data_dir=tmp_path)
    message = str(caught.value)
    for way in (
        str(tmp_path),
        "--data_dir",
        "TFDS_DATA_DIR",
        "--manual_dir",
        f"<manual_dir>/{name}/",
        "network",
        "--dataset=digits",
    ):
        assert way in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())


def test_an_archive_that_is_not_the_original_is_refused(tmp_path):
    folder = tmp_path / "manual" / "mnist"
    folder.mkdir(parents=True)
    for file in FILES:
        (folder / file).write_bytes(b"neither gzip nor MNIST")
    with pytest.raises(ValueError, match="truncated or not the original") as caught:
        data.load("mnist", "train", data_dir=tmp_path, manual_dir=folder.parent)
    assert str(folder / FILES[0]) in str(caught.value)
    assert not (tmp_path / "mnist").exists()


@needs_archives
def test_a_truncated_archive_is_refused(tmp_path):
    folder = tmp_path / "manual" / "mnist"
    folder.mkdir(parents=True)
    for file in FILES:
        content = (ARCHIVES / "mnist" / file).read_bytes()
        (folder / file).write_bytes(content[:-1] if "train-images" in file else content)
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz is truncated"):
        data.load("mnist", "test", data_dir=tmp_path, manual_dir=folder.parent)


@needs_archives
def test_a_missing_archive_is_named(tmp_path):
    folder = tmp_path / "manual" / "mnist"
    folder.mkdir(parents=True)
    for file in FILES[:3]:
        (folder / file).symlink_to(ARCHIVES / "mnist" / file)
    with pytest.raises(ValueError, match=f"{folder}.*{FILES[3]}: "):
        data.load("mnist", "test", data_dir=tmp_path, manual_dir=folder.parent)


@needs_archives
def test_a_data_dir_that_cannot_be_one_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    message = rf"mnist in {file}: .*\(File exists\).*--data_dir or TFDS_DATA_DIR"
    with pytest.raises(ValueError, match=message):
        data.load("mnist", "test", data_dir=file, manual_dir=ARCHIVES)


def test_a_folder_that_cannot_be_made_is_told_with_the_remedy(tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "tensorflow_datasets"
    message = rf"in {folder}: .*\(Not a directory\).*--data_dir or TFDS_DATA_DIR"
    with pytest.raises(ValueError, match=message):
        tfds_preparing.prepare(_Builder(folder, beaten=False), None)


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ValueError, match=f"searched {tmp_path}/d and {tmp_path}/m/mn"):
        data.load("mnist", "train", data_dir="~/d", manual_dir="~/m")


HOMELESS = """
import os, pwd
def unknown(user):
    raise KeyError(user)
pwd.getpwuid = unknown
for name in ("HOME", "TFDS_DATA_DIR"):
    os.environ.pop(name, None)
# matplotlib before 3.11, which TFDS imports, fails without a home.
os.environ["MPLCONFIGDIR"] = os.getcwd()
from tfsemae import data
try:
    data.load("mnist", "train")
except ValueError as error:
    print(error)
"""


def test_unknown_home_is_told_with_the_remedy(tmp_path, run_python):
    ended = run_python("-c", HOMELESS, cwd=tmp_path)
    assert ended.out.count("\n") == 1, ended
    assert "home folder is not known" in ended.out
    assert "--data_dir or TFDS_DATA_DIR" in ended.out
    assert not list(tmp_path.rglob("tensorflow_datasets"))


@needs_archives
def test_two_sets_whose_archives_have_the_same_names(tmp_path):
    for name, digest in TEST_IMAGES.items():
        found = data.load(name, "test", data_dir=tmp_path, manual_dir=ARCHIVES)
        assert hashlib.sha256(found.images).hexdigest() == digest
    # Nothing is left but the prepared sets.
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(TEST_IMAGES)
    assert len(list(tmp_path.glob("*/*"))) == len(TEST_IMAGES)


class _Builder:
    """A builder whose preparation fails, after another process succeeded or not."""

    name = "mnist"
    url_infos: ClassVar = {}

    def __init__(self, folder, *, beaten):
        self.data_dir_root = folder
        self.data_path = folder / "mnist"
        self._beaten = beaten

    def download_and_prepare(self, **_):
        if self._beaten:
            self.data_path.mkdir()
        raise OSError("Directory\nnot empty")


def test_another_process_may_be_first(tmp_path):
    tfds_preparing.prepare(_Builder(tmp_path, beaten=True), None)
    assert [path.name for path in tmp_path.iterdir()] == ["mnist"]


def test_a_failure_of_tfds_is_told_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=f"mnist in {tmp_path}: Directory not empty$"):
        tfds_preparing.prepare(_Builder(tmp_path, beaten=False), None)
    assert not list(tmp_path.iterdir())
