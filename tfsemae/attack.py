"""Attacks a trained autoencoder.

    python -m tfsemae.attack --attack=semantic_shift --model_dir=runs/vanilla
        --attacker_dir=runs/attacker --output_dir=runs/attacked

Writes the adversarial images with labels and indices (adversarial.npz, and a data
set for TFDS), metrics.json, a picture and flags.txt. A second start continues.
"""

from tfsemae import command_line, evaluation

command_line.define(evaluation.AttackSettings)


def main() -> None:
    """Attacks as the flags say and prints what was measured."""
    settings = command_line.read(evaluation.AttackSettings)
    command_line.show(evaluation.attack_run(settings))


if __name__ == "__main__":
    command_line.run(main)
