"""Makes the SavedModel of an earlier run again.

    python -m tfsemae.export --model_dir=runs/mnist

It is written to <model_dir>/saved_model and has the endpoints encode, decode,
reconstruct (also serving_default) and, of a semantic autoencoder, classify; of a
classifier classify (also serving_default) and features.
"""

import dataclasses

from tfsemae import command_line, files, startup
from tfsemae.models import verification
from tfsemae.settings import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What is exported."""

    model_dir: str = setting(help="The --output_dir of training.")


command_line.define(Settings)


def main() -> None:
    """Writes the SavedModel and prints its folder."""
    folder = files.path(command_line.read(Settings).model_dir)
    verification.verify(folder)  # before TensorFlow is imported, which takes seconds
    startup.load_tensorflow()
    from tfsemae import models
    from tfsemae.models import saved_model

    saved_model.export(models.load(folder), folder / "saved_model")
    print(folder / "saved_model")


if __name__ == "__main__":
    command_line.run(main)
