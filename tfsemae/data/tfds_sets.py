"""The data sets that TensorFlow Datasets (TFDS) prepares and reads.

Importing this module imports TFDS, which takes seconds.
"""

import re

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from tfsemae import files
from tfsemae.data import catalogue, tfds_preparing
from tfsemae.data.images import Images
from tfsemae.data.pipelines import pipeline_options

_READ_AT_ONCE = 1000


def load(
    name: str,
    split: str,
    *,
    data_dir: files.PathLike | None = None,
    manual_dir: files.PathLike | None = None,
) -> Images:
    """Loads a split with TFDS, which prepares the data set if it is not prepared.

    Args:
        name: a key of `catalogue.DATA_SETS` with `in_tfds`.
        split: one of its splits.
        data_dir: folder of prepared data sets, `~` is expanded; None for TFDS'
            own default.
        manual_dir: see `tfds_preparing.prepare`.

    Returns:
        uint8 `[N, H, W, C]`, in the order of the record files.

    Raises:
        ValueError: if the data set is neither prepared nor can be, or if its
            records are damaged.
    """
    builder = _builder(name, data_dir)
    if not builder.data_path.exists():
        tfds_preparing.prepare(builder, manual_dir)
        builder = _builder(name, data_dir)  # reads what has been prepared
    if split not in builder.info.splits:
        raise ValueError(_damaged(builder, f"it has no split {split!r}"))
    try:
        return _read(builder, split, catalogue.DATA_SETS[name])
    except tf.errors.OpError as error:
        # Without the names of TensorFlow's own operations.
        reason = re.sub(r"{{.*?}}|\[Op:.*|\s+", " ", error.message).strip()
        raise ValueError(_damaged(builder, reason)) from error


def _builder(name: str, data_dir: files.PathLike | None) -> tfds.core.DatasetBuilder:
    folder = str(files.path(data_dir)) if data_dir else None
    name = catalogue.DATA_SETS[name].tfds_name or name
    try:
        builder = tfds.builder(name, data_dir=folder)
    except Exception as error:  # TFDS names no class for a broken description
        reason = " ".join(str(error).split())
        raise ValueError(
            f"TFDS cannot open {name} in data_dir={data_dir}: {reason}"
        ) from error
    if str(builder.data_dir_root).startswith("~"):  # it would make a folder `~` here
        raise ValueError(
            f"TFDS keeps {name} in {builder.data_dir_root}, but the home folder is not "
            "known. Name a folder by --data_dir or TFDS_DATA_DIR, or set HOME."
        )
    return builder


def _read(
    builder: tfds.core.DatasetBuilder, split: str, data_set: catalogue.DataSet
) -> Images:
    records = builder.as_dataset(
        split=split,
        shuffle_files=False,
        # One file after the other: the same order on every machine.
        read_config=tfds.ReadConfig(
            options=pipeline_options(), interleave_cycle_length=1, try_autocache=False
        ),
    )
    records = records.map(
        lambda record: {
            "image": crop_and_resize(record["image"], data_set.crop, data_set.resize),
            "label": record["label"] if data_set.labelled else 0,
        },
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    count = builder.info.splits[split].num_examples
    images = np.empty((count, *records.element_spec["image"].shape), np.uint8)
    labels = np.empty(count, np.int64)
    start = 0
    for batch in records.batch(_READ_AT_ONCE).as_numpy_iterator():
        stop = start + len(batch["image"])
        images[start:stop] = batch["image"]
        labels[start:stop] = batch["label"]
        start = stop
    if start != count:
        raise ValueError(_damaged(builder, f"{start} of {count} records of {split}"))
    if not data_set.labelled:
        return Images(images, None, ())
    return Images(images, labels, tuple(builder.info.features["label"].names))


def crop_and_resize(
    image: tf.Tensor, crop: int | None, resize: int | None
) -> tf.Tensor:
    """Cuts out the centred square and resizes it (bilinear, antialiased).

    Args:
        image: uint8 `[H, W, C]`.
        crop: side of the square, pixels, at most H and W; None keeps all.
        resize: side of the result, pixels; None keeps the size.

    Returns:
        uint8 `[resize, resize, C]`, rounded.
    """
    if crop is not None:
        height, width = image.shape[:2]
        top, left = (height - crop) // 2, (width - crop) // 2
        image = image[top : top + crop, left : left + crop]
    if resize is not None:
        image = tf.image.resize(image, [resize, resize], antialias=True)
        image = tf.saturate_cast(tf.round(image), tf.uint8)
    return image


def _damaged(builder: tfds.core.DatasetBuilder, reason: str) -> str:
    return (
        f"{builder.name} in {builder.data_path} is damaged or not complete: {reason}. "
        "Move that folder away, and it is prepared again."
    )
