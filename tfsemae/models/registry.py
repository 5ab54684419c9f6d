"""The networks by name. Free of Keras, so that the command line can read it."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfsemae.models.autoencoder import Autoencoder

#: Name on the command line -> module with `build(image_shape, class_names, ...)`.
NETWORKS = {"table1": "tfsemae.models.table1"}

#: Of the kernels; see `initializers.Kernels`.
INITIALIZERS = ("glorot_uniform", "he_normal", "lecun_normal", "wide_normal")


def build(name: str, *args: Any, **kwargs: Any) -> "Autoencoder":
    """Builds a network by its name.

    Args:
        name: one of `NETWORKS`.
        *args: passed to the network's own `build`.
        **kwargs: passed to the network's own `build`.

    Returns:
        An `Autoencoder`.

    Raises:
        ValueError: if there is no such network.
    """
    if name not in NETWORKS:
        raise ValueError(
            f"There is no such network; known are {', '.join(NETWORKS)}. "
            f"Received: name={name!r}."
        )
    return importlib.import_module(NETWORKS[name]).build(*args, **kwargs)
