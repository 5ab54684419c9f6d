import dataclasses
import os
import pathlib
import tempfile

import pytest

from tfsemae import run_folder


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """A few flags of each kind."""

    steps: int = 100
    learning_rate: float = 0.001
    semantic: bool = True
    output_dir: str = "runs/a"
    data_dir: str | None = None
    classes: list[str] | None = None
    resume: bool = True


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _claim(folder, settings):
    run_folder.check_flags(folder, settings, resume=settings.resume)
    with run_folder.locked(folder, settings):
        pass


@pytest.fixture
def run(tmp_path):
    _claim(tmp_path, Settings())
    return tmp_path


# --- check


def test_folder_and_its_parents_are_made(tmp_path):
    folder = run_folder.check(tmp_path / "a" / "b")
    assert folder == tmp_path / "a" / "b"
    assert _names(folder) == []


def test_file_is_refused_and_kept(tmp_path):
    path = tmp_path / "file"
    path.write_text("text")
    with pytest.raises(ValueError, match=f"--output_dir={path} can not be written"):
        run_folder.check(path)
    with pytest.raises(ValueError, match="Not a directory"):
        run_folder.check(path / "inner")
    assert path.read_text() == "text"


def test_place_where_no_one_can_make_a_folder_is_refused():
    if not pathlib.Path("/proc/self").exists():
        pytest.skip("needs /proc, in which no one can make a folder")
    with pytest.raises(ValueError, match="--output_dir=/proc/run can not be written"):
        run_folder.check("/proc/run")


def test_read_only_disk_is_refused_to_root_as_well(small_disk):
    disk = small_disk("size=1m,ro")
    with pytest.raises(ValueError, match=r"written \(Read-only file system\)"):
        run_folder.check(disk)
    with pytest.raises(ValueError, match=r"written \(Read-only file system\)"):
        run_folder.check(disk / "run")


def test_folder_without_permission_to_write_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        nobody = os.geteuid() == 0
        if nobody:  # whom permissions do not bind
            os.seteuid(65534)
        try:
            with pytest.raises(ValueError, match="Permission denied"):
                run_folder.check(folder)
        finally:
            if nobody:
                os.seteuid(0)


# --- check_flags, claimed


def test_new_run_notes_its_flags(run):
    assert (run / "flags.txt").read_text("utf-8") == (
        "--steps=100\n--learning_rate=0.001\n--semantic=True\n--output_dir=runs/a\n"
    )


def test_equal_flags_continue_and_change_nothing(run):
    before = (run / "flags.txt").stat()
    _claim(run, Settings())
    assert (run / "flags.txt").stat().st_mtime_ns == before.st_mtime_ns


def test_where_things_lie_may_change(run):
    _claim(run, Settings(output_dir="moved", data_dir="elsewhere"))


def test_other_flags_are_refused_and_named(run):
    settings = Settings(steps=200, semantic=False)
    message = (
        "with other flags: --semantic=True --steps=100 then, "
        "--semantic=False --steps=200 now"
    )
    with pytest.raises(ValueError, match=message):
        run_folder.check_flags(run, settings, resume=True)


def test_noresume_wants_an_empty_folder(run, tmp_path_factory):
    with pytest.raises(ValueError, match=f"--noresume .* --output_dir={run} is not"):
        run_folder.check_flags(run, Settings(), resume=False)
    run_folder.check_flags(tmp_path_factory.mktemp("new"), Settings(), resume=False)


def test_run_begun_with_noresume_is_continued_by_its_own_flags(tmp_path):
    _claim(tmp_path, Settings(resume=False))
    assert "resume" not in (tmp_path / "flags.txt").read_text("utf-8")
    _claim(tmp_path, Settings())


def test_folder_with_something_else_is_refused_and_kept(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="not empty and holds no run"):
        run_folder.check_flags(tmp_path, Settings(), resume=True)
    assert _names(tmp_path) == ["thesis.tex"]


