"""The folder of one run: its flags, and whether a second start may continue it."""

import contextlib
import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from tfsemae import files

FLAGS_FILE = "flags.txt"
METRICS_FILE = "metrics.json"  # written last: a run that has it is finished
#: Flags that say where things lie or how a start behaves, not what is computed.
_FREE_TO_CHANGE = frozenset({"output_dir", "data_dir", "manual_dir", "resume"})


def check(output_dir: files.PathLike) -> pathlib.Path:
    """Makes the folder and sees that it can be written.

    Args:
        output_dir: the folder of a run.

    Returns:
        Its path.

    Raises:
        ValueError: if it is a file or can not be made or written.
    """
    folder = pathlib.Path(output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Asked by writing: root passes every permission test on a read-only disk.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"--output_dir={output_dir} can not be written ({error.strerror}). "
            "Name a folder, new or of an earlier start of the same run."
        ) from error
    return folder


def check_flags(folder: pathlib.Path, settings: Any, *, resume: bool) -> None:
    """Sees that a folder is new, or holds a run that may be continued.

    Args:
        folder: of the run; it exists.
        settings: a dataclass instance, its fields named as their flags.
        resume: whether a folder that is not empty may be continued.

    Raises:
        ValueError: if the folder holds something else, or a run with other
            flags, or anything while `resume` is false.
    """
    if _is_new(folder):
        return
    if not resume:
        raise ValueError(
            f"--noresume wants a new or empty folder, but --output_dir={folder} is "
            "not empty. Name another one, or leave --noresume out to continue."
        )
    if not (folder / FLAGS_FILE).is_file():
        raise ValueError(
            f"--output_dir={folder} is not empty and holds no run (it has no "
            f"{FLAGS_FILE}). Name another folder."
        )
    lines = (folder / FLAGS_FILE).read_text("utf-8").splitlines()
    earlier, now = set(_identity(lines)), set(identity_flags(settings))
    if earlier != now:
        raise ValueError(
            f"The run in --output_dir={folder} was started with other flags: "
            f"{' '.join(sorted(earlier - now))} then, "
            f"{' '.join(sorted(now - earlier))} now. Give the same flags to continue "
            "it, or name another folder."
        )


@contextlib.contextmanager
def locked(folder: pathlib.Path, settings: Any) -> Iterator[None]:
    """Notes the flags of a new run and keeps other processes out meanwhile.

    Args:
        folder: of the run; `check_flags` has passed.
        settings: a dataclass instance, its fields named as their flags.

    Raises:
        ValueError: if another process is at work in the folder.
    """
    with files.locked(folder, "process"):
        if _is_new(folder):
            files.write_text(folder / FLAGS_FILE, "\n".join(_lines(settings)) + "\n")
        files.remove_leftovers(folder)
        yield


def identity_flags(settings: Any) -> list[str]:
    """The flags on which the bits of a run depend, one `--name=value` each."""
    return _identity(_lines(settings))


def read_flags(folder: files.PathLike) -> dict[str, str]:
    """The flags of a run.

    Args:
        folder: of the run.

    Returns:
        Name -> value as text, such as `steps` -> `10000`.

    Raises:
        ValueError: if the folder holds no run.
    """
    path = pathlib.Path(folder) / FLAGS_FILE
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise ValueError(
            f"{folder} holds no run: {path.name} can not be read ({error.strerror})."
        ) from error
    return {_name(line): line.partition("=")[2] for line in lines}


def is_finished(folder: files.PathLike) -> bool:
    """Whether a run has measured what it was to measure."""
    return (pathlib.Path(folder) / METRICS_FILE).exists()


def read_metrics(folder: files.PathLike) -> dict[str, Any]:
    """What a finished run measured."""
    return json.loads((pathlib.Path(folder) / METRICS_FILE).read_text("utf-8"))


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
    if classes is None:
        classes = [name for name in earlier.get("classes", "").split(",") if name]
    return earlier["dataset"], classes


def _is_new(folder: pathlib.Path) -> bool:
    # What a start leaves that was killed while it wrote the flags does not count.
    return all(
        path.name == files.LOCK or path.name.endswith(f".{FLAGS_FILE}")
        for path in folder.iterdir()
    )


def _lines(settings: Any) -> list[str]:
    values = dataclasses.asdict(settings)
    values.pop("resume", None)  # of one start: --noresume would refuse what it wrote
    return [
        f"--{name}={','.join(value) if isinstance(value, list) else value}"
        for name, value in values.items()
        if value is not None
    ]


def _identity(lines: list[str]) -> list[str]:
    return [line for line in lines if _name(line) not in _FREE_TO_CHANGE]


def _name(line: str) -> str:
    return line.removeprefix("--").partition("=")[0]
