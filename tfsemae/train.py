"""Trains a vanilla or a semantic autoencoder (Ming 2022).

    python -m tfsemae.train --dataset=mnist --semantic --output_dir=runs/mnist

A second start with the same flags continues the run; a finished one is only
read. The folder then holds the networks (.keras and a SavedModel), metrics.json,
pictures, logs, and flags.txt, which runs the same again:

    python -m tfsemae.train --flagfile=runs/mnist/flags.txt
"""

import json

from absl import flags

from tfsemae import command_line
from tfsemae.data import catalogue
from tfsemae.models import registry

flags.DEFINE_string(
    "dataset",
    "mnist",
    f"Data set: {', '.join(catalogue.DATA_SETS)}, or a .npz with images and labels.",
)
flags.DEFINE_list(
    "classes",
    None,
    "Keep these classes only, by name or number; labels are renumbered. Default: all.",
)
flags.DEFINE_string(
    "output_dir",
    None,
    "Everything of one run; a second start continues it.",
    required=True,
)
flags.DEFINE_enum("model", "table1", list(registry.NETWORKS), "The network.")
flags.DEFINE_boolean(
    "semantic", False, "Train a classifier on the code, jointly with the autoencoder."
)
flags.DEFINE_float(
    "semantic_weight",
    0.001,
    "Weight of the classification loss (nats); that of the reconstruction is 1.",
    lower_bound=0.0,
)
flags.DEFINE_boolean(
    "shuffle_labels",
    False,
    "Permute the labels within each mini-batch before the classification loss, "
    "which makes an attacker (Ming 2022, section IV).",
)
flags.DEFINE_string(
    "decoder_from",
    None,
    "Begin with the decoder of this --output_dir, which an attacker shares.",
)
# None, not False: runs from before this flag are continued, whose flags lack it.
flags.DEFINE_boolean(
    "train_decoder", None, "Train the decoder of --decoder_from on; else it is frozen."
)
flags.DEFINE_string(
    "encoder_from", None, "Begin with the encoder of this --output_dir; else afresh."
)
flags.DEFINE_enum(
    "loss",
    "binary_crossentropy",
    ["binary_crossentropy", "mean_squared_error"],
    "Reconstruction loss, mean over pixels.",
)
flags.DEFINE_enum(
    "initializer",
    "wide_normal",
    list(registry.INITIALIZERS),
    "Initial kernels: Keras' own, or wide_normal, a truncated normal of "
    "2/sqrt(inputs of the layer).",
)
flags.DEFINE_integer("steps", 10_000, "Optimizer steps.", lower_bound=1)
flags.DEFINE_integer("batch_size", 32, "Images per step.", lower_bound=1)
flags.DEFINE_float(
    "learning_rate", 0.001, "Adam's initial learning rate.", lower_bound=0.0
)
flags.DEFINE_float(
    "decay_rate",
    0.96,
    "Factor on the learning rate every --decay_steps.",
    lower_bound=0.0,
    upper_bound=1.0,
)
flags.DEFINE_integer(
    "decay_steps", 100, "Steps between two decays of the rate.", lower_bound=1
)
flags.DEFINE_integer(
    "seed",
    0,
    "Of initial weights, order of the data and t-SNE.",
    lower_bound=0,
    upper_bound=2**32 - 1,
)
flags.DEFINE_integer(
    "validation",
    0,
    "Images at the end of the training set that are held out and measured at each "
    "interval.",
    lower_bound=0,
)
flags.DEFINE_integer(
    "checkpoint_every",
    100,
    "Steps of an interval: it ends with a checkpoint and a line in the logs.",
    lower_bound=1,
)
flags.DEFINE_integer(
    "steps_per_execution",
    None,
    "Steps that TensorFlow does in one go. Default: 10 where --steps and "
    "--checkpoint_every are multiples of it, else 1, as under --strategy=mirrored.",
    lower_bound=1,
)
flags.DEFINE_boolean("jit_compile", False, "Compile the step with XLA.")
flags.DEFINE_integer(
    "threads",
    0,
    "Threads of TensorFlow, 0 for its own choice; the last bits depend on it.",
    lower_bound=0,
)
flags.DEFINE_enum(
    "strategy",
    "default",
    ["default", "mirrored"],
    "One device, or each batch split among all of this machine.",
)
flags.DEFINE_boolean(
    "resume", True, "Continue what --output_dir holds; else it must be empty."
)
flags.adopt_module_key_flags(command_line)


def main() -> None:
    """Trains as the flags say and prints what was measured."""
    from tfsemae.training import loop  # after parsing: --help stays quick

    settings = command_line.read(loop.Settings)
    print(json.dumps(loop.train(settings), indent=2))


if __name__ == "__main__":
    command_line.run(main)
