"""Images as a data set that TensorFlow Datasets (TFDS) reads."""

import shutil

import numpy as np
import tensorflow_datasets as tfds

from tfsemae import files
from tfsemae.data.images import Images

_VERSION = "1.0.0"


def write(
    images: Images,
    indices: np.ndarray,
    data_dir: files.PathLike,
    *,
    name: str,
    split: str,
) -> None:
    """Writes a data set; an earlier one of that name is replaced.

    Its records are `image` (the dtype and range of `images`), `index` and, where
    there are labels, `label`, in order. `tfds.load(name, data_dir=data_dir)` and
    `tfds.builder_from_directory(f"{data_dir}/{name}/1.0.0")` read it, where
    tfsemae is not installed as well.

    Args:
        images: what to write.
        indices: int64 `[N]`, where each image comes from.
        data_dir: folder of data sets, made if it is missing; `~` is expanded.
        name: of the data set, lower case.
        split: the only one, such as `test`; TFDS reserves `all`.

    Raises:
        OSError: if it cannot be written.
    """
    features = {
        "image": tfds.features.Tensor(
            shape=images.images.shape[1:], dtype=images.images.dtype
        ),
        "index": tfds.features.Scalar(dtype=np.int64),
    }
    columns = {"image": images.images, "index": indices}
    if images.labels is not None:
        features["label"] = tfds.features.ClassLabel(names=images.class_names)
        columns["label"] = images.labels
    folder = files.path(data_dir) / name / _VERSION
    if folder.parent.exists():
        shutil.rmtree(folder.parent)
    folder.mkdir(parents=True)
    # Record by record: the functions for whole data sets print on stdout and have a
    # progress bar that is switched off only for the whole process.
    identity = tfds.core.DatasetIdentity(
        name=name,
        version=tfds.core.Version(_VERSION),
        data_dir=str(folder),
        module_name="",
    )
    info = tfds.core.DatasetInfo(
        builder=identity, features=tfds.features.FeaturesDict(features)
    )
    # One file, since TFDS reads several in turns.
    writer = tfds.core.SequentialWriter(info, max_examples_per_shard=len(images))
    writer.initialize_splits([split])
    records = zip(*columns.values(), strict=True)
    writer.add_examples({split: [dict(zip(columns, r, strict=True)) for r in records]})
    writer.close_all()
