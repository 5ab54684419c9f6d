"""Dropout whose masks come with the batches, as all random numbers of a step do.

The `Dropout` of Keras counts its calls in a state that checkpoints do not restore; a
run that continues would not equal one that was never stopped.
"""

from collections.abc import Mapping

import keras
import tensorflow as tf

from tfsemae.training import draws


def masks(network: keras.Model) -> dict[str, draws.Draw]:
    """The masks that a step takes.

    Args:
        network: functional, with layers `keras.layers.Dropout`.

    Returns:
        Name of each such layer -> how its mask is drawn, bool `[B, ...]` in the shape
        of what it drops, True where it is kept.
    """
    return {
        layer.name: draws.keep(layer.output.shape[1:], layer.rate)
        for layer in network.layers
        if isinstance(layer, keras.layers.Dropout)
    }


def apply(
    network: keras.Model,
    image: keras.KerasTensor,
    given: Mapping[str, keras.KerasTensor],
) -> keras.KerasTensor:
    """Applies a network, with given masks in place of its dropout.

    Args:
        network: functional; where it has dropout, one layer after the other. All other
            layers are shared with the result.
        image: its input.
        given: name of a layer -> mask; see `masks`.

    Returns:
        Its output. In training what a mask keeps is divided by the share of the kept;
        else masks have no effect.

    Raises:
        ValueError: if the network has dropout and branches.
    """
    if not given:
        return network(image)
    x, before = image, network.input
    for layer in network.layers[1:]:
        if layer.input is not before:
            raise ValueError(
                "A network with dropout must have one layer after the other. "
                f"Received: {layer.name!r}, which takes something else."
            )
        before = layer.output
        if layer.name in given:
            x = _Masked(layer.rate)(x, given[layer.name])
        else:
            x = layer(x)
    return x


class _Masked(keras.layers.Layer):
    """Dropout of a given mask."""

    def __init__(self, rate: float):
        super().__init__()
        self._rate = rate

    def call(
        self, x: tf.Tensor, kept: tf.Tensor, training: bool | None = None
    ) -> tf.Tensor:
        """Divides what is kept by its share."""
        if not training:
            return x
        return tf.where(kept, x / (1 - self._rate), tf.zeros_like(x))
