"""From a name to images in memory."""

import os
from collections.abc import Sequence

from tfsemae import files
from tfsemae.data import catalogue, digits, moebius, own_file, ring, speech, synthetic
from tfsemae.data.images import Images, class_list, select

_COMPUTED = {
    "digits": digits.load,
    "moebius": moebius.load,
    "ring": ring.load,
    "speech": speech.load,
    "synthetic": synthetic.load,
}


def load(
    name: files.PathLike,
    split: str,
    *,
    data_dir: files.PathLike | None = None,
    manual_dir: files.PathLike | None = None,
    classes: Sequence[str | int] | None = None,
) -> Images:
    """Loads a split of a data set into memory.

    Args:
        name: a key of `catalogue.DATA_SETS`, or the path of an `.npz` file
            (`own_file.load` says what it holds).
        split: `train` or `test`; of `celeb_a` also `validation`.
        data_dir: folder of the data sets that TensorFlow Datasets prepared, or
            is to prepare; by default its own, which is the environment variable
            TFDS_DATA_DIR or else `~/tensorflow_datasets`.
        manual_dir: folder that holds original archives in a folder called
            `name`; what is not prepared is prepared from them.
        classes: of which images are kept, see `select`; None or none for all.

    `~` is expanded in each path.

    Returns:
        The images in a fixed order.

    Raises:
        ValueError: if the name, the split or a class is unknown, or if the data
            are neither prepared nor can be, or are damaged.

    Example:
        >>> from tfsemae import data
        >>> images = data.load("digits", "test")
        >>> images.images.shape, images.images.dtype.name
        ((360, 28, 28, 1), 'uint8')
        >>> len(data.load("digits", "test", classes=["0", "1"]))
        71
    """
    name = os.fspath(name)
    catalogue.check_name(name)
    wanted = [] if classes is None else class_list(classes)
    images = _load(name, split, data_dir, manual_dir)
    return select(images, wanted) if wanted else images


def splits(name: files.PathLike) -> Sequence[str]:
    """The splits of a data set, which need not be prepared.

    Args:
        name: see `load`.

    Returns:
        Such as `("train", "test")`.

    Raises:
        ValueError: if the name is unknown, or a file cannot be read.
    """
    name = os.fspath(name)
    catalogue.check_name(name)
    if catalogue.is_own_file(name):
        return own_file.splits(name)
    return catalogue.DATA_SETS[name].splits


def _load(
    name: str,
    split: str,
    data_dir: files.PathLike | None,
    manual_dir: files.PathLike | None,
) -> Images:
    if catalogue.is_own_file(name):
        return own_file.load(name, split)
    splits = catalogue.DATA_SETS[name].splits
    if split not in splits:
        raise ValueError(
            f"{name} has the splits {', '.join(splits)}. Received: split={split!r}."
        )
    if name in _COMPUTED:
        return _COMPUTED[name](split)
    from tfsemae.data import tfds_sets  # takes seconds

    return tfds_sets.load(name, split, data_dir=data_dir, manual_dir=manual_dir)
