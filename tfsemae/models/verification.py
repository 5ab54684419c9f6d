"""Whether saved networks are what was written. Free of Keras and TensorFlow.

Keras reads a `.keras` file in parts and does not always compare the checksums of
the archive: changed weights may load without an error. Each file is therefore
recorded with its SHA-256, which is checked before Keras or TensorFlow read it.
"""

import dataclasses
import json
import pathlib
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tfsemae import files

PARTS = (
    *("encoder", "decoder", "classifier", "log_variance", "pixel_log_variance"),
    "sampled_posterior",
)
DESCRIPTION = "autoencoder.json"
CLASSIFIER_DESCRIPTION = "classifier.json"
GAN_DESCRIPTION = "gan.json"
GAN_PARTS = ("generator", "discriminator")
RECOGNISER_DESCRIPTION = "recogniser.json"
RECOGNISER_PARTS = ("listener", "speller")
#: In the folder of a SavedModel; TensorFlow ignores it.
MANIFEST = "sha256.json"

T = TypeVar("T", bound="Description")

_CLASSIFIER = ("classifier",)
#: Description -> parts that it must name, and those that it may name.
_PARTS_OF = {
    DESCRIPTION: (PARTS[:2], PARTS),
    CLASSIFIER_DESCRIPTION: (_CLASSIFIER, _CLASSIFIER),
    GAN_DESCRIPTION: (GAN_PARTS, GAN_PARTS),
    RECOGNISER_DESCRIPTION: (RECOGNISER_PARTS, RECOGNISER_PARTS),
}
_REMEDY = "Train it again, or run the training command again to finish it."


@dataclasses.dataclass(frozen=True)
class Description:
    """What `autoencoder.json` says.

    Attributes:
        parts: names of the networks, of `PARTS`.
        image_shape: (H, W, C).
        class_names: of the classifier, or what is spelled; empty without.
        sha256: name of a file -> 64 hexadecimal digits; empty in descriptions
            of versions that recorded none.
        weights: the `digest` of the networks, which other files of the same weights
            share; "" in descriptions of versions that recorded none.
    """

    parts: tuple[str, ...]
    image_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    sha256: dict[str, str]
    weights: str = ""

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"


@dataclasses.dataclass(frozen=True)
class ClassifierDescription(Description):
    """What `classifier.json` says; its one part is `classifier`.

    Attributes:
        features_layer: name of the layer whose output are the features.
    """

    features_layer: str = ""


def is_classifier(model_dir: files.PathLike) -> bool:
    """Whether a folder holds a classifier of images, not an autoencoder."""
    return (files.path(model_dir) / CLASSIFIER_DESCRIPTION).is_file()


def is_gan(model_dir: files.PathLike) -> bool:
    """Whether a folder holds a generator and a discriminator."""
    return (files.path(model_dir) / GAN_DESCRIPTION).is_file()


def is_recogniser(model_dir: files.PathLike) -> bool:
    """Whether a folder holds a listener and a speller."""
    return (files.path(model_dir) / RECOGNISER_DESCRIPTION).is_file()


def verify(model_dir: files.PathLike) -> Description:
    """Checks whichever networks the folder holds."""
    if is_gan(model_dir):
        return verify_gan(model_dir)
    if is_recogniser(model_dir):
        return verify_recogniser(model_dir)
    if is_classifier(model_dir):
        return verify_classifier(model_dir)
    return verify_autoencoder(model_dir)


def verify_autoencoder(model_dir: files.PathLike) -> Description:
    """Checks the files that `Autoencoder.save` wrote by their digests.

    Without digests, in folders of earlier versions, the checksums of the
    archives are checked instead.

    Args:
        model_dir: the folder.

    Returns:
        The description of the networks.

    Raises:
        ValueError: if there is no finished model or a damaged one; the message
            names the file.
    """
    if is_classifier(model_dir):
        raise ValueError(
            f"{files.path(model_dir)} holds a classifier, where an autoencoder is "
            "needed. Name the --output_dir of the training of an autoencoder."
        )
    if is_gan(model_dir):
        raise ValueError(
            f"{files.path(model_dir)} holds a generator without an encoder, where an "
            "autoencoder is needed. Name the --output_dir of a training without "
            "--gan_loss."
        )
    if is_recogniser(model_dir):
        raise ValueError(
            f"{files.path(model_dir)} holds a recogniser, where an autoencoder is "
            "needed. Name the --output_dir of the training of an autoencoder."
        )
    return _verified(files.path(model_dir), DESCRIPTION, _described)


def verify_classifier(model_dir: files.PathLike) -> ClassifierDescription:
    """Checks the files that `Classifier.save` wrote by their digests.

    Args:
        model_dir: the folder.

    Returns:
        The description of the network.

    Raises:
        ValueError: see `verify_autoencoder`.
    """
    folder = files.path(model_dir)
    if (folder / DESCRIPTION).is_file():
        raise ValueError(
            f"{folder} holds an autoencoder, where a classifier is needed. Name the "
            "--output_dir of a training such as with --model=conv_classifier."
        )
    return _verified(folder, CLASSIFIER_DESCRIPTION, _described_classifier)


