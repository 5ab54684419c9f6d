"""The semantic attack in an evaluation: its networks, and what is measured of it."""

import numpy as np
import tensorflow as tf

from tfsemae import attacks
from tfsemae.attacks.projections import norms
from tfsemae.evaluation import attack_registry
from tfsemae.evaluation.attacking import Attacked, scaled_to
from tfsemae.models.autoencoder import Autoencoder


class SemanticShiftAttack:
    """See `attacking.Attacking`.

    Source: Ming 2022, section IV.
    """

    def __init__(self, victim: Autoencoder, settings: attack_registry.SemanticShift):
        """Loads the attacker, and the one whose norm its changes take.

        Args:
            victim: e_v and d.
            settings: name the attackers, e_s.

        Raises:
            ValueError: if they do not share latent and decoder with the victim.
        """
        self._victim = victim
        self._attackers = {
            name: Autoencoder.load(folder)
            for name, folder in settings.model_dirs().items()
        }
        for name, attacker in self._attackers.items():
            check_pair(victim, attacker, f"--{name}_dir")

    def digests(self) -> dict[str, str]:
        """See `Attacking`."""
        return {name: each.digest() for name, each in self._attackers.items()}

    def __call__(self, pixels: tf.Tensor, normal: tf.Tensor) -> Attacked:
        """I_a, its target L_s, and the errors of eq. (3) at L_v and at L_s."""
        encoder, decoder = self._victim.encoder, self._victim.decoder
        attacker = self._attackers["attacker"].encoder
        result = attacks.semantic_shift(encoder, attacker, decoder, pixels)
        adversarial = result.adversarial
        scaled = {}
        if "equal_norm" in self._attackers:
            change = adversarial - pixels
            other = self._attackers["equal_norm"].encoder(pixels, training=False)
            # I_v is that of the victim, whoever attacks.
            size = norms(decoder(other, training=False) - result.reconstruction)
            adversarial = pixels + scaled_to(change, size)
            scaled["adversarial"] = {"norm_factor": size / norms(change)}
        again = encoder(result.reconstruction, training=False)
        target_again = encoder(result.target, training=False)
        return Attacked(
            adversarial,
            result.target_latent,
            {
                **scaled,
                "clean": {"inverse_residual": norms(again - result.latent)},
                "target": {
                    "latent": result.target_latent,
                    "inverse_residual": norms(target_again - result.target_latent),
                },
            },
        )


def check_pair(
    victim: Autoencoder, attacker: Autoencoder, flag: str = "--attacker_dir"
) -> None:
    """Refuses two autoencoders that do not share latent and decoder.

    Args:
        victim: e_v and d.
        attacker: e_s and, by its weights, the same d.
        flag: that names the attacker.

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
                f"{flag} must have {name} of the victim's shape {expected}. "
                f"Received: {received}."
            )
    ours, theirs = victim.decoder.get_weights(), attacker.decoder.get_weights()
    if len(ours) != len(theirs) or not all(map(np.array_equal, ours, theirs)):
        raise ValueError(
            f"{flag} has another decoder than --model_dir; the attack needs "
            "one decoder for both. Train the attacker with --decoder_from=<model_dir>."
        )
