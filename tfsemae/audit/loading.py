"""The model and the images that the flags of an audit name."""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from tfsemae import data, files, npz, run_folder
from tfsemae.audit import custom, given, splitting
from tfsemae.audit.endpoints import Function, Range
from tfsemae.audit.settings import RANGES, Settings
from tfsemae.data import catalogue
from tfsemae.models import Autoencoder, verification
from tfsemae.models.networks import load_model

_SAVED_MODEL = "saved_model.pb"
_CUSTOM = "Name the Python file that defines it by --custom_objects."
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")


def functions(settings: Settings) -> tuple[Function, Function, str]:
    """Encoder, decoder and the name of the model, with that of its endpoints or layer.

    Raises:
        ValueError: if there is no such model, or an endpoint is missing.
    """
    with custom.objects(settings.custom_objects):
        return _functions(settings)


def _functions(settings: Settings) -> tuple[Function, Function, str]:
    if settings.model is None:
        assert settings.encoder is not None  # checked by the settings
        assert settings.decoder is not None
        encode = _part("encoder", settings.encoder, settings.encode_endpoint)
        decode = _part("decoder", settings.decoder, settings.decode_endpoint)
        return encode, decode, f"{settings.encoder} and {settings.decoder}"
    folder = files.path(settings.model)
    if folder.is_file():
        halves = _halves(settings, folder)
        return *halves, f"{settings.model}: {settings.latent_layer}"
    if settings.latent_layer is not None:
        raise ValueError(
            "--latent_layer is of a .keras file. Received: --model="
            f"{settings.model}, which is none."
        )
    if (folder / _SAVED_MODEL).is_file():
        loaded = _saved_model("model", folder)
        names = {
            "encode": settings.encode_endpoint or "encode",
            "decode": settings.decode_endpoint or "decode",
        }
        encode, decode = (
            _endpoint(loaded, flag, name, settings.model)
            for flag, name in names.items()
        )
        return encode, decode, f"{settings.model}: {', '.join(names.values())}"
    if (folder / verification.DESCRIPTION).is_file() or verification.is_classifier(
        folder
    ):
        autoencoder = Autoencoder.load(folder)
        return autoencoder.encoder, autoencoder.decoder, settings.model
    raise ValueError(
        f"--model={settings.model} is neither the --output_dir of a training, nor the "
        f"folder of a SavedModel (with {_SAVED_MODEL}), nor a .keras file."
    )


def _halves(settings: Settings, path: pathlib.Path) -> tuple[Function, Function]:
    """Encoder and decoder of one `.keras` file."""
    whole = load_model(path, remedy=_CUSTOM)
    if settings.latent_layer is None:
        raise ValueError(
            f"--model={path} is one Keras model. Name the layer whose output is the "
            "latent by --latent_layer, or save encoder and decoder on their own. "
            f"Layers: {splitting.layers(whole)}."
        )
    return splitting.split(whole, settings.latent_layer)


def images(settings: Settings, value_range: Range | None) -> tuple[data.Images, str]:
    """The images, in [0, 1], and their name.

    Raises:
        ValueError: if there are none, or not in a known range.
    """
    name, classes = settings.dataset, tuple[str, ...]()
    if name is None:
        assert settings.model is not None  # checked by the settings
        name, found = run_folder.data_set(settings.model, None, None)
        classes = tuple(found)
    path = files.path(name)
    if name not in catalogue.DATA_SETS and path.is_dir():
        return from_folder(path), name
    if catalogue.is_own_file(name) and not classes:
        return _from_file(path, settings.split, value_range), name
    return (
        data.load(
            name,
            settings.split,
            data_dir=settings.data_dir,
            manual_dir=settings.manual_dir,
            classes=classes,
        ),
        f"{name}, {settings.split}",
    )


def stated_range(settings: Settings) -> Range | None:
    """The value range of the flags."""
    return None if settings.value_range is None else RANGES[settings.value_range]


