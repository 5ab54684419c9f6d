"""The images of a training run. Free of TensorFlow until a prepared set is read."""

from tfsemae import data
from tfsemae.training.settings import Settings


def load(settings: Settings, split: str) -> "data.Images":
    """A split of the data set that is trained on.

    Args:
        settings: of the run.
        split: `train` or `test`.

    Raises:
        ValueError: see `data.load`.
    """
    images = data.load(
        settings.data.dataset,
        split,
        data_dir=settings.data.data_dir,
        manual_dir=settings.data.manual_dir,
        classes=settings.data.classes or (),
    )
    return data.binarize(images) if split in (settings.data.binarize or ()) else images


def networks(settings: Settings) -> dict[str, str]:
    """The networks that a training begins from: flag -> folder."""
    chosen = settings.procedure
    flags = {"decoder_from": chosen.decoder_from, "encoder_from": chosen.encoder_from}
    return {flag: folder for flag, folder in flags.items() if folder}


def digests(settings: Settings) -> dict[str, str]:
    """What `run_folder.check_inputs` records of a run: split -> digest."""
    return {split: load(settings, split).digest() for split in ("train", "test")}
