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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conv(Checked):
    """Of `conv`, the networks of Lu and Chen 2023."""

    latent: int = setting(
        10, "Of --model=conv: number of entries of the latent.", lower_bound=1
    )
    variational: bool = setting(
        False,
        "Of --model=conv: the encoder gives a distribution, mean and variance, from "
        "which the latent is drawn in training.",
    )
