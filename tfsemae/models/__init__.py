"""Functional Keras networks of the sources, and how they are saved."""

import importlib
from typing import Any

from tfsemae import keras_state

_MODULES = {"Autoencoder": "autoencoder", "build": "registry"}


def __getattr__(name: str) -> Any:
    # Keras is imported on first use: the command line reads only the names.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    keras_state.require_tensorflow_backend()
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
