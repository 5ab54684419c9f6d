"""Fixtures that the tests of several packages share."""

import contextlib
import fcntl
import gc
import json
import os
import pathlib
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import preloaded
import pytest

# Before TensorFlow is imported, here and in the processes that tests start: the
# workers of pytest-xdist share the cores, so that each has one thread.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = pathlib.Path(__file__).parents[1]
_PATIENCE = 600  # seconds; far more than a busy machine needs

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


#: Test files that take half a minute and more, the longest first.
_LONG = (
    "test_docs.py",
    "end_to_end/test_reproduce.py",
    "training/test_loop.py",
    "end_to_end/test_real_mnist.py",
    "test_site.py",
    "training/procedures/test_latent_adversarial.py",
    "test_attack.py",
    "training/test_variational.py",
    "evaluation/test_attack.py",
    "end_to_end/test_bad_input.py",
    "end_to_end/test_mirrored.py",
    "models/test_registry.py",
    "evaluation/test_robustness.py",
    "end_to_end/test_resume.py",
    "benchmarks/test_training.py",
    "evaluation/test_autoencoder.py",
    "training/procedures/test_regularizers.py",
    "experiments/test_ming2022_attack.py",
    "test_keras_state.py",
)


def pytest_configure(config):
    # Few long tests would come last, and one worker wait for another. Before 3.8,
    # pytest-xdist has no such option and puts files of many tests first.
    config.option.loadscopereorder = False
    # The graphs of TensorFlow are many small objects, and Python would look through
    # all of them again and again: a sixth of the time of a short training.
    gc.set_threshold(100_000, 20, 20)


def pytest_collection_modifyitems(items):
    """Long files come first; within a file the order stays."""
    ranks = {pathlib.Path(__file__).parent / file: k for k, file in enumerate(_LONG)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


# Keras draws the seeds of initial weights from `random` where it is given none: a
# test would fail once in a thousand, with weights that nobody sees again.
@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef):
    random.seed(fixturedef.argname)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    random.seed(item.nodeid)


class Ended(NamedTuple):
    """What a process left behind."""

    status: int
    out: str
    messages: list[str]  # lines on stderr


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
        return Ended(process.returncode, process.stdout, process.stderr.splitlines())

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
def run_command(run_python):
    """Runs `python -m tfsemae.<name>` the way a user does."""

    def run(name, *arguments, **options):
        return run_python("-m", f"tfsemae.{name}", *arguments, **options)

    return run


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    """Starts a process that has imported TensorFlow and the named modules.

    Returns what runs a module or a script in a fork of it, see preloaded.py.
    """
    with contextlib.ExitStack() as stack:

        def start(*modules):
            # -P, since the folder of the script is not on the path of `python -m`.
            process = subprocess.Popen(
                [sys.executable, "-P", preloaded.__file__, *modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return _running_in(process, tmp_path_factory)

        yield start


def _running_in(process, tmp_path_factory):
    def run(module, *arguments, cwd="."):
        folder = tmp_path_factory.mktemp("ended")
        request = {
            "module": str(module),
            "arguments": list(map(str, arguments)),
            "folder": os.path.abspath(cwd),
            "environment": _environment(),
            "out": str(folder / "out"),
            "messages": str(folder / "messages"),
        }
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        answered, _, _ = select.select([process.stdout], [], [], _PATIENCE)
        assert answered, f"{module} {arguments} takes too long"
        status = int(process.stdout.readline())
        messages = (folder / "messages").read_text("utf-8").splitlines()
        return Ended(status, (folder / "out").read_text("utf-8"), messages)

    return run


@pytest.fixture(scope="session")
def run_forked(preload):
    """Runs a module or script in a process that has imported TensorFlow and tfsemae."""
    return preload("tfsemae.evaluation", "tfsemae.training")


@pytest.fixture(scope="session")
def run_preloaded(run_forked):
    """As `run_command`, without the import of TensorFlow."""

    def run(name, *arguments, **options):
        return run_forked(f"tfsemae.{name}", *arguments, **options)

    return run


@pytest.fixture(scope="session")
def digits_flags():
    """The flags of `digits_run`, without the folder."""
    return RUN


@pytest.fixture(scope="session")
def _digits(shared_folder, run_command):
    """A finished run on the digits, trained by the first worker that wants it."""
    made, record = shared_folder / "digits_run", shared_folder / "digits_ended.json"
    with open(shared_folder / "digits_run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            ended = run_command("train", *RUN, f"--output_dir={made}")
            assert ended.status == 0, ended.messages
            record.write_text(json.dumps(ended))
    return made, Ended(*json.loads(record.read_text()))


@pytest.fixture(scope="session")
def digits_run(_digits, tmp_path_factory):
    """A copy of it; tests only read it, or start a command in it."""
    made, copy = _digits[0], tmp_path_factory.mktemp("digits") / "run"
    shutil.copytree(made, copy)
    flags = (copy / "flags.txt").read_text("utf-8")
    (copy / "flags.txt").write_text(flags.replace(str(made), str(copy)), "utf-8")
    return copy


@pytest.fixture(scope="session")
def digits_ended(_digits):
    """What its process left behind."""
    return _digits[1]


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
    """Makes `training.Settings` of a short run on small images, by flat names."""
    from tfsemae import settings, training

    defaults = {
        "dataset": str(images_file),
        "semantic": True,
        "semantic_weight": 0.5,
        "initializer": "he_normal",
        "steps": 5,
        "batch_size": 4,
        "decay_rate": 0.5,
        "decay_steps": 2,
        "checkpoint_every": 2,
    }

    def make(output_dir, **changes):
        values = defaults | {"output_dir": str(output_dir)} | changes
        return settings.make(training.Settings, values)

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


@pytest.fixture(scope="session")
def lpips_weights() -> pathlib.Path:
    """The folder of the weights of LPIPS; skips where there is none."""
    named = os.environ.get("TFSEMAE_WEIGHTS_DIR")
    folder = pathlib.Path(named or ROOT.parent / "shared" / "data" / "lpips")
    if not (folder / "alexnet_trunk.npz").is_file():
        pytest.skip(f"no weights of LPIPS in {folder} (TFSEMAE_WEIGHTS_DIR)")
    return folder
