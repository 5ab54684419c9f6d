"""A user's own images, from an `.npz` file."""

import contextlib
import pathlib
from collections.abc import Container, Iterator

import numpy as np

from tfsemae.data.images import Images

# Names of the arrays that serve each split.
_KEYS = {
    "train": ("images", "labels"),
    "test": ("test_images", "test_labels"),
}
_MOST_CLASSES = 65_536


def load(path: str, split: str) -> Images:
    """Loads a split of an `.npz` file.

    The file holds `images` and, if there are labels, `labels` for the split
    `train`; `test_images` and `test_labels` for the split `test`. Images are
    uint8, or floating point in [0, 1]; labels are whole numbers from 0. Pickled
    objects are never loaded.

    Args:
        path: the file.
        split: `train` or `test`.

    Returns:
        uint8 or float32 `[N, H, W, C]`. The classes are named by their number;
        there are as many as the highest label of the whole file needs.

    Raises:
        ValueError: if the file cannot be read, lacks the split, or holds what
            is not described above.
    """
    arrays = _read(path)
    splits = _splits(arrays)
    if split not in splits:
        raise ValueError(
            f"{path} has the splits {splits} (array `images` for train, "
            f"`test_images` for test). Received: split={split!r}."
        )
    images_key, labels_key = _KEYS[split]
    images = arrays[images_key]
    if np.issubdtype(images.dtype, np.floating):
        with np.errstate(over="ignore"):  # out of range, and refused as such
            images = images.astype(np.float32)
    try:
        if labels_key not in arrays:
            return Images(images, None, ())
        labels = {
            key: _labels(arrays[key]) for _, key in _KEYS.values() if key in arrays
        }
        classes = 1 + max(int(some.max(initial=0)) for some in labels.values())
        return Images(images, labels[labels_key], tuple(map(str, range(classes))))
    except ValueError as error:
        raise ValueError(f"{path}, split {split}: {error}") from error


def splits(path: str) -> list[str]:
    """The splits that an `.npz` file holds; raises where it can not be read."""
    with _opened(path) as file:
        return _splits(file.files)


def _splits(keys: Container[str]) -> list[str]:
    return [name for name, (key, _) in _KEYS.items() if key in keys]


def _read(path: str) -> dict[str, np.ndarray]:
    wanted = {key for keys in _KEYS.values() for key in keys}
    with _opened(path) as file:
        return {key: file[key] for key in file.files if key in wanted}


@contextlib.contextmanager
def _opened(path: str) -> Iterator[np.lib.npyio.NpzFile]:
    try:
        # Opened here: np.load leaves a file open that it cannot read.
        with (
            pathlib.Path(path).expanduser().open("rb") as stream,
            np.load(stream, allow_pickle=False) as file,
        ):
            yield file
    except FileNotFoundError as error:
        raise ValueError(f"There is no such file. Received: name={path!r}.") from error
    except Exception as error:  # zipfile, zlib and NumPy raise many of their own
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} is not a readable .npz file of plain arrays: {reason}"
        ) from error


def _labels(labels: np.ndarray) -> np.ndarray:
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"`labels` must be whole numbers. Received: dtype={labels.dtype}."
        )
    if labels.max(initial=0) >= _MOST_CLASSES:
        raise ValueError(
            f"`labels` must number the classes from 0, at most {_MOST_CLASSES:,} of "
            f"them. Received: {labels.max()}."
        )
    return labels.astype(np.int64)
