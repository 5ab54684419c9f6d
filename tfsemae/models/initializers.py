"""Initial kernels by name, with another seed for each layer."""

import keras
import numpy as np


class Kernels:
    """Makes the initializers of one layer after the other.

    `wide_normal` is a truncated normal of standard deviation 2 / sqrt(fan_in),
    where fan_in counts the inputs of one output: kernel height * width * input
    channels, in a transposed convolution as well. (Keras' own initializers take
    the output channels there, which makes the first layer of a decoder from few
    channels to many start far smaller.) The other names are Keras'.
    """

    def __init__(self, name: str, seed: int):
        """Starts at the first layer.

        Args:
            name: one of `settings.INITIALIZERS`.
            seed: not negative; layers of equal shape do not start alike.
        """
        self._name = name
        self._seeds = np.random.default_rng(seed)

    def __call__(self, fan_in: int) -> keras.Initializer:
        """The initializer of the next layer, which has that many inputs."""
        seed = int(self._seeds.integers(2**31))
        if self._name == "wide_normal":
            return keras.initializers.TruncatedNormal(stddev=2 / fan_in**0.5, seed=seed)
        return type(keras.initializers.get(self._name))(seed=seed)