def from_folder(folder: pathlib.Path) -> data.Images:
    """Image files of a folder; its subfolders, if there are any, are the classes.

    Raises:
        ValueError: if there is no image, or they differ in size.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not paths:
        raise ValueError(
            f"--dataset={folder} holds no image ({', '.join(_SUFFIXES)}). Name a "
            "folder of image files, a data set or an .npz file."
        )
    arrays: list[np.ndarray] = []
    for path in paths:
        arrays.append(_pixels(path))
        if arrays[-1].shape != arrays[0].shape:
            raise ValueError(
                f"The images of --dataset={folder} must have one size. Received: "
                f"{arrays[0].shape} of {paths[0].name}, {arrays[-1].shape} of "
                f"{path.name}."
            )
    classes = [path.relative_to(folder).parts[0] for path in paths]
    if any(path.parent == folder for path in paths):
        return data.Images(np.stack(arrays), None, ())
    names, labels = np.unique(classes, return_inverse=True)
    return data.Images(np.stack(arrays), labels.astype(np.int64), tuple(names.tolist()))


def _pixels(path: pathlib.Path) -> np.ndarray:
    """uint8 `[H, W, C]` of an image file of 1, 8 or 16 bits."""
    try:
        with Image.open(path) as image:
            if image.mode in ("I", "F"):
                raise ValueError(
                    f"{path} has pixels of 32 bits, whose range is not known. Save it "
                    "with 8 or 16 bits."
                )
            if image.mode.startswith("I;16"):  # Pillow would clip them to 255
                array = np.rint(np.asarray(image) / 257).astype(np.uint8)
            else:
                grey = image.mode in ("1", "L")
                array = np.asarray(image.convert("L" if grey else "RGB"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error
    return array[..., np.newaxis] if array.ndim == 2 else array


def _from_file(
    path: pathlib.Path, split: str, value_range: Range | None
) -> data.Images:
    """Of an `.npz`; `test_images` for the split test where there are such."""
    with npz.opened(path, argument="dataset") as file:
        names = ("images", "labels")
        if split == "test" and "test_images" in file.files:
            names = ("test_images", "test_labels")
        if names[0] not in file.files:
            raise ValueError(
                f"{path} must hold the array `images` or `test_images`. Received: "
                f"{', '.join(file.files) or 'no array'}."
            )
        array = file[names[0]]
        labels = file[names[1]] if names[1] in file.files else None
    return given.images(array, labels, value_range)


def _part(flag: str, name: str, endpoint: str | None) -> Function:
    """A `.keras` file or a SavedModel."""
    path = files.path(name)
    if (path / _SAVED_MODEL).is_file():
        loaded = _saved_model(flag, path)
        return _endpoint(loaded, flag[:-1], endpoint or "serving_default", name)
    if not path.is_file():
        raise ValueError(
            f"--{flag}={name} is neither a .keras file nor the folder of a SavedModel."
        )
    return load_model(path, remedy=_CUSTOM)


def _saved_model(flag: str, path: pathlib.Path) -> Any:
    try:
        return tf.saved_model.load(str(path))
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"--{flag}={path} cannot be loaded: {reason}") from error


def _endpoint(loaded: Any, role: str, name: str, path: str) -> Callable:
    """A function of a SavedModel by its name, of one tensor."""
    signatures = getattr(loaded, "signatures", {})
    function = getattr(loaded, name, None)
    if callable(function):
        return _kept(loaded, function)
    if name not in signatures:
        raise ValueError(
            f"The SavedModel {path} has no endpoint {name!r}. Name another by "
            f"--{role}_endpoint; if there is only that of the whole autoencoder, "
            "export encoder and decoder as two SavedModels, for --encoder and "
            f"--decoder. There are: {', '.join(_endpoints(loaded)) or 'none'}."
        )
    signature = signatures[name]
    arguments = sorted(signature.structured_input_signature[1])  # in no order there
    if len(arguments) != 1:
        raise ValueError(
            f"The endpoint {name!r} of the SavedModel {path} must take one tensor. "
            f"Received: {', '.join(arguments) or 'none'}. Name another by "
            f"--{role}_endpoint."
        )
    (argument,) = arguments
    return _kept(loaded, lambda tensor: signature(**{argument: tensor}))


def _endpoints(loaded: Any) -> list[str]:
    """Signatures and functions; of Keras 2 also the models inside."""
    public = [name for name in dir(loaded) if not name.startswith("_")]
    called = {name for name in public if callable(getattr(loaded, name, None))}
    return sorted(called | set(getattr(loaded, "signatures", {})))


def _kept(loaded: Any, function: Callable) -> Callable:
    """A function that keeps what it was loaded with: its variables live there."""
    call: Any = functools.partial(_first, function, loaded)
    return call


def _first(function: Callable, loaded: Any, tensor: tf.Tensor) -> Any:
    del loaded  # held by the partial function
    return function(tensor)
