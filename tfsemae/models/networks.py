"""What the nouns of this package share: Keras models that are checked and saved."""

import contextlib
import hashlib
import pathlib
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence

import keras

from tfsemae import files
from tfsemae.models import verification

Shape = tuple[int, ...]
#: Keras' messages about a class that is not registered; earlier versions try to
#: import its module.
_UNREGISTERED = re.compile(
    r"Could not (?:locate|deserialize) \w+ '([^']+)'(?:\.| because its parent module)"
)


def digest_of(models: Iterable[keras.Model]) -> str:
    """The SHA-256 of all weights: 64 hexadecimal digits."""
    found = hashlib.sha256()
    for model in models:
        for weight in model.get_weights():
            found.update(weight.tobytes())
    return found.hexdigest()


def save_models(
    folder: pathlib.Path,
    file: str,
    models: Mapping[str, keras.Model],
    describe: Callable[[dict[str, str]], verification.Description],
) -> None:
    """Writes models as `.keras` files, and their description.

    Args:
        folder: made if it is missing. An earlier save is replaced when all is
            written, the description last.
        file: name of the description.
        models: name of a file without its suffix -> model.
        describe: name of a file -> SHA-256, to what the description says.

    Raises:
        OSError: if it cannot be written; an earlier save stays.
    """
    with contextlib.ExitStack() as stack:
        # Entered first, and so replaced last.
        described = stack.enter_context(files.replacing(folder / file))
        digests = {}
        for name, model in models.items():
            written = stack.enter_context(files.replacing(folder / f"{name}.keras"))
            model.save(written)
            digests[f"{name}.keras"] = files.sha256(written)
        described.write_text(describe(digests).to_json(), encoding="utf-8")


def checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Class names as a tuple; raises ValueError for one string."""
    if isinstance(class_names, str):  # it would be taken letter by letter
        raise ValueError(
            "`class_names` must be a list such as ['0', '1'], not one string. "
            f"Received: class_names={class_names!r}."
        )
    return tuple(class_names)


def load_model(
    path: pathlib.Path,
    *,
    remedy: str = (
        "Decorate it with keras.saving.register_keras_serializable() and import its "
        "module before the model is loaded."
    ),
) -> keras.Model:
    """Reads a `.keras` file that is whole.

    Args:
        path: of the file.
        remedy: what the message about a custom layer advises.

    Raises:
        ValueError: if it has custom layers that are not registered, or Keras cannot
            load it.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras and h5py raise many of their own
        custom = _UNREGISTERED.search(str(error))
        if custom:
            raise ValueError(
                f"{path} has the custom layer or function {custom[1]!r}. {remedy}"
            ) from error
        reason = textwrap.shorten(str(error), 300, placeholder=" ...")
        raise ValueError(
            f"Keras {keras.__version__} cannot load {path}, which is not damaged: "
            f"{reason}"
        ) from error


def model_ends(
    part: keras.Model, name: str, takes: str, gives: str
) -> tuple[Shape, ...]:
    """Shapes of the input and the output of a model, without the batch.

    Args:
        part: functional or Sequential.
        name: of the argument, for a message.
        takes: what the input is, for a message.
        gives: what the output is.

    Raises:
        ValueError: if it is no such model, or an end is not one float32 tensor that
            leaves the batch size alone open.
    """
    if not isinstance(part, keras.Model):
        raise ValueError(
            f"`{name}` must be a Keras model. Received: {type(part).__name__}."
        )
    # A subclass has no such attributes, nor has a Sequential that is not built.
    if not (hasattr(part, "inputs") and hasattr(part, "outputs")):
        raise ValueError(
            f"`{name}` must be a functional Keras model. Wrap it: {takes} = "
            f"keras.Input(shape); {name} = keras.Model({takes}, model({takes})). "
            f"Received: {type(part).__name__} {part.name!r}."
        )
    if isinstance(part, keras.Sequential):
        tensors = part.inputs[0], part.outputs[0]
    else:  # as they are passed to the model: a tensor, a list or a dictionary
        tensors = part.input, part.output
    for tensor, role in zip(tensors, (takes, gives), strict=True):
        _check_end(tensor, f"`{name}`", role)
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)


def _check_end(tensor: object, name: str, role: str) -> None:
    if not isinstance(tensor, keras.KerasTensor):
        raise ValueError(
            f"{name} must have one input and one output, each a single tensor; select "
            f"the {role} by keras.Model(input, output). Received: "
            f"{type(tensor).__name__} of {len(keras.tree.flatten(tensor))}."
        )
    shape = tuple(tensor.shape)
    if shape[0] is not None or None in shape[1:]:
        raise ValueError(
            f"{name} must leave the batch size open and nothing else: build it on "
            f"keras.Input(shape). Received: {role} of shape {shape}."
        )
    if tensor.dtype != "float32":
        raise ValueError(
            f"{name} must take and give float32: give its input and its last layer "
            f"dtype='float32'. Received: {role} of dtype {tensor.dtype}."
        )


def with_batch(shape: Shape) -> str:
    """A shape with its batch for a message, such as `[B, 3]`."""
    return f"[{', '.join(['B', *map(str, shape)])}]"
