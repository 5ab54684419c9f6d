"""The evaluation of a finished training run."""

import pathlib

from tfsemae import devices, files, keras_state, models, run_folder
from tfsemae.evaluation import (
    autoencoder,
    classification,
    fid,
    loading,
    perceptual,
)
from tfsemae.evaluation.classifier_features import ClassifierFeatures
from tfsemae.evaluation.settings import Settings
from tfsemae.models.classifier import Classifier


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> run_folder.Metrics:
    """Evaluates in a folder that is locked; see `evaluation.evaluate_run`."""
    devices.set_threads(settings.run.threads)
    network = models.load(settings.run.model_dir)
    images, reference = loading.evaluated(settings)
    weights_dir = settings.run.weights_dir
    digests = {
        "network": network.digest(),
        "images": images.digest(),
        "reference": reference.digest(),
        "lpips": perceptual.digest(weights_dir),
    }
    features = None
    if settings.run.classifier_dir is not None:
        features = ClassifierFeatures.load(settings.run.classifier_dir)
        digests["classifier"] = features.classifier.digest()
    inception, digests["inception"] = None, "none"
    if settings.run.inception_weights is not None:
        inception = fid.inception(settings.run.inception_weights)
        digests["inception"] = files.sha256(settings.run.inception_weights)
    run_folder.check_inputs(folder, digests)
    if isinstance(network, Classifier):
        return classification.evaluate(network, images, output_dir=folder)
    found = autoencoder.evaluate(
        network,
        images,
        reference,
        output_dir=folder,
        seed=settings.run.seed,
        features=features,
        inception=inception,
        prior=loading.has_prior(settings.run.model_dir),
        weights_dir=weights_dir,
    )
    if inception is not None:
        found["fid_features"] = {
            "weights": digests["inception"],
            "samples": len(images),
        }
    return found
