"""Functional Keras networks of the sources, and what is saved of them.

Keras is imported when a network is first needed: a command line reads only names.
"""

from tfsemae import lazy

__getattr__ = lazy.attributes(
    __name__, {"Autoencoder": "autoencoder", "build": "registry"}
)
