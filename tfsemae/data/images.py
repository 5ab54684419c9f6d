"""Images in memory with their labels and the names of the classes."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Images of one split, in memory, checked when an instance is made.

    Attributes:
        images: uint8 `[N, H, W, C]`, 0 to 255; or float32 `[N, H, W, C]` in
            [0, 1], for a user's own file that holds fractions.
        labels: int64 `[N]`, indices into `class_names`; None without labels.
        class_names: one name per class; empty without labels.

    Raises:
        ValueError: if a rank, dtype, length or range is not as above, if a
            pixel is NaN or infinite, or if there is no image at all.
    """

    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuses what the class does not describe."""
        _check_images(self.images)
        if self.labels is not None:
            _check_labels(self.labels, len(self.images), len(self.class_names))

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    def digest(self) -> str:
        """The SHA-256 of images, labels and class names: 64 hexadecimal digits.

        Two instances have the same digest if and only if dtype, shape, pixels,
        labels and class names are equal, on every machine. It covers, in this
        order: one line of JSON, `{"images": ["uint8", [N, H, W, C]], "labels":
        true or false, "class_names": [...]}`, ended by a newline; the pixels; the
        labels as int64, both little-endian in C order.

        It reads all pixels at each call, about 0.1 s for MNIST, and is not
        cached, since an array can be changed in place: keep the result.
        """
        header = {
            "images": [self.images.dtype.name, self.images.shape],
            "labels": self.labels is not None,
            "class_names": self.class_names,
        }
        digest = hashlib.sha256(json.dumps(header).encode() + b"\n")
        for array in (self.images, self.labels):
            if array is not None:
                little = array.astype(array.dtype.newbyteorder("<"), copy=False)
                digest.update(np.ascontiguousarray(little).data)
        return digest.hexdigest()


def split_off(images: Images, count: int) -> tuple[Images, Images]:
    """Cuts the last `count` images off, for validation.

    Args:
        images: `N` images.
        count: how many to cut off, 1 to `N - 1`.

    Returns:
        The first `N - count` images and the last `count`, in their order;
        both are views of the same memory.

    Raises:
        ValueError: if `count` leaves one of the two parts empty.
    """
    if not 1 <= count < len(images):
        raise ValueError(
            f"`count` must be at least 1 and leave at least 1 of the "
            f"{len(images)} images. Received: count={count}."
        )
    edge = len(images) - count
    return take(images, slice(None, edge)), take(images, slice(edge, None))


def select(images: Images, classes: Sequence[str | int]) -> Images:
    """Keeps the images of some classes.

    Args:
        images: with labels.
        classes: at least 2, each by its name or, where no class has that name,
            by its number; `7` and `"7"` mean the same.

    Returns:
        The images of these classes in their order; label `k` is now the class
        at position `k` of `classes`, under its own name.

    Raises:
        ValueError: if there are no labels, a class is unknown or named twice,
            fewer than two are named, one has no image, or `classes` is one
            string.
    """
    names = class_list(classes)
    if images.labels is None:
        raise ValueError(
            "`classes` needs a data set with labels. "
            f"Received: classes={','.join(names)}."
        )
    numbers = [_number(name, images.class_names) for name in names]
    if len(numbers) < 2 or len(set(numbers)) < len(numbers):
        raise ValueError(
            "`classes` must name at least 2 classes, each once. "
            f"Received: classes={','.join(names)}."
        )
    found = [images.labels == number for number in numbers]
    empty = [
        name for name, of_class in zip(names, found, strict=True) if not of_class.any()
    ]
    if empty:
        raise ValueError(f"`classes` names classes without images: {', '.join(empty)}.")
    kept = np.any(found, axis=0)
    labels = np.argmax(found, axis=0)[kept].astype(np.int64)
    kept_names = tuple(images.class_names[number] for number in numbers)
    return Images(images.images[kept], labels, kept_names)


def class_list(classes: Sequence[str | int]) -> list[str]:
    """The classes of a request as text.

    Args:
        classes: names or numbers.

    Raises:
        ValueError: if it is one string, which would be taken letter by letter.
    """
    if isinstance(classes, str):
        raise ValueError(
            "`classes` must be a list such as ['0', '1'], not one string. "
            f"Received: classes={classes!r}."
        )
    return [str(name) for name in classes]


def _number(name: str, class_names: tuple[str, ...]) -> int:
    if name in class_names:
        return class_names.index(name)
    if name.isdecimal() and int(name) < len(class_names):
        return int(name)
    raise ValueError(
        f"Unknown class: expected some of {', '.join(class_names)}, or numbers from 0 "
        f"to {len(class_names) - 1}. Received: {name!r}."
    )


def take(images: Images, places: slice | np.ndarray) -> Images:
    """Some of the images, with their labels.

    Args:
        images: with labels or without.
        places: a slice, or int `[M]`.

    Returns:
        The images at these places, in that order.
    """
    labels = None if images.labels is None else images.labels[places]
    return Images(images.images[places], labels, images.class_names)


def binarize(images: Images) -> Images:
    """Makes all pixels black or white.

    Args:
        images: of uint8 or float32 pixels.

    Returns:
        Images of the same type: a pixel is 1 (255 of uint8) where it is above 0.5 of
        [0, 1] (127.5 of uint8), else 0.

    Example:
        >>> import numpy as np
        >>> from tfsemae import data
        >>> grey = data.Images(np.uint8([[[[127], [128]]]]), None, ())
        >>> data.binarize(grey).images.ravel()
        array([  0, 255], dtype=uint8)
    """
    found = images.images
    if found.dtype == np.uint8:
        found = np.where(found > 127, np.uint8(255), np.uint8(0))
    else:
        found = (found > 0.5).astype(np.float32)
    return Images(found, images.labels, images.class_names)


def pixels(images: Images, count: int | None = None) -> np.ndarray:
    """The pixels of the first images, as networks take them.

    Args:
        images: of uint8 or float32 pixels.
        count: of images; None for all.

    Returns:
        float32 `[count, H, W, C]` in [0, 1]; fewer where there are fewer.

    Example:
        >>> import numpy as np
        >>> from tfsemae import data
        >>> black_and_white = np.uint8([[[[0], [255]]], [[[255], [255]]]])
        >>> data.pixels(data.Images(black_and_white, None, ()), 1).ravel()
        array([0., 1.], dtype=float32)
    """
    found = images.images[:count]
    if found.dtype == np.uint8:
        return found.astype(np.float32) / np.float32(255)
    return found


def _check_images(images: np.ndarray) -> None:
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(
            "`images` must have the shape [N, H, W, C], none of them 0; one "
            f"channel is added by images[..., None]. Received: shape={images.shape}."
        )
    if images.dtype == np.uint8:
        return
    if images.dtype != np.float32:
        raise ValueError(
            "`images` must be uint8 (0 to 255) or float32 (0 to 1). "
            f"Received: dtype={images.dtype}."
        )
    low, high = images.min(), images.max()
    # NaN fails every comparison, and min and max pass it on.
    if not (low >= 0 and high <= 1):
        raise ValueError(
            "Floating-point `images` must be finite and within [0, 1]. "
            f"Received: minimum {low}, maximum {high}."
        )


def _check_labels(labels: np.ndarray, count: int, classes: int) -> None:
    if labels.dtype != np.int64:
        raise ValueError(f"`labels` must be int64. Received: dtype={labels.dtype}.")
    if labels.shape != (count,):
        raise ValueError(
            f"`labels` must hold one label for each of the {count} images. "
            f"Received: shape={labels.shape}."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"`labels` must lie within 0 and {classes - 1}, one name for each in "
            f"`class_names`. Received: {labels.min()} to {labels.max()}."
        )
