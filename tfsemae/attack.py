"""Attacks a trained autoencoder.

    python -m tfsemae.attack --attack=semantic_shift --model_dir=runs/vanilla
        --attacker_dir=runs/attacker --output_dir=runs/attacked

Writes the adversarial images with labels and indices (adversarial.npz, and a data
set for TFDS), metrics.json, a picture and flags.txt.
"""

import json

from absl import flags

from tfsemae import command_line

flags.DEFINE_enum(
    "attack",
    "semantic_shift",
    ["semantic_shift"],
    "I_a = I + I_s - I_v (Ming 2022, eq. (6)).",
)
flags.DEFINE_string(
    "model_dir", None, "The victim: the --output_dir of its training.", required=True
)
flags.DEFINE_string(
    "attacker_dir",
    None,
    "The attacker: a training run with --decoder_from=<model_dir>.",
    required=True,
)
flags.DEFINE_string("dataset", None, "Data set. Default: that of the victim.")
flags.DEFINE_list(
    "classes",
    None,
    "Attack these classes only, by name or number. Default: those of the victim, or "
    "with --dataset all.",
)
flags.DEFINE_string("split", "test", "Split to attack.")
flags.DEFINE_integer(
    "examples", None, "Number of images, drawn at random. Default: all.", lower_bound=1
)
flags.DEFINE_integer("batch_size", 100, "Images at a time.", lower_bound=1)
flags.DEFINE_integer(
    "seed", 0, "Of the draw of --examples and of the noise.", lower_bound=0
)
flags.DEFINE_integer(
    "threads",
    0,
    "Threads of TensorFlow, 0 for its own choice; the last bits depend on it.",
    lower_bound=0,
)
flags.DEFINE_string("output_dir", None, "Everything of one attack.", required=True)
flags.adopt_module_key_flags(command_line)


def main() -> None:
    """Attacks as the flags say and prints what was measured."""
    from tfsemae.training import attacking  # after parsing: --help stays quick

    settings = command_line.read(attacking.Settings)
    print(json.dumps(attacking.attack(settings), indent=2))


if __name__ == "__main__":
    command_line.run(main)
