import json
import os

import pytest

from tfsemae import files


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
    refused = pytest.raises(OSError, match=r"file can not be written \(No such file")
    with refused, files.replacing(tmp_path / "file"):
        pass


def test_full_disk_is_one_line_and_keeps_what_stood_there(tmp_path, full_disk):
    path = tmp_path / "file"
    path.write_text("old")
    with full_disk(100), pytest.raises(OSError, match="File too large") as caught:
        files.write_text(path, "x" * 101)
    message = str(caught.value)
    assert message.startswith(f"{path} can not be written")
    assert "make room" in message
    assert "\n" not in message
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_room_is_asked_for_before_the_body_begins(tmp_path, full_disk):
    began = []
    refused = pytest.raises(OSError, match="can not be written")
    with full_disk(100), refused, files.replacing(tmp_path / "file", size=101):
        began.append(True)
    assert not began
    with full_disk(100), files.replacing(tmp_path / "file", size=100) as temporary:
        temporary.write_text("short")
    assert (tmp_path / "file").read_text() == "short"


def test_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file/inner can not be written \("):
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


def test_messages_of_many_lines_and_operations_become_one_line():
    one_line = pytest.raises(OSError, match=r"place can not be written \(no room\)\.")
    with one_line, files.writing("place"):
        raise OSError("{{function_node x}} no\n\troom [Op:Save]")


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
