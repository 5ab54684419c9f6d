"""The options of each family of networks, the only place where they are defined.

This module imports neither Keras nor TensorFlow, so that `--help` is quick.
"""

import dataclasses

from tfsemae.settings import Checked, setting

INITIALIZERS = ("glorot_uniform", "he_normal", "lecun_normal", "wide_normal")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table1(Checked):
    """Of `table1`, the networks of Ming 2022."""

    initializer: str = setting(
        "wide_normal",
        "Initial kernels: Keras' own, or wide_normal, a truncated normal of "
        "2/sqrt(inputs of the layer).",
        choices=INITIALIZERS,
    )
