"""Loads what a training saved, an autoencoder or a classifier."""

from tfsemae import files
from tfsemae.models import verification
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier


def load(model_dir: files.PathLike) -> Autoencoder | Classifier:
    """Reads the networks of a training, after checking their digests.

    Args:
        model_dir: the `--output_dir` of the training.

    Returns:
        What `Autoencoder.save` or `Classifier.save` wrote there.

    Raises:
        ValueError: see `Autoencoder.load`.
    """
    if verification.is_classifier(model_dir):
        return Classifier.load(model_dir)
    return Autoencoder.load(model_dir)
