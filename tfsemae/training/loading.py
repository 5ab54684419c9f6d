"""The images of a training run. Free of TensorFlow until a prepared set is read."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from tfsemae import data, files
from tfsemae.training.settings import Settings

if TYPE_CHECKING:
    import numpy as np


def load(settings: Settings, split: str) -> "data.Images":
    """A split of the data set that is trained on.

    Args:
        settings: of the run.
        split: `train` or `test`.

    Raises:
        ValueError: see `data.load`.
    """
    images = data.load(
        settings.data.dataset,
        split,
        data_dir=settings.data.data_dir,
        manual_dir=settings.data.manual_dir,
        classes=settings.data.classes or (),
    )
    return data.binarize(images) if split in (settings.data.binarize or ()) else images


def networks(settings: Settings) -> dict[str, str]:
    """The networks that a training takes: flag -> folder."""
    chosen, fakes = settings.procedure, settings.classifier.fakes
    flags = {
        "decoder_from": chosen.decoder_from,
        "encoder_from": chosen.encoder_from,
        "fakes_from": fakes.fakes_from,
        "fakes_judge": fakes.fakes_judge,
    }
    return {flag: folder for flag, folder in flags.items() if folder}


def check_words_file(settings: Settings) -> None:
    """Raises ValueError if --words_file is no file; nothing is read."""
    path = settings.classifier.scarl.words_file
    if path is not None and not files.path(path).is_file():
        raise ValueError(f"--words_file={path}: there is no such file.")


def words(settings: Settings, class_names: Sequence[str]) -> "np.ndarray":
    """The vectors of the words of classes, or the control that stands for them.

    Args:
        settings: of a run with --procedure=scarl.
        class_names: in the order of the labels.

    Returns:
        float64 `[C, E]`.

    Raises:
        ValueError: if a word is missing, or its vector cannot be used; see
            `data.class_vectors`.
    """
    chosen, count = settings.classifier.scarl, len(class_names)
    if chosen.words == "onehot":
        # Of these vectors only their number counts.
        return data.class_codes([[1.0]] * count, "onehot")
    assert chosen.words_file is not None  # checked
    replacements = {}
    if chosen.word1 is not None:
        if count < 2:
            raise ValueError(
                f"--word1={chosen.word1} names class 1, and there is no such class."
            )
        replacements = {class_names[1]: chosen.word1}
    vectors = data.class_vectors(
        chosen.words_file, class_names, replacements=replacements
    )
    kind = cast(Any, chosen.words)  # one of its choices
    return data.class_codes(vectors, kind, seed=settings.run.seed)


def words_digest(settings: Settings, class_names: Sequence[str]) -> dict[str, str]:
    """Of a run with words their digest, for `run_folder.check_inputs`."""
    if settings.classifier.procedure != "scarl":
        return {}
    vectors = words(settings, class_names)
    return {"words": hashlib.sha256(vectors.tobytes()).hexdigest()}


def digests(settings: Settings) -> dict[str, str]:
    """What `run_folder.check_inputs` records of a run: split -> digest."""
    return {split: load(settings, split).digest() for split in ("train", "test")}
