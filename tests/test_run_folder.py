import dataclasses
import json
import os
import pathlib
import re
import tempfile

import pytest

from tfsemae import files, run_folder, settings
from tfsemae.settings import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """A few settings of each kind."""

    steps: int = setting(100, "Steps.", identity=False)
    learning_rate: float = setting(0.001, "Rate.")
    semantic: bool = setting(True, "Semantic.")
    output_dir: str = setting("runs/a", "Folder.", identity=False)
    data_dir: str | None = setting(None, "Data.", identity=False)
    classes: tuple[str, ...] | None = setting(None, "Classes.")
    resume: bool = setting(True, "Resume.", identity=False)


FOUND = {"examples": 3, "psnr": 20.5}
CHECKPOINT = "checkpoints/step_00000050.json"


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _content(folder):
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "seconds.json"
    }


def _perform(folder, found=FOUND, **changes):
    """Does a run whose work takes no time."""
    run = Settings(output_dir=str(folder), **changes)
    return run_folder.perform(run, lambda folder: found, resume=run.resume)


def _fail(folder):
    raise ValueError("the data are gone")


def _not_called(folder):
    raise AssertionError("the run is finished")


def _write(folder, name, text="{}"):
    files.write_text(folder / name, text)


@pytest.fixture
def run(tmp_path):
    """A finished run."""
    _perform(tmp_path)
    return tmp_path


@pytest.fixture
def begun(tmp_path):
    """A run that was stopped behind its first checkpoint."""
    with pytest.raises(ValueError, match="the data are gone"):
        run_folder.perform(Settings(output_dir=str(tmp_path)), _fail)
    _write(tmp_path, CHECKPOINT)
    return tmp_path


# --- check


def test_folder_and_its_parents_are_made(tmp_path):
    folder = run_folder.check(tmp_path / "a" / "b")
    assert folder == tmp_path / "a" / "b"
    assert _names(folder) == []


def test_the_folder_of_the_user_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_folder.check("~/run") == tmp_path / "run"
    _perform("~/run")
    assert run_folder.is_finished("~/run")
    assert run_folder.read_metrics("~/run") == FOUND
    assert run_folder.read_flags("~/run")["steps"] == "100"
    assert run_folder.read_settings("~/run", Settings).steps == 100
    assert run_folder.seconds("~/run") == run_folder.seconds(tmp_path / "run")
    assert _names(tmp_path) == ["run"]


def test_file_is_refused_and_kept(tmp_path):
    path = tmp_path / "file"
    path.write_text("text")
    with pytest.raises(ValueError, match=f"--output_dir={path} cannot be written"):
        run_folder.check(path)
    with pytest.raises(ValueError, match="Not a directory"):
        run_folder.check(path / "inner")
    assert path.read_text() == "text"


def test_place_where_no_one_can_make_a_folder_is_refused():
    if not pathlib.Path("/proc/self").exists():
        pytest.skip("needs /proc, in which no one can make a folder")
    with pytest.raises(ValueError, match="--output_dir=/proc/run cannot be written"):
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


# --- perform: a run and its flags


def test_new_run_leaves_flags_seconds_and_metrics(run):
    assert _names(run) == [".lock", "flags.txt", "metrics.json", "seconds.json"]
    assert (run / "flags.txt").read_text("utf-8") == (
        f"--steps=100\n--learning_rate=0.001\n--semantic\n--output_dir={run}\n"
    )
    assert json.loads((run / "metrics.json").read_text("utf-8")) == FOUND


def test_a_finished_run_is_only_read_and_says_so(run, capsys):
    before = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    settings = Settings(output_dir=str(run))
    assert run_folder.perform(settings, _not_called) == FOUND
    after = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    assert {**before, run / ".lock": 0} == {**after, run / ".lock": 0}
    said = f"{run} holds a finished run, which is read.\n"
    assert capsys.readouterr() == ("", said)


def test_a_finished_run_that_is_damaged_is_done_again_and_says_so(run, capsys):
    def verify(folder):
        raise ValueError("The model is damaged. Train it again.")

    settings = Settings(output_dir=str(run))
    again = run_folder.perform(settings, lambda folder: {"psnr": 1.0}, verify=verify)
    assert again == run_folder.read_metrics(run) == {"psnr": 1.0}
    said = "Warning: The model is damaged. Train it again. This is done now.\n"
    assert capsys.readouterr().err == said


