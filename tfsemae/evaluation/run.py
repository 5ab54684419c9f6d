"""The evaluation of a finished training run."""

import pathlib

from tfsemae import devices, keras_state, run_folder
from tfsemae.evaluation import autoencoder, loading, perceptual
from tfsemae.evaluation.settings import Settings
from tfsemae.models.autoencoder import Autoencoder


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> run_folder.Metrics:
    """Evaluates in a folder that is locked; see `evaluation.evaluate_run`."""
    devices.set_threads(settings.run.threads)
    network = Autoencoder.load(settings.run.model_dir)
    images, reference = loading.evaluated(settings)
    weights_dir = settings.run.weights_dir
    digests = {
        "network": network.digest(),
        "images": images.digest(),
        "reference": reference.digest(),
        "lpips": perceptual.digest(weights_dir),
    }
    run_folder.check_inputs(folder, digests)
    return autoencoder.evaluate(
        network,
        images,
        reference,
        output_dir=folder,
        seed=settings.run.seed,
        prior=loading.has_prior(settings.run.model_dir),
        weights_dir=weights_dir,
    )
