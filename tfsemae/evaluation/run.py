"""The evaluation of a finished training run."""

import pathlib

from tfsemae import devices, keras_state, run_folder
from tfsemae.evaluation import autoencoder, loading
from tfsemae.evaluation.settings import Settings
from tfsemae.models.autoencoder import Autoencoder


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> run_folder.Metrics:
    """Evaluates in a folder that is locked; see `evaluation.evaluate_run`."""
    devices.set_threads(settings.run.threads)
    network = Autoencoder.load(settings.run.model_dir)
    images, reference = loading.evaluated(settings)
    digests = {"images": images.digest(), "reference": reference.digest()}
    run_folder.check_inputs(folder, {"network": network.digest(), **digests})
    return autoencoder.evaluate(
        network, images, reference, output_dir=folder, seed=settings.run.seed
    )
