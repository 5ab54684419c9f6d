import errno
import hashlib
import json
import os
import pathlib
import re

import pytest

from tfsemae import files

ROOT = pathlib.Path(__file__).parents[1]


def test_replacing_writes_the_file_and_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "c.txt"
    with files.replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_temporary_name_keeps_the_suffixes_and_the_folder(tmp_path):
    with files.replacing(tmp_path / "step.weights.h5") as temporary:
        assert temporary.name.endswith(".weights.h5")
        assert temporary.parent == tmp_path
        temporary.touch()


def _write_half(path, error):
    with files.replacing(path) as temporary:
        temporary.write_text("ne")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_stood_there_stays_when_the_body_raises(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error):
        _write_half(path, error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_has_its_name_only_when_it_is_on_the_disk(tmp_path, monkeypatch):
    happened = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (happened.append("sync"), fsync(fd)))
    monkeypatch.setattr(
        os, "replace", lambda *a: (happened.append("rename"), replace(*a))
    )
    files.write_text(tmp_path / "file", "text")
    assert happened == ["sync", "rename"]


def test_body_that_writes_nothing_is_an_error(tmp_path):
    refused = pytest.raises(OSError, match=r"file cannot be written \(No such file")
    with refused, files.replacing(tmp_path / "file"):
        pass


def test_full_disk_is_one_line_and_keeps_what_stood_there(tmp_path, full_disk):
    path = tmp_path / "file"
    path.write_text("old")
    with full_disk(100), pytest.raises(OSError, match="File too large") as caught:
        files.write_text(path, "x" * 101)
    message = str(caught.value)
    assert message.startswith(f"{path} cannot be written")
    assert "free disk space" in message
    assert "\n" not in message
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _no_call(monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)


def _refused(monkeypatch):
    def refuse(*_):
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)


@pytest.mark.parametrize("platform", [lambda _: None, _no_call, _refused])
def test_space_is_reserved_before_the_body_begins(
    tmp_path, full_disk, monkeypatch, platform
):
    platform(monkeypatch)
    began = []
    refused = pytest.raises(OSError, match=r"cannot be written \(File too large")
    with full_disk(100), refused, files.replacing(tmp_path / "file", size=101):
        began.append(True)
    assert not began
    assert not list(tmp_path.iterdir())
    with full_disk(100), files.replacing(tmp_path / "file", size=100) as temporary:
        temporary.write_text("short")
    assert (tmp_path / "file").read_text() == "short"


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no posix_fallocate")
def test_reserving_space_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "write", lambda *_: pytest.fail("written"))
    with files.replacing(tmp_path / "file", size=2**20) as temporary:
        assert not temporary.exists()
        temporary.touch()


def test_reserving_space_is_no_replacement_of_writing(tmp_path):
    refused = pytest.raises(OSError, match=r"cannot be written \(No such file")
    with refused, files.replacing(tmp_path / "file", size=10):
        pass


def _replace_both(folder, error):
    with (
        files.replacing(folder / "outer") as outer,
        files.replacing(folder / "inner") as inner,
    ):
        outer.touch()
        inner.touch()
        raise error


def test_error_of_the_inner_of_two_files_is_told_once(tmp_path):
    with pytest.raises(OSError, match=r"inner cannot be written \(reason\)") as caught:
        _replace_both(tmp_path, OSError("reason"))
    assert str(caught.value).count("cannot be written") == 1
    assert not list(tmp_path.iterdir())


def test_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file/inner cannot be written \("):
        files.write_text(tmp_path / "file" / "inner", "text")


def test_replacing_folder_writes_the_folder_and_those_around_it(tmp_path):
    path = tmp_path / "a" / "b"
    for content in ("first", "second"):
        with files.replacing_folder(path) as folder:
            folder.mkdir()
            (folder / content).touch()
    assert [entry.name for entry in path.iterdir()] == ["second"]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_folder_that_stood_there_stays_when_the_body_raises(tmp_path, error):
    path = tmp_path / "a"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(error), files.replacing_folder(path) as folder:  # noqa: PT012
        folder.mkdir()
        raise error
    assert [entry.name for entry in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_files_of_a_folder_are_on_the_disk_before_it_has_its_name(
    tmp_path, monkeypatch
):
    happened = []
    fsync, rename = os.fsync, pathlib.Path.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (happened.append("sync"), fsync(fd)))
    monkeypatch.setattr(
        pathlib.Path, "rename", lambda *a: (happened.append("rename"), rename(*a))
    )
    with files.replacing_folder(tmp_path / "a") as folder:
        (folder / "below").mkdir(parents=True)
        (folder / "one").touch()
        (folder / "below" / "two").touch()
    assert happened == ["sync", "sync", "rename"]


def test_messages_of_many_lines_and_operations_become_one_line():
    one_line = pytest.raises(OSError, match=r"place cannot be written \(no space\)\.")
    with one_line, files.writing("place"):
        raise OSError("{{function_node x}} no\n\tspace [Op:Save]")


def test_other_errors_pass_unchanged():
    with pytest.raises(KeyError, match="key"), files.writing("place"):
        raise KeyError("key")


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path):
    keep = [".hidden", "file", ".12a.file", "12.file", ".12."]
    lost = [".123.file", ".4.step_1.weights.h5"]
    (tmp_path / "below").mkdir()
    for name in keep + lost:
        (tmp_path / name).touch()
        (tmp_path / "below" / name).touch()
    files.remove_leftovers(tmp_path)
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {*keep, "below"}
    assert {path.name for path in (tmp_path / "below").iterdir()} == set(keep)


