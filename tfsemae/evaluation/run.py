"""The evaluation of a finished training run."""

import pathlib

from tfsemae import data, devices, keras_state, run_folder
from tfsemae.evaluation import autoencoder
from tfsemae.evaluation.settings import Settings
from tfsemae.models.autoencoder import Autoencoder


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> run_folder.Metrics:
    """Evaluates in a folder that is locked; see `evaluation.evaluate_run`."""
    devices.set_threads(settings.run.threads)
    network = Autoencoder.load(settings.run.model_dir)
    images = load(settings, settings.data.split)
    reference = images
    if images.labels is not None:
        reference = _reference(settings)
    digests = {"images": images.digest(), "reference": reference.digest()}
    run_folder.check_inputs(folder, {"network": network.digest(), **digests})
    return autoencoder.evaluate(
        network, images, reference, output_dir=folder, seed=settings.run.seed
    )


def load(settings, split: str) -> data.Images:
    """A split of the images that a command names, or of those of the training.

    Args:
        settings: with `data` and `run.model_dir`, of an evaluation or an attack.
        split: which.
    """
    dataset, classes = run_folder.data_set(
        settings.run.model_dir, settings.data.dataset, settings.data.classes
    )
    return data.load(
        dataset,
        split,
        data_dir=settings.data.data_dir,
        manual_dir=settings.data.manual_dir,
        classes=classes,
    )


def _reference(settings: Settings) -> data.Images:
    """What k-NN and linear probe learn from."""
    split = other_split(settings.data.split)
    dataset, _ = run_folder.data_set(
        settings.run.model_dir, settings.data.dataset, settings.data.classes
    )
    if split not in data.splits(dataset):
        raise ValueError(
            f"{dataset} has labels but no split {split}, which classifiers of the "
            "latent learn from. Add it, or leave the labels out to measure the "
            f"reconstruction alone. Received: --split={settings.data.split}."
        )
    return load(settings, split)


def other_split(split: str) -> str:
    """The split that classifiers of the latents learn from."""
    return "test" if split == "train" else "train"