def verify_gan(model_dir: files.PathLike) -> Description:
    """Checks the files that `Gan.save` wrote by their digests.

    Args:
        model_dir: the folder.

    Returns:
        The description of the networks.

    Raises:
        ValueError: see `verify_autoencoder`.
    """
    return _verified_parts(model_dir, GAN_DESCRIPTION)


def verify_recogniser(model_dir: files.PathLike) -> Description:
    """Checks the files that `Recogniser.save` wrote by their digests.

    Args:
        model_dir: the folder.

    Returns:
        The description of the networks.

    Raises:
        ValueError: see `verify_autoencoder`.
    """
    return _verified_parts(model_dir, RECOGNISER_DESCRIPTION)


def _verified_parts(model_dir: files.PathLike, name: str) -> Description:
    """What `_verified` does, of a description that lists its parts."""
    return _verified(files.path(model_dir), name, lambda value: _described(value, name))


def recorded_weights(model_dirs: Mapping[str, files.PathLike]) -> dict[str, str]:
    """What `run_folder.check_inputs` compares of networks that a run takes.

    Args:
        model_dirs: name -> folder; not verified.

    Returns:
        Name -> digest of the weights as described; without those of folders that are
        gone, and of versions that recorded none.

    Raises:
        ValueError: if a description is damaged.
    """
    found = {}
    for name, model_dir in model_dirs.items():
        for file in _PARTS_OF:
            path = files.path(model_dir) / file
            if path.is_file():
                found[name] = _recorded(path).weights
                break
    return {name: digest for name, digest in found.items() if digest}


def _recorded(path: pathlib.Path) -> Description:
    try:
        return _described(json.loads(path.read_bytes()), path.name)
    except ValueError as error:
        raise ValueError(
            f"The model in {path.parent} is damaged ({path.name}: {error}). {_REMEDY}"
        ) from error


def verify_saved_model(path: files.PathLike) -> None:
    """Checks the files of a SavedModel that `saved_model.export` wrote.

    A SavedModel without digests, of an earlier version, is only checked for its
    graph, `saved_model.pb`.

    Args:
        path: the folder.

    Raises:
        ValueError: if a file is missing or has other content; the message names
            it.
    """
    folder = files.path(path)
    try:
        expected = {}
        if (folder / MANIFEST).exists():
            expected = _digests(json.loads((folder / MANIFEST).read_bytes()))
        files.check_sha256(folder, expected)
        if not (folder / "saved_model.pb").is_file():
            raise ValueError("saved_model.pb is missing")
    except FileNotFoundError as error:
        raise ValueError(
            f"The SavedModel in {folder} is damaged ({error.filename} is missing). "
            "Export it again."
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(
            f"The SavedModel in {folder} is damaged ({error}). Export it again."
        ) from error


def _verified(folder: pathlib.Path, file: str, read: Callable[[Any], T]) -> T:
    if folder.is_file():
        raise ValueError(
            f"{folder} is a file. Name the folder of a finished training run, its "
            "--output_dir."
        )
    try:
        description = read(json.loads((folder / file).read_bytes()))
        names = [f"{part}.keras" for part in description.parts]
        files.check_sha256(folder, description.sha256)
        for name in set(names) - set(description.sha256):
            _check_archive(folder / name)
    except FileNotFoundError as error:
        remedy = "Name the --output_dir of a finished training run."
        if (folder / "saved_model.pb").is_file():
            remedy += (
                " A SavedModel by itself is audited by tfsemae.audit --model, and "
                "attacked by the classes of tfsemae.attacks."
            )
        raise ValueError(
            f"There is no finished model in {folder}: {error.filename} is missing. "
            f"{remedy}"
        ) from error
    except OSError as error:
        raise ValueError(
            f"The model in {folder} cannot be read ({error.strerror}: "
            f"{error.filename}). Correct the permissions."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"The model in {folder} is damaged ({error}). {_REMEDY}"
        ) from error
    return description


def _described(value: Any, file: str = DESCRIPTION) -> Description:
    if not isinstance(value, dict):
        raise ValueError(f"{file} holds no object")
    for key in ("parts", "image_shape", "class_names"):
        if not isinstance(value.get(key), list):
            raise ValueError(f"{file} has no list {key!r}")
    needed, known = _PARTS_OF[file]
    missing = [name for name in needed if name not in value["parts"]]
    unknown = [name for name in value["parts"] if name not in known]
    if missing or unknown:
        raise ValueError(
            f"the parts in {file} lack {missing} and have the unknown {unknown}"
        )
    return Description(
        parts=tuple(value["parts"]),
        image_shape=tuple(value["image_shape"]),
        class_names=tuple(value["class_names"]),
        sha256=_digests(value.get("sha256", {})),
        weights=str(value.get("weights", "")),
    )


def _described_classifier(value: Any) -> ClassifierDescription:
    found = _described(value, CLASSIFIER_DESCRIPTION)
    layer = value.get("features_layer")
    if not isinstance(layer, str):
        raise ValueError(f"{CLASSIFIER_DESCRIPTION} has no text 'features_layer'")
    return ClassifierDescription(**vars(found), features_layer=layer)


def _digests(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("the digests are no object")
    return value


def _check_archive(path: pathlib.Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ValueError(f"{path}: {error}") from error
    if damaged is not None:
        raise ValueError(f"{path}: the checksum of {damaged} is not the recorded one")
