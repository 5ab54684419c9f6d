"""Data sets: from a name to typed arrays and a deterministic `tf.data`.

The public names are resolved when they are first used, so that a command line
can import `tfsemae.data.catalogue` without importing TensorFlow.
"""

import importlib
from typing import Any

_HOMES = {
    "Images": "tfsemae.data.images",
    "batches": "tfsemae.data.batching",
    "load": "tfsemae.data.loading",
    "select": "tfsemae.data.images",
    "split_off": "tfsemae.data.images",
    "splits": "tfsemae.data.loading",
    "take": "tfsemae.data.images",
}

__all__ = ["Images", "batches", "load", "select", "split_off", "splits", "take"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
