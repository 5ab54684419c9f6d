"""A user's own images, from an `.npz` file."""

from collections.abc import Iterable, Sequence

import numpy as np

from tfsemae import files, npz
from tfsemae.data.images import Images

#: Split -> names of the arrays that hold its images and its labels.
_KEYS = {
    "train": ("images", "labels"),
    "test": ("test_images", "test_labels"),
}
_MOST_CLASSES = 65_536


def load(path: files.PathLike, split: str) -> Images:
    """Loads a split of an `.npz` file.

    The file holds `images` and, if there are labels, `labels` for the split
    `train`; `test_images` and `test_labels` for the split `test`. Images are
    uint8, or floating point in [0, 1]; labels are integers. Pickled objects are
    never loaded.

    Args:
        path: the file; `~` is expanded.
        split: `train` or `test`.

    Returns:
        uint8 or float32 `[N, H, W, C]`. The classes are the different labels of
        the whole file, both splits, in ascending order: label `k` is the class
        at position `k`, whose name is the number in the file, such as "1990".

    Raises:
        ValueError: if the file cannot be read, lacks the split, or holds what
            is not described above; the message names the file and the array.
    """
    names = _names(path)
    _check_split(path, names, split)
    images_key, labels_key = _KEYS[split]
    label_keys = [key for _, key in _KEYS.values() if key in names]
    if labels_key not in names:
        label_keys = []
    arrays = _read(path, [images_key, *label_keys])
    images = _to_images(arrays[images_key], f"{path}: `{images_key}`")
    if not label_keys:
        return Images(images, None, ())
    for key in label_keys:
        _check_labels(arrays[key], f"{path}: `{key}`")
    labels = arrays[labels_key]
    if len(labels) != len(images):
        raise ValueError(
            f"{path}: `{labels_key}` must hold one label for each of the "
            f"{len(images)} images. Received: shape={labels.shape}."
        )
    numbers = _numbers(arrays[key] for key in label_keys)
    if len(numbers) > _MOST_CLASSES:
        raise ValueError(
            f"{path}: the labels must be numbers of classes, at most "
            f"{_MOST_CLASSES:,} of them. Received: {len(numbers):,} different ones."
        )
    return Images(images, _positions(labels, numbers), tuple(map(str, numbers)))


def splits(path: files.PathLike) -> list[str]:
    """The splits that an `.npz` file holds.

    Args:
        path: the file; `~` is expanded.

    Raises:
        ValueError: if it cannot be read.
    """
    return _splits(_names(path))


def _splits(names: Sequence[str]) -> list[str]:
    return [split for split, (key, _) in _KEYS.items() if key in names]


def _check_split(path: files.PathLike, names: Sequence[str], split: str) -> None:
    found = _splits(names)
    if not found:
        raise ValueError(
            f"{path} must hold the array `images` (split train) or `test_images` "
            f"(test). Received: {', '.join(names) or 'no array'}."
        )
    if split not in found:
        raise ValueError(
            f"{path} has the splits {found} (array `images` for train, "
            f"`test_images` for test). Received: split={split!r}."
        )


def _names(path: files.PathLike) -> list[str]:
    with npz.opened(path, argument="name") as file:
        return list(file.files)


def _read(path: files.PathLike, names: Sequence[str]) -> dict[str, np.ndarray]:
    with npz.opened(path, argument="name") as file:
        return {name: file[name] for name in names}


def _to_images(images: np.ndarray, name: str) -> np.ndarray:
    """Checks images and makes floating-point ones float32."""
    if images.ndim != 4 or 0 in images.shape:
        remedy = "; add the channel by images[..., None]" if images.ndim == 3 else ""
        raise ValueError(
            f"{name} must have the shape [N, H, W, C], none of them 0{remedy}. "
            f"Received: shape={images.shape}."
        )
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"{name} must be uint8 (0 to 255) or floating point (0 to 1). Convert "
            f"them, as by {_conversion(images)}. Received: dtype={images.dtype}."
        )
    low, high = images.min(), images.max()
    # NaN fails every comparison, and min and max pass it on.
    if not (low >= 0 and high <= 1):
        remedy = "; divide them by 255" if low >= 0 and 1 < high <= 255 else ""
        raise ValueError(
            f"{name} must be finite and within [0, 1]{remedy}. "
            f"Received: minimum {low}, maximum {high}."
        )
    return images.astype(np.float32)


def _conversion(images: np.ndarray) -> str:
    bytes_ = images.dtype.kind in "iu" and images.min() >= 0 and images.max() <= 255
    return "images.astype(np.uint8)" if bytes_ else "images.astype(np.float32)"


def _check_labels(labels: np.ndarray, name: str) -> None:
    if labels.ndim != 1:
        remedy = ""
        if labels.ndim == 2:
            one_hot = labels.shape[1] > 1
            remedy = "argmax(axis=1), if they are one-hot" if one_hot else "ravel()"
            remedy = f"; convert them by labels.{remedy}"
        raise ValueError(
            f"{name} must have the shape [N], one integer for each image{remedy}. "
            f"Received: shape={labels.shape}."
        )
    if np.issubdtype(labels.dtype, np.integer):
        return
    remedy = "np.unique(labels, return_inverse=True)[1]"
    if labels.dtype.kind == "b" or (
        labels.dtype.kind == "f" and np.array_equal(labels, np.round(labels))
    ):
        remedy = "labels.astype(np.int64)"
    raise ValueError(
        f"{name} must be integers; convert them by {remedy}. "
        f"Received: dtype={labels.dtype}."
    )


def _numbers(arrays: Iterable[np.ndarray]) -> list[int]:
    """The different labels of some arrays, ascending."""
    # As Python's integers: int64 and uint64 together would become float64.
    return sorted({int(number) for array in arrays for number in np.unique(array)})


def _positions(labels: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """The position of each label in `numbers`: int64 `[N]`."""
    position = {number: k for k, number in enumerate(numbers)}
    values, inverse = np.unique(labels, return_inverse=True)
    return np.array([position[int(value)] for value in values], np.int64)[inverse]