def test_start_killed_while_it_wrote_its_flags_counts_for_nothing(tmp_path):
    (tmp_path / ".123.flags.txt").write_text("--ste")
    (tmp_path / ".lock").touch()
    run_folder.check_flags(tmp_path, Settings(), resume=False)
    _claim(tmp_path, Settings())
    assert _names(tmp_path) == [".lock", "flags.txt"]


def test_leftovers_of_a_killed_start_are_removed(run):
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / ".123.step_00000100.weights.h5").write_text("half")
    (run / "checkpoints" / "step_00000100.weights.h5").write_text("whole")
    _claim(run, Settings())
    assert _names(run / "checkpoints") == ["step_00000100.weights.h5"]


def test_folder_is_claimed_by_one_process_at_a_time(run):
    # Each opening of the lock counts for itself, as in another process.
    refused = pytest.raises(ValueError, match=f"Another process .*--output_dir={run}")
    with run_folder.locked(run, Settings()), refused:
        _claim(run, Settings())
    _claim(run, Settings())


# --- identity_flags, read_flags


def test_flags_on_which_the_bits_depend():
    assert run_folder.identity_flags(Settings(data_dir="a", resume=False)) == [
        "--steps=100",
        "--learning_rate=0.001",
        "--semantic=True",
    ]


def test_flags_are_read_back(run):
    assert run_folder.read_flags(run) == {
        "steps": "100",
        "learning_rate": "0.001",
        "semantic": "True",
        "output_dir": "runs/a",
    }


def test_lists_stand_as_on_the_command_line(tmp_path):
    _claim(tmp_path, Settings(classes=["cat", "dog"]))
    assert run_folder.read_flags(tmp_path)["classes"] == "cat,dog"
    _claim(tmp_path, Settings(classes=["cat", "dog"]))
    with pytest.raises(ValueError, match="classes=cat,dog then, --classes=dog,cat now"):
        _claim(tmp_path, Settings(classes=["dog", "cat"]))


def test_settings_that_can_not_be_resumed(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Attack:
        seed: int = 3

    with run_folder.locked(tmp_path, Attack()):
        pass
    assert (tmp_path / "flags.txt").read_text("utf-8") == "--seed=3\n"


# --- data_set


@pytest.mark.parametrize(
    ("dataset", "classes", "expected"),
    [
        (None, None, ("mnist", ["3", "1"])),
        (None, ["7", "8"], ("mnist", ["7", "8"])),
        (None, [], ("mnist", [])),
        ("digits", None, ("digits", ())),
        ("mnist", None, ("mnist", ())),
        ("digits", ["7", "8"], ("digits", ["7", "8"])),
    ],
)
def test_data_set_is_that_of_the_run_unless_named(tmp_path, dataset, classes, expected):
    (tmp_path / "flags.txt").write_text("--dataset=mnist\n--classes=3,1\n")
    assert run_folder.data_set(tmp_path, dataset, classes) == expected


@pytest.mark.parametrize("line", ["", "--classes=\n"])
def test_a_run_on_all_classes_names_none(tmp_path, line):
    (tmp_path / "flags.txt").write_text(f"--dataset=mnist\n{line}")
    assert run_folder.data_set(tmp_path, None, None) == ("mnist", [])


def test_a_named_data_set_needs_no_run(tmp_path):
    assert run_folder.data_set(tmp_path, "digits", None) == ("digits", ())
    with pytest.raises(ValueError, match="holds no run"):
        run_folder.data_set(tmp_path, None, ["1", "2"])


def test_folder_of_an_earlier_version_is_read_and_continued(run):
    with open(run / "flags.txt", "a") as stream:
        stream.write("--resume=True\n")
    assert run_folder.read_flags(run)["steps"] == "100"
    _claim(run, Settings())


@pytest.mark.parametrize("value", [1e-3, 1e30, 0.1 + 0.2, 1.757e-5])
def test_numbers_keep_all_their_digits(tmp_path, value):
    _claim(tmp_path, Settings(learning_rate=value))
    assert float(run_folder.read_flags(tmp_path)["learning_rate"]) == value


def test_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path} holds no run: flags.txt can not"):
        run_folder.read_flags(tmp_path)
