"""Autoencoders and adversarial robustness: five source documents in Keras 3.

The rooms are `data`, `models`, `training`, `metrics` and `reports`; each is
imported by its own name, so that `import tfsemae` costs nothing.
"""

__version__ = "0.1.0"
