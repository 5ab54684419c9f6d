"""The data sets known by name. A new one is one entry here.

This module imports neither TensorFlow nor NumPy.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What is known about a data set before any of it is read."""

    summary: str
    splits: tuple[str, ...] = ("train", "test")
    # False: the images come without class labels.
    labelled: bool = True
    # Read and prepared by TensorFlow Datasets, under this name or the same one.
    in_tfds: bool = True
    tfds_name: str | None = None
    # Side of the centred square that is cut out, then of the result, pixels.
    crop: int | None = None
    resize: int | None = None


DATA_SETS = {
    "digits": DataSet(
        "scikit-learn's 8x8 digits, bilinear to 28x28x1; needs no network",
        in_tfds=False,
    ),
    "synthetic": DataSet("Gaussian spots, 28x28x1, computed; for tests", in_tfds=False),
    "moebius": DataSet(
        "points of a Moebius strip, 1x1x3, drawn, no labels",
        labelled=False,
        in_tfds=False,
    ),
    "ring": DataSet("points of 8 normal distributions, 1x1x2, drawn", in_tfds=False),
    "speech": DataSet("spectra of spoken words, 32x36x1, drawn", in_tfds=False),
    "mnist": DataSet("handwritten digits, 28x28x1"),
    "fashion_mnist": DataSet("articles of clothing, 28x28x1"),
    "cifar10": DataSet("ten kinds of objects, 32x32x3"),
    # In the place of faces, which their terms keep from being passed on.
    "cifar10_64": DataSet(
        "CIFAR-10 enlarged to 64x64x3, bilinear", tfds_name="cifar10", resize=64
    ),
    "svhn_cropped": DataSet("house numbers, 32x32x3"),
    # The crop of the autoencoder literature: 148 of 178 x 218 holds the face.
    "celeb_a": DataSet(
        "faces, centre 148x148 reduced to 64x64x3, no labels",
        splits=("train", "validation", "test"),
        labelled=False,
        crop=148,
        resize=64,
    ),
}

OWN_FILE_SUFFIX = ".npz"


def is_own_file(name: str) -> bool:
    """Whether `name` is the path of a user's own `.npz` file, in any case."""
    return name.lower().endswith(OWN_FILE_SUFFIX)


def check_name(name: str) -> None:
    """Refuses what is neither a known name nor the path of an `.npz` file.

    Args:
        name: a key of `DATA_SETS`, or a path that ends in `.npz`; the file
            itself is not looked at.

    Raises:
        ValueError: if `name` is neither.
    """
    if name in DATA_SETS or is_own_file(name):
        return
    raise ValueError(
        f"Unknown data set: expected one of {', '.join(DATA_SETS)}, or the path "
        f"of an {OWN_FILE_SUFFIX} file. Received: name={name!r}."
    )