def test_where_things_lie_may_change(begun, tmp_path):
    assert _perform(begun, data_dir="elsewhere") == FOUND


@pytest.mark.parametrize("folder", ["run", "begun"])
def test_other_flags_are_refused_and_named(folder, request):
    folder = request.getfixturevalue(folder)
    before = _content(folder)
    message = (
        "with other flags: --learning_rate=0.001 --semantic then, "
        r"--learning_rate=0.1 --nosemantic now\. Give the same"
    )
    with pytest.raises(ValueError, match=message):
        _perform(folder, learning_rate=0.1, semantic=False)
    assert _content(folder) == before


def test_a_flag_that_is_not_given_any_more_is_named(tmp_path):
    _perform(tmp_path, classes=("cat", "dog"))
    message = "other flags: --classes=cat,dog then, no --classes now"
    with pytest.raises(ValueError, match=message):
        _perform(tmp_path)
    with pytest.raises(ValueError, match="classes=cat,dog then, --classes=dog,cat now"):
        _perform(tmp_path, classes=("dog", "cat"))
    assert _perform(tmp_path, classes=("cat", "dog")) == FOUND


def test_a_flag_that_an_older_run_lacks_means_its_default(begun):
    text = (begun / "flags.txt").read_text().replace("--learning_rate=0.001\n", "")
    (begun / "flags.txt").write_text(text)
    with pytest.raises(ValueError, match=r"--learning_rate=0\.001 then, .*=0\.1 now"):
        _perform(begun, learning_rate=0.1)
    assert _perform(begun) == FOUND


def test_an_unknown_flag_in_the_folder_is_named(begun):
    with open(begun / "flags.txt", "a") as stream:
        stream.write("--of_the_future=1\n")
    with pytest.raises(ValueError, match="of_the_future") as caught:
        _perform(begun)
    assert str(caught.value).startswith(f"{begun / 'flags.txt'} holds no flags of such")
    assert "\n" not in str(caught.value)


def test_flags_of_an_earlier_version_are_read_and_continued(begun):
    text = (begun / "flags.txt").read_text().replace("--semantic\n", "")
    (begun / "flags.txt").write_text(f"{text}\n--semantic=True\n--resume=True\n")
    assert run_folder.read_flags(begun)["semantic"] == "True"
    assert _perform(begun) == FOUND


@pytest.mark.parametrize("value", [1e-3, 1e30, 0.1 + 0.2, 1.757e-5])
def test_numbers_keep_all_their_digits(tmp_path, value):
    _perform(tmp_path, learning_rate=value)
    assert float(run_folder.read_flags(tmp_path)["learning_rate"]) == value
    assert _perform(tmp_path, learning_rate=value) == FOUND


def test_noresume_needs_an_empty_folder(begun, tmp_path_factory):
    with pytest.raises(ValueError, match=f"--noresume .* --output_dir={begun} is not"):
        _perform(begun, resume=False)
    folder = tmp_path_factory.mktemp("new")
    _perform(folder, resume=False)
    # It is continued, or read, by its own flags.
    assert "resume" not in (folder / "flags.txt").read_text("utf-8")
    assert _perform(folder) == FOUND


def test_folder_with_something_else_is_refused_and_kept(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="not empty and holds no run"):
        _perform(tmp_path)
    assert _names(tmp_path) == ["thesis.tex"]


# --- perform: starts that fail


def test_a_start_that_failed_before_any_progress_does_not_bind_the_folder(tmp_path):
    with pytest.raises(ValueError, match="the data are gone"):
        run_folder.perform(Settings(output_dir=str(tmp_path)), _fail)
    _write(tmp_path, "inputs.json", '{"train": "1"}')
    assert _perform(tmp_path, learning_rate=0.1, resume=False) == FOUND
    assert run_folder.read_flags(tmp_path)["learning_rate"] == "0.1"
    assert not (tmp_path / "inputs.json").exists()


