"""The folder of one run: what every command that computes has in common.

A run is identified by its flags and its data. A second start with the same ones
continues it, or reads it where it is finished.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tfsemae import files, settings

FLAGS_FILE = "flags.txt"
INPUTS_FILE = "inputs.json"  # digests of the images and networks that the run took
SECONDS_FILE = "seconds.json"
METRICS_FILE = "metrics.json"  # written last: a run that has it is finished
#: What a start leaves that was stopped before it had computed anything to keep.
_BEFORE_PROGRESS = (FLAGS_FILE, INPUTS_FILE, SECONDS_FILE)
#: Files that hold work of an earlier start; they bind the folder to its flags.
_PROGRESS = ("checkpoints/step_*.json", "arrays/**/[0-9]*.npz")

Metrics = dict[str, Any]


def perform(
    run: Any,
    work: Callable[[pathlib.Path], Metrics],
    *,
    resume: bool = True,
    unchanged: Callable[[pathlib.Path], None] = lambda folder: None,
    verify: Callable[[pathlib.Path], None] = lambda folder: None,
) -> Metrics:
    """Does a run in its folder, continues it, or reads what it found.

    Args:
        run: settings with an `output_dir`; see `settings`.
        work: computes in the folder, which is locked meanwhile, and returns what
            `metrics.json` shall hold. What it writes is whole or not there.
        resume: whether a folder that is not empty may be continued.
        unchanged: raises ValueError if a finished run took other images than those
            that are there now, as far as that is known quickly.
        verify: raises ValueError if a finished run lacks something or has it
            damaged; the run is then done again from what is good.

    Returns:
        What `metrics.json` holds.

    Raises:
        ValueError: if the folder cannot be written, holds something else or a run
            with other flags, or if another process is using it.
    """
    values = settings.flat(run)
    folder = check(values["output_dir"])
    check_flags(folder, run, resume=resume)
    with files.locked(folder, "process"):
        if is_finished(folder) and not _is_extended(folder, run):
            found = read_metrics(folder)
            unchanged(folder)
            try:
                verify(folder)
            except ValueError as error:
                _say(f"Warning: {error} This is done now.")
            else:
                _say(f"{folder} holds a finished run, which is read.")
                return found
        files.remove_leftovers(folder)
        with _begun(folder, run), _timed(folder):
            found = work(folder)
            files.write_json(folder / METRICS_FILE, found)
    return found


def check(output_dir: files.PathLike) -> pathlib.Path:
    """Makes the folder and checks that it can be written.

    Args:
        output_dir: the folder of a run; `~` is the user's home.

    Returns:
        Its path.

    Raises:
        ValueError: if it is a file or cannot be made or written.
    """
    folder = files.path(output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Tried, not asked: root passes every permission test on a read-only disk.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"--output_dir={output_dir} cannot be written ({error.strerror}). "
            "Name a folder, new or of an earlier start of the same run."
        ) from error
    return folder


def check_flags(folder: pathlib.Path, run: Any, *, resume: bool) -> None:
    """Checks that a folder is new, or holds a run that may be continued.

    Args:
        folder: of the run; it exists.
        run: its settings.
        resume: whether a folder that is not empty may be continued.

    Raises:
        ValueError: if the folder holds something else, or a run with other
            flags, or anything while `resume` is false.
    """
    if _is_empty(folder):
        return
    if not resume:
        raise ValueError(
            f"--noresume needs a new or empty folder, but --output_dir={folder} is "
            "not empty. Name another one, or leave --noresume out to continue."
        )
    if not (folder / FLAGS_FILE).is_file():
        raise ValueError(
            f"--output_dir={folder} is not empty and holds no run (it has no "
            f"{FLAGS_FILE}). Name another folder."
        )
    if not _has_progress(folder):
        return
    earlier, now = _read_serialized(folder, type(run)), settings.serialized(run)
    names = sorted(settings.identity_names(type(run)))
    changed = [name for name in names if earlier.get(name) != now.get(name)]
    if changed:
        raise ValueError(
            f"The run in --output_dir={folder} was started with other flags: "
            f"{_listed(earlier, changed)} then, {_listed(now, changed)} now. Give the "
            "same flags to continue it, or name another folder."
        )


def identity(run: Any) -> list[str]:
    """The flags on which the result of a run depends, such as `--seed=3`."""
    names = settings.identity_names(type(run))
    # Sorted: settings may move within their groups from version to version.
    lines = settings.serialized(run).items()
    return sorted(line for name, line in lines if name in names)


def check_inputs(folder: pathlib.Path, digests: Mapping[str, str]) -> None:
    """Records what a run takes, or checks that it is still the same.

    Args:
        folder: of the run, which is locked.
        digests: name, such as `train`, -> digest of images or of a network.

    Raises:
        ValueError: if the run began with other ones.
    """
    path = folder / INPUTS_FILE
    if not path.exists():
        files.write_json(path, dict(digests))
        return
    earlier = _read_json(path, "Name another folder")
    changed = [name for name in digests if earlier.get(name) != digests[name]]
    if changed:
        raise ValueError(
            f"The run in --output_dir={folder} began with other data or networks "
            f"({', '.join(changed)}). Put the earlier ones back, or name another "
            "folder."
        )


def read_flags(folder: files.PathLike) -> dict[str, str]:
    """The flags of a run.

    Args:
        folder: of the run.

    Returns:
        Name -> value as text, such as `steps` -> `10000`, `semantic` -> `true`.

    Raises:
        ValueError: if the folder holds no run.
    """
    words = [line.removeprefix("--").partition("=") for line in _flag_lines(folder)]
    return {
        name if equals else name.removeprefix("no"): (
            value if equals else str(not name.startswith("no")).lower()
        )
        for name, equals, value in words
    }


def read_settings(folder: files.PathLike, group: type[settings.T]) -> settings.T:
    """The settings of a run; one that its flags lack has its default.

    Args:
        folder: of the run.
        group: of the command that made it.

    Raises:
        ValueError: if the folder holds no run of that command.
    """
    try:
        return settings.parse(group, _flag_lines(folder))
    except ValueError as error:
        path = files.path(folder) / FLAGS_FILE
        raise ValueError(
            f"{path} holds no flags of such a run: {_one_line(error)} Put the earlier "
            "file back, or name another folder."
        ) from error


def is_finished(folder: files.PathLike) -> bool:
    """Whether a run has measured what it was to measure."""
    return (files.path(folder) / METRICS_FILE).exists()


def read_metrics(folder: files.PathLike) -> Metrics:
    """What a finished run measured."""
    return _read_json(files.path(folder) / METRICS_FILE)


def seconds(folder: files.PathLike) -> float:
    """Seconds that all starts of a run took together; 0 before the first ended."""
    path = files.path(folder) / SECONDS_FILE
    if not path.exists():
        return 0.0
    found = _read_json(path).get("seconds")
    if not isinstance(found, int | float):
        raise ValueError(
            f"{path} is damaged (it has no number `seconds`). Remove it and run the "
            "command again."
        )
    return float(found)


def data_set(
    folder: files.PathLike, dataset: str | None, classes: Sequence[str] | None
) -> tuple[str, Sequence[str]]:
    """Which images a command takes that is given the folder of an earlier run.

    Args:
        folder: of the earlier run.
        dataset: of the command; None for that of the run.
        classes: of the command; None for those of the run, or for all where
            `dataset` is named.

    Returns:
        Data set and classes as `data.load` takes them; no classes for all.

    Raises:
        ValueError: if the folder is needed and holds no run.
    """
    if dataset is not None:
        return dataset, classes or ()
    earlier = read_flags(folder)
    if "dataset" not in earlier:
        raise ValueError(
            f"{folder} is no training run: its {FLAGS_FILE} names no data set. Name "
            "the --output_dir of a training, or give --dataset."
        )
    if classes is None:
        classes = [name for name in earlier.get("classes", "").split(",") if name]
    return earlier["dataset"], classes


def fingerprint(values: Sequence[str]) -> str:
    """Eight hexadecimal digits that tell settings apart, for the name of a folder."""
    return hashlib.sha256("\n".join(values).encode()).hexdigest()[:8]


@contextlib.contextmanager
def _begun(folder: pathlib.Path, run: Any) -> Iterator[None]:
    """Writes the flags; a finished run stays one if nothing comes of the start."""
    if not _has_progress(folder):
        for name in _BEFORE_PROGRESS:
            (folder / name).unlink(missing_ok=True)
    # A run that is extended is no longer finished, and has other flags.
    metrics, kept = folder / METRICS_FILE, folder / f".{os.getpid()}.{METRICS_FILE}"
    earlier, flags = folder / FLAGS_FILE, settings.serialized(run)
    before = _progress(folder), earlier.read_text("utf-8") if earlier.exists() else ""
    if metrics.exists():
        metrics.rename(kept)
    flags.pop("resume", None)  # of one start: --noresume would refuse what it wrote
    files.write_text(earlier, "\n".join(flags.values()) + "\n")
    try:
        yield
    except BaseException:
        if kept.exists() and _progress(folder) == before[0]:
            files.write_text(earlier, before[1])
            kept.rename(metrics)
        raise
    finally:
        kept.unlink(missing_ok=True)


@contextlib.contextmanager
def _timed(folder: pathlib.Path) -> Iterator[None]:
    before, started = seconds(folder), time.monotonic()
    try:
        yield
    finally:
        spent = before + time.monotonic() - started
        files.write_json(folder / SECONDS_FILE, {"seconds": round(spent, 3)})


def _is_extended(folder: pathlib.Path, run: Any) -> bool:
    """Whether a finished run shall now do more steps."""
    steps = settings.flat(run).get("steps")
    if steps is None:
        return False
    done = settings.flat(read_settings(folder, type(run)))["steps"]
    if steps < done:
        raise ValueError(
            f"The run in --output_dir={folder} has done {done} steps. "
            f"Received: --steps={steps}. Name another folder for a shorter run."
        )
    return steps > done


def _progress(folder: pathlib.Path) -> list[tuple[str, int]]:
    """Name and time of the files that hold work."""
    found = (path for pattern in _PROGRESS for path in folder.glob(pattern))
    return sorted((str(path), path.stat().st_mtime_ns) for path in found)


def _has_progress(folder: pathlib.Path) -> bool:
    return bool(_progress(folder)) or is_finished(folder)


def _is_empty(folder: pathlib.Path) -> bool:
    # What a start leaves that ended before it had computed anything does not count.
    names = (files.LOCK, *_BEFORE_PROGRESS)
    return all(
        path.name in names or path.name.endswith(f".{FLAGS_FILE}")
        for path in folder.iterdir()
    )


def _read_serialized(folder: pathlib.Path, group: type) -> dict[str, str]:
    return settings.serialized(read_settings(folder, group))


def _listed(serialized: Mapping[str, str], names: Sequence[str]) -> str:
    return " ".join(serialized.get(name, f"no --{name}") for name in names)


def _flag_lines(folder: files.PathLike) -> list[str]:
    path = files.path(folder) / FLAGS_FILE
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise ValueError(
            f"{folder} holds no run: {path.name} cannot be read ({error.strerror}). "
            "Name the --output_dir of a run."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is damaged ({error}). Put the earlier file back, or name another "
            "folder."
        ) from error
    return [line for line in lines if line.strip()]


def _read_json(
    path: pathlib.Path, remedy: str = "Remove it and run the command again"
) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ValueError(
            f"{path} is missing: there is no finished run. Run its command again."
        ) from error
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}). {remedy}.") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} is damaged (it holds no object). {remedy}.")
    return found


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if text.endswith(".") else f"{text}."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
