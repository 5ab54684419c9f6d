"""Measures a trained network on any split of any data set that fits it.

    python -m tfsemae.evaluate --model_dir=runs/mnist --split=test

Prints metrics.json: PSNR and SSIM of the reconstructions, label accuracy, and
how the latent separates the classes; draws reconstructions and a t-SNE map. Of a
classifier of images it prints accuracy and cross-entropy. A second start continues, or
reads what is finished.
"""

from tfsemae import command_line, evaluation

command_line.define(evaluation.Settings)


def main() -> None:
    """Measures as the flags say and prints what was found."""
    settings = command_line.read(evaluation.Settings)
    command_line.show(evaluation.evaluate_run(settings))


if __name__ == "__main__":
    command_line.run(main)
