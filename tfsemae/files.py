"""Files that are written whole or not at all."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterator
from typing import Any

PathLike = str | os.PathLike[str]
Errors = tuple[type[Exception], ...]

LOCK = ".lock"

_TEMPORARY = re.compile(r"\.\d+\..+")
#: What TensorFlow's messages say of its own operations.
_NOISE = re.compile(r"{{.*?}}|\[Op:.*?\]")


@contextlib.contextmanager
def replacing(
    path: PathLike, *, size: int = 0, errors: Errors = ()
) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path` that takes its place on success.

    The temporary name keeps the suffixes of `path`, by which Keras and
    matplotlib choose a format. The file is flushed to the disk before it is
    renamed; when the body raises, it is removed and what stood at `path` stays.

    Args:
        path: the file to write; its folder is made if it is missing.
        size: bytes that must fit on the disk before the body begins, for
            writers that do not fail well.
        errors: see `writing`.

    Raises:
        OSError: if it can not be written, see `writing`.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    with writing(path, errors=errors):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if size:
                temporary.write_bytes(bytes(size))
            yield temporary
            with open(temporary, "rb") as stream:
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def writing(path: PathLike, *, errors: Errors = ()) -> Iterator[None]:
    """Makes an OSError of the body one line that names the file and the remedy.

    Args:
        path: what the body writes.
        errors: what else the body raises where a disk is full or read-only.

    Raises:
        OSError: instead of another one, or of one of `errors`.
    """
    try:
        yield
    except (OSError, *errors) as error:  # type: ignore[misc]
        reason = " ".join(_NOISE.sub("", str(error)).split())
        if getattr(error, "errno", None):
            reason = os.strerror(error.errno)
        raise OSError(
            f"{path} can not be written ({reason}). What is finished is kept: make "
            "room, or see to its permissions, and start again."
        ) from error


@contextlib.contextmanager
def replacing_folder(path: PathLike, *, errors: Errors = ()) -> Iterator[pathlib.Path]:
    """Yields the name of a folder that takes the place of `path` on success.

    The body makes that folder; when it raises, what stood at `path` stays.

    Args:
        path: the folder to write; the folder around it is made if it is missing.
        errors: see `writing`.

    Raises:
        OSError: if it can not be written, see `writing`.
    """
    path = pathlib.Path(path)
    scratch = path.with_name(f".{path.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)  # of a killed writer
    with writing(path, errors=errors):
        try:
            scratch.mkdir(parents=True)
            yield scratch / "new"
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        if path.exists():
            path.rename(scratch / "old")
        (scratch / "new").rename(path)
    shutil.rmtree(scratch)


def remove_leftovers(folder: PathLike) -> None:
    """Removes the temporary files of writers that were killed.

    Args:
        folder: searched with all that is below it; no one else may be writing
            there.
    """
    for path in pathlib.Path(folder).rglob(".*"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink()


def write_text(path: PathLike, text: str) -> None:
    """Writes `text` as UTF-8, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: PathLike, value: Any) -> None:
    """Writes `value` as indented JSON, atomically; NaN is refused."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


@contextlib.contextmanager
def locked(folder: PathLike, worker: str) -> Iterator[None]:
    """Keeps other processes out of a folder during the body.

    The lock goes with its process, also by kill -9; `<folder>/.lock` stays.

    Args:
        folder: it exists.
        worker: what is at work there, for the message, such as `process`.

    Raises:
        ValueError: if another process holds the lock.
    """
    with open(pathlib.Path(folder) / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"Another {worker} is at work in --output_dir={folder}. Wait for it, "
                "or name another folder."
            ) from None
        yield
