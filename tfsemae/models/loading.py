"""Loads what a training saved: an autoencoder, a classifier, a GAN, a recogniser."""

from tfsemae import files
from tfsemae.models import verification
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier
from tfsemae.models.gan import Gan
from tfsemae.models.recogniser import Recogniser


def load(model_dir: files.PathLike) -> Autoencoder | Classifier | Gan | Recogniser:
    """Reads the networks of a training, after checking their digests.

    Args:
        model_dir: the `--output_dir` of the training.

    Returns:
        What `Autoencoder.save`, `Classifier.save`, `Gan.save` or `Recogniser.save`
        wrote there.

    Raises:
        ValueError: see `Autoencoder.load`.
    """
    if verification.is_classifier(model_dir):
        return Classifier.load(model_dir)
    if verification.is_gan(model_dir):
        return Gan.load(model_dir)
    if verification.is_recogniser(model_dir):
        return Recogniser.load(model_dir)
    return Autoencoder.load(model_dir)
