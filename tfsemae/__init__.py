"""Autoencoders and adversarial robustness: five source documents in Keras 3.

The packages are `data`, `models`, `training`, `evaluation`, `attacks`, `metrics`,
`statistics` and `reports`; each is imported by its own name, so that
`import tfsemae` costs nothing.
"""

__version__ = "0.1.0"
