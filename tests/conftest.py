"""What tests of several folders share."""

import contextlib
import fcntl
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

# Before TensorFlow is imported, here and in the processes that tests start: the
# workers of pytest-xdist share the cores, so that each has one thread.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = pathlib.Path(__file__).parents[1]
_PATIENCE = 600  # seconds; far more than a busy machine needs
#: TensorFlow's notes about the processor, which no setting turns off.
_NOTES = re.compile(
    r"[IWEF]0000 00:00|WARNING: All log messages before"
    r"|.*\] failed call to cuInit"  # TensorFlow 2.20, where there is no GPU
)

#: Of a run that takes a second of training; an interval does not divide its steps.
RUN = (
    "--dataset=digits",
    "--semantic",
    "--semantic_weight=0.5",
    "--steps=11",
    "--batch_size=8",
    "--checkpoint_every=4",
    "--validation=37",
    "--decay_rate=0.5",
    "--decay_steps=3",
    "--seed=3",
    "--threads=1",
)


class Ended(NamedTuple):
    """What a process left behind."""

    status: int
    out: str
    messages: list[str]  # lines on stderr without TensorFlow's notes


def _messages(stderr):
    return [line for line in stderr.splitlines() if not _NOTES.match(line)]


def _environment():
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


@contextlib.contextmanager
def _hearing_interrupts():
    # A background job of a shell, and what it starts, ignores Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def run_python():
    """Runs Python with arguments in a process of its own, to its end."""

    def run(*arguments, **options):
        process = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            **options,
        )
        return Ended(process.returncode, process.stdout, _messages(process.stderr))

    return run


@pytest.fixture(scope="session")
def start_python():
    """Starts Python with arguments; stderr is a pipe of text."""

    def start(*arguments):
        with _hearing_interrupts():
            return subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                env=_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )

    return start


@pytest.fixture(scope="session")
def run_door(run_python):
    """Runs `python -m tfsemae.<door>` the way a user does."""

    def run(door, *arguments, **options):
        return run_python("-m", f"tfsemae.{door}", *arguments, **options)

    return run


@pytest.fixture(scope="session")
def digits_flags():
    """The flags of `digits_run`, without the folder."""
    return RUN


@pytest.fixture(scope="session")
def digits_run(shared_folder, tmp_path_factory, run_door):
    """A finished run on the digits; tests only read it.

    The first worker that wants it trains it; each has a copy, so that a test may
    start a command in it.
    """
    made, copy = shared_folder / "digits_run", tmp_path_factory.mktemp("digits") / "run"
    with open(shared_folder / "digits_run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "metrics.json").exists():
            ended = run_door("train", *RUN, f"--output_dir={made}")
            assert ended.status == 0, ended.messages
    shutil.copytree(made, copy)
    flags = (copy / "flags.txt").read_text("utf-8")
    (copy / "flags.txt").write_text(flags.replace(str(made), str(copy)), "utf-8")
    return copy


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """A folder that the workers of pytest-xdist have in common."""
    folder = tmp_path_factory.getbasetemp()
    # Each worker's own folder lies in that of the whole session.
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def _stripes(count, shape, classes, seed):
    """Images with a bright band that tells the class, and noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    images = rng.integers(0, 80, (count, *shape), dtype=np.uint8)
    width = shape[1] // classes
    for image, label in zip(images, labels, strict=True):
        image[:, label * width : (label + 1) * width] += 160
    return images, labels


@pytest.fixture(scope="session")
def write_images(tmp_path_factory):
    """Writes an .npz of 64 training and 40 test images of 4 classes, 12 x 12.

    Arrays that are named replace its own; None leaves them out.
    """

    def write(shape=(12, 12, 1), **changes):
        images, labels = _stripes(64, shape, 4, seed=0)
        test_images, test_labels = _stripes(40, shape, 4, seed=1)
        arrays = {
            "images": images,
            "labels": labels,
            "test_images": test_images,
            "test_labels": test_labels,
        } | changes
        path = tmp_path_factory.mktemp("images") / "images.npz"
        np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
        return path

    return write


@pytest.fixture(scope="session")
def images_file(write_images):
    """An .npz of small images with labels."""
    return write_images()


@pytest.fixture(scope="session")
def make_settings(images_file):
    """Makes `loop.Settings` of a short run on small images."""
    from tfsemae.training import loop

    defaults = {
        "dataset": str(images_file),
        "classes": None,
        "model": "table1",
        "semantic": True,
        "semantic_weight": 0.5,
        "shuffle_labels": False,
        "decoder_from": None,
        "train_decoder": None,
        "encoder_from": None,
        "loss": "binary_crossentropy",
        "initializer": "he_normal",
        "steps": 5,
        "batch_size": 4,
        "learning_rate": 0.001,
        "decay_rate": 0.5,
        "decay_steps": 2,
        "seed": 0,
        "validation": 0,
        "checkpoint_every": 2,
        "steps_per_execution": 1,
        "jit_compile": False,
        "threads": 0,
        "strategy": "default",
        "resume": True,
        "data_dir": None,
        "manual_dir": None,
    }

    def make(output_dir, **changes):
        values = defaults | {"output_dir": str(output_dir)} | changes
        return loop.Settings(**values)

    return make


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk in memory with options, where that is allowed."""
    disk = tmp_path / "disk"

    def mount(options):
        disk.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"needs permission to mount a small disk: {error}")
        return disk

    yield mount
    if disk.is_mount():
        subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="session")
def full_disk():
    """A context in which no file can grow beyond a number of bytes."""

    @contextlib.contextmanager
    def limit(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit
