"""The semantic attack in an evaluation: its networks, and what is measured of it."""

import numpy as np
import tensorflow as tf

from tfsemae import attacks
from tfsemae.evaluation import attack_registry
from tfsemae.models.autoencoder import Autoencoder


class SemanticShiftAttack:
    """See `attack.Attacking`.

    Source: Ming 2022, section IV.
    """

    def __init__(self, victim: Autoencoder, settings: attack_registry.SemanticShift):
        """Loads the attacker.

        Args:
            victim: e_v and d.
            settings: name the attacker, e_s.

        Raises:
            ValueError: if the two do not share latent and decoder.
        """
        self._victim = victim
        (attacker_dir,) = settings.model_dirs()
        self._attacker = Autoencoder.load(attacker_dir)
        check_pair(victim, self._attacker)

    def digests(self) -> dict[str, str]:
        """See `Attacking`."""
        return {"attacker": self._attacker.digest()}

    def __call__(
        self, pixels: tf.Tensor, normal: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, dict[str, tf.Tensor]]]:
        """Adversarial images, unclipped, and what eqs. (3) and (7) are judged by."""
        encoder = self._victim.encoder
        result = attacks.semantic_shift(
            encoder, self._attacker.encoder, self._victim.decoder, pixels
        )
        way = norm(result.latent - result.target_latent)
        reached = encoder(result.adversarial, training=False)
        again = encoder(result.reconstruction, training=False)
        return result.adversarial, {
            "adversarial": {
                "remaining_distance": norm(reached - result.target_latent) / way
            },
            "clean": {
                "inverse_error": norm(again - result.latent) / norm(result.latent)
            },
        }


def check_pair(victim: Autoencoder, attacker: Autoencoder) -> None:
    """Refuses two autoencoders that do not share latent and decoder.

    Args:
        victim: e_v and d.
        attacker: e_s and, by its weights, the same d.

    Raises:
        ValueError: if the images, latents or decoders differ.
    """
    pairs = {
        "images": (victim.image_shape, attacker.image_shape),
        "latents": (victim.encoder.output_shape[1:], attacker.encoder.output_shape[1:]),
    }
    for name, (expected, received) in pairs.items():
        if expected != received:
            raise ValueError(
                f"--attacker_dir must have {name} of the victim's shape {expected}. "
                f"Received: {received}."
            )
    ours, theirs = victim.decoder.get_weights(), attacker.decoder.get_weights()
    if len(ours) != len(theirs) or not all(map(np.array_equal, ours, theirs)):
        raise ValueError(
            "--attacker_dir has another decoder than --model_dir; the attack needs "
            "one decoder for both. Train the attacker with --decoder_from=<model_dir>."
        )


def norm(values: tf.Tensor) -> tf.Tensor:
    """L2 norm of each example: `[B, ...]` -> `[B]`."""
    return tf.norm(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)
