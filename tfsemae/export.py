"""Makes the SavedModel of an earlier run again.

    python -m tfsemae.export --model_dir=runs/mnist

It is written to <model_dir>/saved_model and has the endpoints encode, decode,
reconstruct (also serving_default) and, of a semantic autoencoder, classify.
"""

import pathlib

from absl import flags

from tfsemae import command_line

flags.DEFINE_string("model_dir", None, "The --output_dir of training.", required=True)


def main() -> None:
    """Writes the SavedModel and prints its folder."""
    from tfsemae import models
    from tfsemae.models import saved_model  # after parsing: --help stays quick

    folder = pathlib.Path(flags.FLAGS.model_dir)
    saved_model.export(models.Autoencoder.load(folder), folder / "saved_model")
    print(folder / "saved_model")


if __name__ == "__main__":
    command_line.run(main)
