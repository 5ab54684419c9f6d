"""Gaussian noise as an attack in an evaluation."""

import tensorflow as tf

from tfsemae import attacks
from tfsemae.evaluation import attack_registry
from tfsemae.evaluation.attacking import Attacked
from tfsemae.models.autoencoder import Autoencoder


class NoiseAttack:
    """See `attacking.Attacking`."""

    def __init__(self, victim: Autoencoder, settings: attack_registry.Noise):
        """Args: victim: not needed. settings: the norm."""
        del victim
        self._norm = settings.noise_norm

    def digests(self) -> dict[str, str]:
        """See `Attacking`."""
        return {}

    def __call__(self, pixels: tf.Tensor, normal: tf.Tensor) -> Attacked:
        """Images with noise, unclipped; nothing else is measured of it."""
        return Attacked(attacks.gaussian_noise(pixels, normal, self._norm))
