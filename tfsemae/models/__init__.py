"""Functional Keras networks of the sources, and what is saved of them.

Keras is imported when a network is first needed: a command line reads only names.
"""

from typing import Any

from tfsemae import keras_state, lazy

_find = lazy.attributes(
    __name__,
    {
        "Autoencoder": "autoencoder",
        "Classifier": "classifier",
        "Gan": "gan",
        "GradientReversal": "gradient_reversal",
        "Recogniser": "recogniser",
        "build": "registry",
        "float64_copy": "precision",
        "load": "loading",
    },
)


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):  # as Python asks for `__path__`
        keras_state.require_tensorflow_backend()
    return _find(name)
