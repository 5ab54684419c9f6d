"""Data sets: from a name to typed arrays and a deterministic `tf.data`; word vectors.

The public names are imported when they are first used, so that a command line can
import `tfsemae.data.catalogue` without importing TensorFlow.
"""

from tfsemae import lazy

_HOMES = {
    "Images": "images",
    "batches": "batching",
    "binarize": "images",
    "class_codes": "word_vectors",
    "class_vectors": "word_vectors",
    "crop_and_flip": "augmentation",
    "load": "loading",
    "nuisance_states": "nuisance",
    "pixels": "images",
    "select": "images",
    "split_off": "images",
    "splits": "loading",
    "take": "images",
    "with_nuisance": "nuisance",
}

__all__ = [
    "Images",
    "batches",
    "binarize",
    "class_codes",
    "class_vectors",
    "crop_and_flip",
    "load",
    "nuisance_states",
    "pixels",
    "select",
    "split_off",
    "splits",
    "take",
    "with_nuisance",
]

__getattr__ = lazy.attributes(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
