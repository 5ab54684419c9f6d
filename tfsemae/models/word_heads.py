"""Heads that bring features of images and words of classes into one space.

They serve a training and are no part of the classifier. What is kept of them gives the
cosines of an image and all words, for attacks that know them.
"""

import keras
import numpy as np
from keras import layers

from tfsemae import files, keras_state
from tfsemae.models.initializers import Kernels
from tfsemae.models.networks import load_model

WIDTH = 64
HEADS_FILE = "heads.keras"
_RECORD = "heads.json"
_EPSILON, _MOMENTUM = 1e-5, 0.9  # PyTorch's


def build_head(size: int, name: str, *, seed: int) -> keras.Model:
    """Builds a head: 64 units, batch normalisation, ReLU, 64 units.

    Args:
        size: of its input, such as of the features or of a word vector.
        name: of the model.
        seed: of the initial weights.

    Returns:
        A model `[B, size]` -> `[B, 64]`.

    Source: Kuang et al. 2023, released code.
    """
    kernels = Kernels("he_normal", seed)
    given = keras.Input((size,), name=f"{name}_input")
    # He's initialiser finds the inputs by itself.
    x = layers.Dense(WIDTH, kernel_initializer=kernels(1), name=f"{name}_hidden")(given)
    x = layers.BatchNormalization(
        momentum=_MOMENTUM, epsilon=_EPSILON, name=f"{name}_norm"
    )(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.Dense(WIDTH, kernel_initializer=kernels(1), name=f"{name}_code")(x)
    return keras.Model(given, x, name=name)


def cosines(image_head: keras.Model, words: np.ndarray) -> keras.Model:
    """The cosines of the code of an image and those of all words.

    Args:
        image_head: of `build_head`; its weights are shared.
        words: `[C, 64]`, the codes of the words.

    Returns:
        A model of features `[B, D]` -> `[B, C]` in [-1, 1].
    """
    given = keras.Input(image_head.input_shape[1:], name="features")
    unit = layers.UnitNormalization(name="unit")(image_head(given))
    compared = layers.Dense(len(words), use_bias=False, name="words")
    found = keras.Model(given, compared(unit), name="heads")
    norms = np.linalg.norm(words, axis=1, keepdims=True)
    compared.set_weights([(words / norms).T.astype(np.float32)])
    return found


def save(model_dir: files.PathLike, heads: keras.Model) -> None:
    """Writes `cosines` beside a classifier, and its digest.

    Raises:
        OSError: if it cannot be written; an earlier one stays.
    """
    path = files.path(model_dir) / HEADS_FILE
    with files.replacing(path) as written:
        heads.save(written)
        digest = files.sha256(written)
    files.write_json(path.with_name(_RECORD), {"sha256": digest})


def exist(model_dir: files.PathLike) -> bool:
    """Whether a training left heads beside its classifier."""
    return (files.path(model_dir) / HEADS_FILE).is_file()


@keras_state.standard()
def load(model_dir: files.PathLike) -> keras.Model:
    """Reads what `save` wrote, after checking its digest.

    Args:
        model_dir: the `--output_dir` of a training with --procedure=scarl.

    Returns:
        See `cosines`.

    Raises:
        ValueError: if there are no heads, or they are damaged.
    """
    path = files.path(model_dir) / HEADS_FILE
    if not exist(model_dir):
        raise ValueError(
            f"{model_dir} has no projection heads ({HEADS_FILE}), which only a "
            "training with --procedure=scarl leaves. Name such a run."
        )
    record = path.with_name(_RECORD)
    if files.json_or_none(record) != {"sha256": files.sha256(path)}:
        raise ValueError(
            f"{path} is damaged: its sha256 is not that of {record.name}. Run the "
            "training again."
        )
    return load_model(path)
