"""Training of networks. Free of TensorFlow until a run begins."""

import pathlib

from tfsemae import files, run_folder, startup
from tfsemae.data import catalogue
from tfsemae.models import verification
from tfsemae.training import loading
from tfsemae.training.settings import Settings

__all__ = ["Settings", "train"]


def train(settings: Settings) -> run_folder.Metrics:
    """Trains, saves and evaluates a network, or continues to do so.

    A second call with equal settings continues where the first was stopped and
    ends with the same weights, optimizer state and step, bit for bit; of a finished
    run it returns what was measured. More steps extend a finished run.

    Args:
        settings: of the run.

    Returns:
        What was measured on the test set, also written to
        `<output_dir>/metrics.json`.

    Raises:
        ValueError: before the first step, if the settings, the data and the
            folder do not suit each other.
        FloatingPointError: if the loss or a weight is no longer finite.
        OSError: if a file cannot be written; what is finished stays.
    """

    def work(folder: pathlib.Path) -> run_folder.Metrics:
        # Before TensorFlow is imported, which takes seconds.
        loading.check_words_file(settings)
        networks = loading.networks(settings)
        for flag, earlier in networks.items():
            if flag == "fakes_judge":
                verification.verify_classifier(earlier)
            elif flag == "fakes_from" and settings.classifier.fakes.fakes == "cgan":
                verification.verify_gan(earlier)
            else:
                verification.verify_autoencoder(earlier)
        startup.load_tensorflow()
        from tfsemae.training import loop

        return loop.run(settings, folder)

    def unchanged(folder: pathlib.Path) -> None:
        run_folder.check_inputs(
            folder, verification.recorded_weights(loading.networks(settings))
        )
        # An own file may be written anew at any time, and is read in a moment.
        dataset = settings.data.dataset
        if catalogue.is_own_file(dataset) and files.path(dataset).is_file():
            run_folder.check_inputs(folder, loading.digests(settings))
        if settings.classifier.procedure == "scarl":
            _check_words(settings, folder)

    return run_folder.perform(
        settings,
        work,
        resume=settings.run.resume,
        unchanged=unchanged,
        verify=_verify,
    )


def _check_words(settings: Settings, folder: pathlib.Path) -> None:
    """Raises ValueError if a finished run took other words than those of now."""
    try:
        names = verification.verify_classifier(folder).class_names
    except ValueError:  # damaged, which `_verify` says
        return
    run_folder.check_inputs(folder, loading.words_digest(settings, names))


def _verify(folder: pathlib.Path) -> None:
    """Raises ValueError if a finished run lacks a network or has it damaged."""
    verification.verify(folder)
    verification.verify_saved_model(folder / "saved_model")
