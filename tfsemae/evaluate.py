"""Measures a trained autoencoder on any split of any data set that fits it.

    python -m tfsemae.evaluate --model_dir=runs/mnist --split=test

Prints metrics.json: PSNR and SSIM of the reconstructions, label accuracy, and
how the code separates the classes; draws reconstructions and a t-SNE map.
"""

import json

from absl import flags

from tfsemae import command_line

flags.DEFINE_string("model_dir", None, "The --output_dir of training.", required=True)
flags.DEFINE_string("dataset", None, "Data set. Default: that of the training.")
flags.DEFINE_list(
    "classes",
    None,
    "Keep these classes only, by name or number. Default: those of the training, or "
    "with --dataset all.",
)
flags.DEFINE_string("split", "test", "Split to measure on.")
flags.DEFINE_string(
    "output_dir", None, "Default: <model_dir>/evaluation/<dataset>_<split>."
)
flags.DEFINE_integer("seed", 0, "Of t-SNE.", lower_bound=0, upper_bound=2**32 - 1)
flags.adopt_module_key_flags(command_line)


def main() -> None:
    """Measures as the flags say and prints what was found."""
    from tfsemae.training import evaluation  # after parsing: --help stays quick

    values = flags.FLAGS
    found = evaluation.evaluate_run(
        values.model_dir,
        values.split,
        dataset=values.dataset,
        classes=values.classes,
        output_dir=values.output_dir,
        seed=values.seed,
        data_dir=values.data_dir,
        manual_dir=values.manual_dir,
    )
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    command_line.run(main)
