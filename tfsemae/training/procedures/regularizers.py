"""The regularisers of latents by name, as `--regularizer` chooses them.

A new one is a function in `objectives`, a group of options in `training.settings`, and
an entry in `REGULARIZERS`.
"""

import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tfsemae import objectives
from tfsemae.training import draws

Tensors = Mapping[str, tf.Tensor]


class Regularizer(NamedTuple):
    """A loss of the latents of a batch.

    Attributes:
        value: (tensors, options, number of training images) -> scalar. The tensors
            are `latent`, of a variational autoencoder `mean` and `log_variance`, each
            float32 `[B, Z]`, and those of `takes`. The options are its group in the
            settings.
        takes: name -> of Z, how the numbers are drawn that it takes.
        least: images from which it can be computed.
    """

    value: Callable[[Tensors, Any, int], tf.Tensor]
    takes: Mapping[str, Callable[[int], draws.Draw]] = types.MappingProxyType({})
    least: int = 1


def _kl(tensors: Tensors, options: Any, count: int) -> tf.Tensor:
    """Lu 2023, eq. (1)."""
    divergence = objectives.kl_to_standard_normal(
        tensors["mean"], tensors["log_variance"]
    )
    return tf.reduce_mean(divergence)


def _mmd(tensors: Tensors, options: Any, count: int) -> tf.Tensor:
    """Lu 2023, eq. (2)."""
    return objectives.mmd(
        tensors["latent"],
        tensors["prior"],
        kernel=options.mmd_kernel,
        scale=options.mmd_scale,
        unbiased=not options.mmd_biased,
    )


def _shapiro_wilk(tensors: Tensors, options: Any, count: int) -> tf.Tensor:
    """Lu 2023, eq. (3)."""
    latent = tensors["latent"]
    if options.swt_project:
        value = objectives.projected_shapiro_wilk_regularizer(
            latent, seed=tensors["seed"][0]
        )
    else:
        value = objectives.shapiro_wilk_regularizer(latent)
    if options.swt_moments:
        value += objectives.moments_regularizer(latent)
    return value


def _total_correlation(tensors: Tensors, options: Any, count: int) -> tf.Tensor:
    """Lu 2023, section 4.2."""
    parts = objectives.kl_decomposition(
        tensors["latent"], tensors["mean"], tensors["log_variance"], count
    )
    return (
        parts.mutual_information
        + options.total_correlation_weight * parts.total_correlation
        + parts.dimension_wise_kl
    )


REGULARIZERS = {
    "kl": Regularizer(_kl),
    "mmd": Regularizer(_mmd, {"prior": draws.normal}, least=2),
    "shapiro_wilk": Regularizer(
        _shapiro_wilk, {"seed": lambda size: draws.seeds()}, least=3
    ),
    "total_correlation": Regularizer(_total_correlation),
}


class RegularizerLayer(keras.layers.Layer):
    """Gives each example the value of a regulariser, `[B]`: an output to minimise."""

    def __init__(self, value: Callable[[Tensors], tf.Tensor]):
        """Args: value: of the tensors of a batch a scalar."""
        super().__init__(name="regularizer")
        self._value = value

    def call(self, tensors: Tensors) -> tf.Tensor:
        """Applies it; the mean over the batch is the value."""
        return tf.fill(tf.shape(tensors["latent"])[:1], self._value(tensors))
