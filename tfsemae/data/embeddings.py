"""Embeddings of classes that another model made, from a file of numbers."""

import warnings

import numpy as np

from tfsemae import files, npz

_REMEDY = (
    "Write a row of numbers for each class, as text or by np.save(path, embeddings)."
)


def class_embeddings(path: files.PathLike, classes: int) -> np.ndarray:
    """Reads a vector for each class, such as CLIP has for their names.

    Args:
        path: `.npy`, `.npz` with one array, or text in UTF-8 with a line per class,
            numbers separated by spaces; `~` is expanded. Pickles are never loaded.
        classes: C, the number of rows, in the order of the labels.

    Returns:
        float64 `[C, E]`.

    Raises:
        ValueError: if the file cannot be read, or does not hold C vectors of finite
            numbers that are not zero.
    """
    found = _read(path)
    if found.shape[:1] != (classes,) or found.ndim != 2 or not found.size:
        raise ValueError(
            f"{path} must hold a matrix with a row for each of the {classes} classes. "
            f"Received: shape={found.shape}."
        )
    numbers = np.issubdtype(found.dtype, np.floating) or np.issubdtype(
        found.dtype, np.integer
    )
    if not numbers or not np.isfinite(found).all():
        what = "one that is not finite" if numbers else f"dtype={found.dtype}"
        raise ValueError(f"{path} must hold finite numbers. Received: {what}.")
    found = found.astype(np.float64)
    zero = np.flatnonzero(~found.any(axis=1))
    if len(zero):
        raise ValueError(
            f"{path}: a row must not be zero, since it has no direction. "
            f"Received: row {zero[0]} of zeros."
        )
    return found


def _read(path: files.PathLike) -> np.ndarray:
    kind = files.path(path).suffix
    if kind == ".npz":
        with npz.opened(path, argument="path", remedy=_REMEDY) as file:
            arrays = {name: file[name] for name in file.files}
        if len(arrays) != 1:
            raise ValueError(
                f"{path} must hold one array. Received: {', '.join(arrays) or 'none'}."
            )
        return next(iter(arrays.values()))
    try:
        if kind == ".npy":
            return np.load(files.path(path), allow_pickle=False)
        with warnings.catch_warnings():  # of an empty file, which is refused
            warnings.simplefilter("ignore")
            return np.loadtxt(files.path(path), encoding="utf-8", ndmin=2)
    except FileNotFoundError as error:
        message = f"There is no such file. Received: path={str(path)!r}. {_REMEDY}"
        raise ValueError(message) from error
    except (OSError, EOFError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ValueError(f"{path} cannot be read: {reason}. {_REMEDY}") from error
