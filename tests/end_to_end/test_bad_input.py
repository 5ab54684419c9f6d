"""Wrong input ends with one message and without loss, at the command line.

What the flags alone can tell is in test_train.py, what a trained model refuses in
test_evaluate.py; cases in plenty, without a process each, in training/.
"""

import csv
import functools
import resource
import shutil
import signal
import subprocess

import pytest

SHORT = ("--steps=3", "--batch_size=4", "--checkpoint_every=1", "--threads=1")
#: What may stand before the message of a run that had begun.
BEFORE = ("step ", "Warning: The checkpoint of step ")
#: What a start leaves that ended before it had computed anything; see run_folder.
BEGUN = {".lock", "flags.txt", "inputs.json", "seconds.json"}


@pytest.fixture
def refused(run_command):
    """Runs a training that must fail; gives its one message."""

    def run(*flags, **options):
        ended = run_command("train", *flags, **options)
        assert ended.status == 1
        assert ended.out == ""
        *before, message = ended.messages
        assert all(line.startswith(BEFORE) for line in before), before
        assert message.startswith("Error: ")
        return message

    return run


def _content(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_unknown_data_set(refused, tmp_path):
    message = refused("--dataset=imagenet", f"--output_dir={tmp_path}")
    assert "Unknown data set: expected one of digits" in message
    assert "Received: name='imagenet'" in message


def test_output_dir_that_is_a_file(refused, tmp_path):
    path = tmp_path / "file"
    path.write_text("text")
    message = refused("--dataset=digits", f"--output_dir={path}")
    assert f"--output_dir={path} cannot be written" in message
    assert path.read_text() == "text"


def test_size_that_does_not_halve_twice(refused, tmp_path, write_images):
    path = write_images(shape=(14, 14, 1))
    message = refused(f"--dataset={path}", f"--output_dir={tmp_path}")
    assert "multiples of 4. Received: image_shape=(14, 14, 1)" in message
    assert {path.name for path in tmp_path.iterdir()} <= BEGUN


def test_truncated_archive(refused, tmp_path):
    archives = tmp_path / "manual" / "mnist"
    archives.mkdir(parents=True)
    for part in ("train-images-idx3", "train-labels-idx1"):
        (archives / f"{part}-ubyte.gz").write_bytes(b"\x1f\x8b\x08")
    for part in ("t10k-images-idx3", "t10k-labels-idx1"):
        (archives / f"{part}-ubyte.gz").write_bytes(b"\x1f\x8b\x08")
    message = refused(
        "--dataset=mnist",
        f"--data_dir={tmp_path / 'data'}",
        f"--manual_dir={tmp_path / 'manual'}",
        f"--output_dir={tmp_path / 'run'}",
    )
    assert f"{archives}" in message
    assert "is truncated or not the original archive" in message


def test_other_flags_than_those_of_the_run(refused, digits_run, digits_flags):
    before = _content(digits_run)
    message = refused(*digits_flags, "--batch_size=9", f"--output_dir={digits_run}")
    flags = "--batch_size=8 then, --batch_size=9 now"
    assert f"was started with other flags: {flags}" in message
    assert _content(digits_run) == before


def test_foreign_checkpoints(refused, digits_run, digits_flags, tmp_path):
    # Those of a run with another seed, put where this run has none.
    flags = [*digits_flags, "--seed=4"]
    folder = tmp_path / "run"
    shutil.copytree(digits_run / "checkpoints", folder / "checkpoints")
    lines = (digits_run / "flags.txt").read_text().replace("--seed=3", "--seed=4")
    (folder / "flags.txt").write_text(lines)
    before = _content(folder / "checkpoints")
    message = refused(*flags, f"--output_dir={folder}")
    assert f"None of the checkpoints in {folder / 'checkpoints'} can be" in message
    assert _content(folder / "checkpoints") == before


def _limit_files(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_files_that_cannot_grow(refused, tmp_path, images_file):
    # As under a quota; a disk that is full is below.
    flags = [*SHORT, f"--dataset={images_file}", f"--output_dir={tmp_path}"]
    limit = functools.partial(_limit_files, 500_000)
    message = refused(*flags, preexec_fn=limit)
    assert "step_00000001.weights.h5 cannot be written (File too large)" in message
    assert not list((tmp_path / "checkpoints").iterdir())


def test_full_disk_and_room_made(refused, run_command, small_disk, images_file):
    # A checkpoint has 1.6 MB, and some more is asked for: the second does not fit.
    disk = small_disk("size=4m")
    folder = disk / "run"
    flags = [*SHORT, f"--dataset={images_file}", f"--output_dir={folder}"]
    message = refused(*flags)
    assert "step_00000002.weights.h5 cannot be written (No space left" in message
    assert "free disk space" in message
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == [
        "step_00000001.json",
        "step_00000001.weights.h5",
    ]
    subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
    ended = run_command("train", *flags)
    assert ended.status == 0, ended.messages
    with open(folder / "log.csv", newline="") as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["1", "2", "3"]
    assert (folder / "metrics.json").exists()


def test_interrupt_is_no_error_of_its_own(start_python, tmp_path, images_file):
    flags = [*SHORT[1:], "--steps=100000", f"--dataset={images_file}"]
    process = start_python("-m", "tfsemae.train", *flags, f"--output_dir={tmp_path}")
    try:
        for line in process.stderr:
            if line.startswith("step 2/"):
                process.send_signal(signal.SIGINT)  # as Ctrl-C does
                break
        _, rest = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "Traceback" not in rest
    assert rest.endswith("Stopped. The same command continues what it has begun.\n")
    assert list((tmp_path / "checkpoints").glob("*.json"))
