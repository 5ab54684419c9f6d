"""Files: atomic writes, locks, digests, and paths that users give."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

PathLike = str | os.PathLike[str]
Errors = tuple[type[Exception], ...]

LOCK = ".lock"

_TEMPORARY = re.compile(r"\.\d+\..+")
#: TensorFlow's names of its own operations in its messages.
_NOISE = re.compile(r"{{.*?}}|\[Op:.*?\]")


class WriteError(OSError):
    """A file cannot be written; the message names it and the remedy."""


def path(value: PathLike) -> pathlib.Path:
    """A path given by a user, with `~` expanded.

    Args:
        value: such as `runs/mnist` or `~/runs/mnist`.

    Raises:
        ValueError: if the home folder that `~` means is not known.
    """
    try:
        return pathlib.Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(
            "The home folder that ~ stands for is not known. Set HOME, or give the "
            f"path without ~. Received: {os.fspath(value)!r}."
        ) from error


@contextlib.contextmanager
def replacing(
    target: PathLike, *, size: int = 0, errors: Errors = ()
) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `target` that takes its place on success.

    The temporary name keeps the suffixes of `target`, by which Keras and
    matplotlib choose a format. The file is flushed to the disk before it is
    renamed; when the body raises, it is removed and `target` stays as it was.
    Nested uses replace the innermost file first.

    Args:
        target: the file to write; its folder is made if it is missing.
        size: bytes that must fit on the disk before the body begins, for
            writers that do not fail well.
        errors: see `writing`.

    Raises:
        OSError: if it cannot be written, see `writing`.
    """
    target = path(target)
    temporary = target.with_name(f".{os.getpid()}.{target.name}")
    with writing(target, errors=errors):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if size:
                _check_space(temporary, size)
            yield temporary
            _flush(temporary)
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def writing(target: PathLike, *, errors: Errors = ()) -> Iterator[None]:
    """Makes an OSError of the body one line that names the file and the remedy.

    Args:
        target: what the body writes.
        errors: what else the body raises where a disk is full or read-only.

    Raises:
        WriteError: an OSError, instead of another one or of one of `errors`;
            that of an inner `writing` passes unchanged.
    """
    handled: Errors = (OSError, *errors)
    try:
        yield
    except WriteError:
        raise
    except handled as error:
        reason = " ".join(_NOISE.sub("", str(error)).split())
        if isinstance(error, OSError) and error.errno:
            reason = os.strerror(error.errno)
        raise WriteError(
            f"{target} cannot be written ({reason}). Finished files are kept: free "
            "disk space or correct the permissions, and start again."
        ) from error


@contextlib.contextmanager
def replacing_folder(
    target: PathLike, *, errors: Errors = ()
) -> Iterator[pathlib.Path]:
    """Yields the name of a folder that takes the place of `target` on success.

    The body makes that folder. Its files are flushed to the disk before it is
    renamed; when the body raises, `target` stays as it was.

    Args:
        target: the folder to write; its parent is made if it is missing.
        errors: see `writing`.

    Raises:
        OSError: if it cannot be written, see `writing`.
    """
    target = path(target)
    scratch = target.with_name(f".{target.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)  # of a killed writer
    with writing(target, errors=errors):
        try:
            scratch.mkdir(parents=True)
            yield scratch / "new"
            for file in _files(scratch / "new"):
                _flush(file)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        if target.exists():
            target.rename(scratch / "old")
        (scratch / "new").rename(target)
    shutil.rmtree(scratch)


def remove_leftovers(folder: PathLike) -> None:
    """Removes the temporary files of writers that were killed.

    Args:
        folder: searched with its subfolders; nobody else may be writing there.
    """
    for file in path(folder).rglob(".*"):
        if _TEMPORARY.fullmatch(file.name):
            file.unlink()


def write_text(target: PathLike, text: str) -> None:
    """Writes `text` as UTF-8, atomically."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: PathLike, value: Any) -> None:
    """Writes `value` as indented JSON, atomically; NaN is refused."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(target, text + "\n")


def json_or_none(file: PathLike) -> Any:
    """What a JSON file of our own holds; None if it is missing or damaged.

    For records whose loss only costs time.
    """
    try:
        return json.loads(path(file).read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def sha256(file: PathLike) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    with open(path(file), "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_folder(folder: PathLike) -> dict[str, str]:
    """The SHA-256 of each file in a folder and below it.

    Args:
        folder: it exists.

    Returns:
        Path within the folder, with `/` -> 64 hexadecimal digits, sorted.
    """
    folder = path(folder)
    return {f.relative_to(folder).as_posix(): sha256(f) for f in _files(folder)}


def check_sha256(folder: PathLike, expected: Mapping[str, str]) -> None:
    """Checks that files are those that were once written.

    Args:
        folder: of the files.
        expected: path within the folder -> SHA-256, 64 hexadecimal digits.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file has other content; the message names it.
    """
    for name, digest in expected.items():
        found = sha256(path(folder) / name)
        if found != digest:
            raise ValueError(
                f"{path(folder) / name} is damaged or was replaced: expected the "
                f"SHA-256 {digest}. Received: {found}."
            )


@contextlib.contextmanager
def locked(folder: PathLike, worker: str) -> Iterator[None]:
    """Keeps other processes out of a folder during the body.

    The lock ends with its process, also by kill -9; `<folder>/.lock` stays.

    Args:
        folder: it exists.
        worker: what runs there, for the message, such as `process`.

    Raises:
        ValueError: if another process holds the lock.
    """
    with open(path(folder) / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"Another {worker} is using --output_dir={folder}. Wait for it, "
                "or name another folder."
            ) from None
        yield


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _flush(file: pathlib.Path) -> None:
    with open(file, "rb") as stream:
        os.fsync(stream.fileno())


def _check_space(file: pathlib.Path, size: int) -> None:
    """Reserves `size` bytes on the disk of `file` and releases them again."""
    try:
        with open(file, "wb") as stream:
            _reserve(stream.fileno(), size)
    finally:
        file.unlink(missing_ok=True)


def _reserve(descriptor: int, size: int) -> None:
    # macOS has no such call, and some C libraries and file systems refuse it.
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
        else:
            return
    zeros = bytes(min(size, 2**20))
    while size:
        size -= os.write(descriptor, zeros[:size])
