"""Reading of `.npz` files that users give."""

import contextlib
from collections.abc import Iterator

import numpy as np

from tfsemae import files


@contextlib.contextmanager
def opened(
    path: files.PathLike, *, argument: str, remedy: str = ""
) -> Iterator[np.lib.npyio.NpzFile]:
    """Opens a file; what is raised by reading from it becomes one line.

    Pickled objects are never loaded.

    Args:
        path: the file; `~` is expanded.
        argument: that named the file, for the message.
        remedy: the end of the message.

    Raises:
        ValueError: if there is no such file, or it is damaged or of another kind.
    """
    try:
        # Opened here: np.load leaves a file open that it cannot read.
        with files.path(path).open("rb") as stream:
            _check_format(stream.read(6))
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as file:
                yield file
    except FileNotFoundError as error:
        message = f"There is no such file. Received: {argument}={str(path)!r}."
        raise ValueError(f"{message} {remedy}".strip()) from error
    except Exception as error:  # zipfile, zlib and NumPy raise many of their own
        reason = " ".join(str(error).split())
        message = f"{path} is not a readable .npz file of plain arrays: {reason}"
        raise ValueError(f"{message} {remedy}".strip()) from error


def _check_format(start: bytes) -> None:
    if not start:
        raise ValueError("it is empty.")
    if start == b"\x93NUMPY":
        raise ValueError(
            "it is an .npy file, of one array. Write it by np.savez(path, name=array)."
        )
    if not start.startswith(b"PK"):
        raise ValueError(
            "it is no .npz archive, whatever its name says. Write it by "
            "np.savez(path, name=array)."
        )
