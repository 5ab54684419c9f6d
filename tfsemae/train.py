"""Trains an autoencoder or, with such a --model, a classifier of images.

    python -m tfsemae.train --dataset=mnist --semantic --output_dir=runs/mnist

A second start with the same flags continues the run; a finished one is only read,
and more --steps extend it. The folder then holds the networks (.keras and a
SavedModel), metrics.json, pictures, logs, and flags.txt, with which the same run can
be made in another folder:

    python -m tfsemae.train --flagfile=runs/mnist/flags.txt --output_dir=runs/again
"""

from tfsemae import command_line, training

command_line.define(training.Settings)


def main() -> None:
    """Trains as the flags say and prints what was measured."""
    command_line.show(training.train(command_line.read(training.Settings)))


if __name__ == "__main__":
    command_line.run(main)
