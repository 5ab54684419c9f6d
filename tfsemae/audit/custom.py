"""The custom layers that `.keras` files need, from a Python file."""

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from typing import Any

import keras

from tfsemae import files

_MODULE = "tfsemae_audit_custom_objects"


@contextlib.contextmanager
def objects(path: str | None) -> Iterator[None]:
    """Lets Keras find the classes and functions of a Python file by their names.

    Args:
        path: of the file, which is run; None for nothing.

    Raises:
        ValueError: if there is no such file, or it cannot be run.
    """
    found: dict[str, Any] = {} if path is None else _read(path)
    with keras.saving.custom_object_scope(found):
        yield


def _read(path: str) -> dict[str, Any]:
    file = files.path(path)
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise ValueError(f"--custom_objects={path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # where classes look for their module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the file raises
        raise ValueError(
            f"--custom_objects={path} cannot be run: {type(error).__name__}: {error}"
        ) from error
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == _MODULE
    }