@pytest.mark.parametrize(
    ("name", "binds"),
    [
        (CHECKPOINT, True),
        ("arrays/images/00000000.npz", True),
        # As of writers that were killed.
        ("checkpoints/.123.step_00000050.json", False),
        ("arrays/images/.123.00000000.npz", False),
    ],
)
def test_what_holds_work_binds_the_folder(tmp_path, name, binds):
    with pytest.raises(ValueError, match="the data are gone"):
        run_folder.perform(Settings(output_dir=str(tmp_path)), _fail)
    _write(tmp_path, name)
    if not binds:
        assert _perform(tmp_path, learning_rate=0.1) == FOUND
        return
    with pytest.raises(ValueError, match="other flags"):
        _perform(tmp_path, learning_rate=0.1)


def test_start_killed_while_it_wrote_its_flags_counts_for_nothing(tmp_path):
    (tmp_path / ".123.flags.txt").write_text("--ste")
    (tmp_path / ".lock").touch()
    _perform(tmp_path, resume=False)
    assert _names(tmp_path) == [".lock", "flags.txt", "metrics.json", "seconds.json"]


def test_leftovers_of_a_killed_start_are_removed(begun):
    _write(begun, "checkpoints/step_00000100.weights.h5")
    (begun / "checkpoints" / ".123.step_00000100.weights.h5").write_text("half")
    _perform(begun)
    assert _names(begun / "checkpoints") == [
        "step_00000050.json",
        "step_00000100.weights.h5",
    ]


def test_folder_is_used_by_one_process_at_a_time(run):
    # Each opening of the lock counts for itself, as in another process.
    message = f"Another process .*--output_dir={run}"
    with files.locked(run, "process"), pytest.raises(ValueError, match=message):
        _perform(run)
    assert _perform(run) == FOUND


def test_seconds_are_those_of_all_starts(tmp_path, monkeypatch):
    now = iter([10.0, 12.5, 100.0, 101.0])
    monkeypatch.setattr(run_folder.time, "monotonic", lambda: next(now))
    assert run_folder.seconds(tmp_path) == 0
    with pytest.raises(ValueError, match="the data are gone"):
        run_folder.perform(Settings(output_dir=str(tmp_path)), _fail)
    assert run_folder.seconds(tmp_path) == 2.5
    _write(tmp_path, CHECKPOINT)
    _perform(tmp_path)
    assert run_folder.seconds(tmp_path) == 3.5


# --- perform: more steps


def test_more_steps_extend_a_finished_run(run):
    assert _perform(run, found={"psnr": 30.0}, steps=200) == {"psnr": 30.0}
    assert run_folder.read_flags(run)["steps"] == "200"
    settings = Settings(output_dir=str(run), steps=200)
    assert run_folder.perform(settings, _not_called) == {"psnr": 30.0}


def test_fewer_steps_are_refused(run):
    before = _content(run)
    message = f"{run} has done 100 steps. Received: --steps=50. Name another folder"
    with pytest.raises(ValueError, match=message):
        _perform(run, steps=50)
    assert _content(run) == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_an_extension_that_failed_at_once_leaves_the_finished_run(run, error):
    def fail(folder):
        assert not (folder / "metrics.json").exists()
        raise error("at once")

    before = _content(run)
    with pytest.raises(error, match="at once"):
        run_folder.perform(Settings(output_dir=str(run), steps=200), fail)
    assert _content(run) == before


def test_an_extension_that_failed_behind_a_checkpoint_is_unfinished(run):
    def fail(folder):
        _write(folder, CHECKPOINT)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_folder.perform(Settings(output_dir=str(run), steps=200), fail)
    assert not run_folder.is_finished(run)
    assert run_folder.read_flags(run)["steps"] == "200"
    assert not [name for name in _names(run) if name.endswith(".metrics.json")]


# --- files of a run that are damaged


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_damaged_metrics_are_named_with_the_remedy(run, text):
    path = run / "metrics.json"
    path.write_text(text)
    message = rf"{path} is damaged \(.*\)\. Remove it and run the command again\."
    for read in (lambda: _perform(run), lambda: run_folder.read_metrics(run)):
        with pytest.raises(ValueError, match=message):
            read()
    path.unlink()
    assert _perform(run) == FOUND


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"seconds": "many"}'])
def test_damaged_seconds_are_named_with_the_remedy(begun, text):
    path = begun / "seconds.json"
    path.write_text(text)
    message = rf"{path} is damaged \(.*\)\. Remove it and run the command again\."
    with pytest.raises(ValueError, match=message):
        _perform(begun)
    path.unlink()
    assert _perform(begun) == FOUND