def test_a_killed_writer_leaves_what_is_taken_for_a_leftover(tmp_path, run_python):
    script = (
        "import os, signal, sys\nfrom tfsemae import files\n"
        "with files.replacing(sys.argv[1]) as path:\n"
        "    path.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "file").write_text("old")
    assert run_python("-c", script, tmp_path / "file").status == -9
    assert len(list(tmp_path.iterdir())) == 2
    files.remove_leftovers(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_text_is_utf8(tmp_path):
    files.write_text(tmp_path / "file", "\u00e4\u2265\n")
    assert (tmp_path / "file").read_bytes() == "\u00e4\u2265\n".encode()


def test_json_is_readable_and_complete(tmp_path):
    value = {"a": [1, 2.5, None], "b": "\u00e4"}
    files.write_json(tmp_path / "file", value)
    text = (tmp_path / "file").read_text("utf-8")
    assert json.loads(text) == value
    assert "\u00e4" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_number_for_it(tmp_path, value):
    (tmp_path / "file").write_text("old")
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "file", {"psnr": value})
    assert (tmp_path / "file").read_text() == "old"


# --- paths


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.path("~/a/b") == tmp_path / "a" / "b"
    assert files.path("a/~") == pathlib.Path("a/~")
    files.write_text("~/a/file", "text")
    assert (tmp_path / "a" / "file").read_text() == "text"
    with files.replacing_folder("~/folder") as folder:
        folder.mkdir()
    assert (tmp_path / "folder").is_dir()
    files.remove_leftovers("~")
    assert files.sha256_of_folder("~/a") == {"file": files.sha256("~/a/file")}


def test_home_that_is_not_known_is_told_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"Set HOME.*Received: '~nobody-here/a'"):
        files.path("~nobody-here/a")


# --- digests

# FIPS 180-2, appendix B.1.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_sha256_of_a_known_text(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert files.sha256(tmp_path / "file") == ABC


def test_sha256_of_a_folder_names_the_files_below(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"abc")
    (tmp_path / "a").write_bytes(b"")
    found = files.sha256_of_folder(tmp_path)
    assert found == {"a": hashlib.sha256(b"").hexdigest(), "b/c": ABC}
    assert list(found) == ["a", "b/c"]
    files.check_sha256(tmp_path, found)


def test_another_content_is_refused_and_named(tmp_path):
    (tmp_path / "file").write_bytes(b"abd")
    with pytest.raises(ValueError, match=f"{tmp_path}/file is damaged.*{ABC}"):
        files.check_sha256(tmp_path, {"file": ABC})
    with pytest.raises(FileNotFoundError, match="none"):
        files.check_sha256(tmp_path, {"none": ABC})


# --- paths of users


def test_no_path_is_made_but_by_files_path():
    # Which expands `~`. Others begin with a literal, or are those of a module.
    made = re.compile(r'^(?! *>>>).*pathlib\.Path\((?!__file__|"|\))', re.MULTILINE)
    for source in (ROOT / "tfsemae").rglob("*.py"):
        if source.name not in ("files.py", "keras_state.py"):
            assert not made.search(source.read_text("utf-8")), source


def test_json_that_is_missing_or_damaged_is_none(tmp_path):
    files.write_json(tmp_path / "good.json", {"a": [1]})
    assert files.json_or_none(tmp_path / "good.json") == {"a": [1]}
    for name, content in (("cut.json", b'{"a": ['), ("bytes.json", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(content)
        assert files.json_or_none(tmp_path / name) is None
    assert files.json_or_none(tmp_path / "none.json") is None