@pytest.mark.parametrize("content", [b"", b"\n", b"--learning", b"\xff\xfe"])
def test_damaged_flags_are_named_with_the_remedy(begun, content):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Required(Settings):
        folder: str = setting(help="Folder.", identity=False)

    path = begun / "flags.txt"
    path.write_bytes(content)
    run = Required(folder="a", output_dir=str(begun))
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        run_folder.perform(run, _not_called)
    message = str(caught.value)
    assert message.endswith("Put the earlier file back, or name another folder.")
    assert "\n" not in message


def test_missing_metrics_are_named_with_the_remedy(tmp_path):
    message = f"{tmp_path / 'metrics.json'} is missing: there is no finished run. Run"
    with pytest.raises(ValueError, match=message):
        run_folder.read_metrics(tmp_path)


# --- check_inputs


def test_inputs_are_recorded_and_the_same_ones_continue(tmp_path):
    inputs = {"train": "12", "test": "34"}
    run_folder.check_inputs(tmp_path, inputs)
    run_folder.check_inputs(tmp_path, inputs)
    assert json.loads((tmp_path / "inputs.json").read_text("utf-8")) == inputs


def test_other_inputs_are_refused_and_named(tmp_path):
    run_folder.check_inputs(tmp_path, {"train": "12", "test": "34"})
    message = (
        rf"--output_dir={tmp_path} began with other data or networks \(test, more\)\. "
        "Put the earlier ones back, or name another folder"
    )
    with pytest.raises(ValueError, match=message):
        run_folder.check_inputs(tmp_path, {"train": "12", "test": "5", "more": "6"})


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_damaged_inputs_are_named_with_the_remedy(tmp_path, text):
    path = tmp_path / "inputs.json"
    path.write_text(text)
    message = rf"{path} is damaged \(.*\)\. Name another folder\."
    with pytest.raises(ValueError, match=message):
        run_folder.check_inputs(tmp_path, {"train": "12"})


# --- identity, fingerprint, read_flags, read_settings


def test_flags_on_which_the_bits_depend():
    assert run_folder.identity(Settings(data_dir="a", resume=False)) == [
        "--learning_rate=0.001",
        "--semantic",
    ]


def test_fingerprint_tells_settings_apart():
    prints = {
        run_folder.fingerprint(values)
        for values in ([], ["--a=1"], ["--a=1", "--b"], ["--b", "--a=1"], ["--a=1--b"])
    }
    assert len(prints) == 5
    assert all(re.fullmatch("[0-9a-f]{8}", each) for each in prints)


def test_flags_are_read_back(tmp_path):
    _perform(tmp_path, semantic=False, classes=("cat", "dog"))
    assert run_folder.read_flags(tmp_path) == {
        "steps": "100",
        "learning_rate": "0.001",
        "semantic": "false",
        "output_dir": str(tmp_path),
        "classes": "cat,dog",
    }


def test_settings_are_read_back(tmp_path):
    run = Settings(output_dir=str(tmp_path), semantic=False, classes=("cat", "dog"))
    run_folder.perform(run, lambda folder: FOUND)
    assert run_folder.read_settings(tmp_path, Settings) == run


def test_settings_of_another_command_are_refused(run):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Attack:
        seed: int = setting(3, "Seed.")

    message = rf"{run / 'flags.txt'} holds no flags of such a run: .*steps"
    with pytest.raises(ValueError, match=message):
        run_folder.read_settings(run, Attack)


def test_the_effective_flags_are_a_flagfile(run):
    found = settings.parse(Settings, [f"--flagfile={run / 'flags.txt'}"])
    assert found == Settings(output_dir=str(run))


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


def test_a_run_that_names_no_data_set_is_named(tmp_path):
    (tmp_path / "flags.txt").write_text("")
    with pytest.raises(ValueError, match=r"its flags\.txt names no data set\. Name"):
        run_folder.data_set(tmp_path, None, None)


def test_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path} holds no run: flags.txt cannot"):
        run_folder.read_flags(tmp_path)
