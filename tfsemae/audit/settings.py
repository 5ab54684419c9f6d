"""The settings of an audit. Free of TensorFlow."""

import dataclasses
import math
from collections.abc import Sequence

from tfsemae import files
from tfsemae.data import catalogue
from tfsemae.settings import setting
from tfsemae.shared_settings import Places, Threads, Weights

#: Name -> (low, high) of the pixels that a model takes.
RANGES = {"0,1": (0.0, 1.0), "-1,1": (-1.0, 1.0), "0,255": (0.0, 255.0)}
_DAMAGES = ("ssim", "psnr", "mse", "lpips")
_FIGURES = ("ssim", "psnr", "mse", "lpips", "perturbation")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(Places, Threads, Weights):
    """What is audited, and how; each setting is the flag of its name."""

    model: str | None = setting(
        None,
        "The autoencoder: the --output_dir of a training, the folder of a SavedModel, "
        "or a .keras file, with --latent_layer.",
    )
    encoder: str | None = setting(
        None, "In place of --model: a .keras file or a SavedModel, with --decoder."
    )
    decoder: str | None = setting(
        None, "In place of --model: a .keras file or a SavedModel, with --encoder."
    )
    encode_endpoint: str | None = setting(
        None,
        "Endpoint of a SavedModel, image -> latent. Default: encode; of --encoder "
        "serving_default.",
    )
    decode_endpoint: str | None = setting(
        None,
        "Endpoint of a SavedModel, latent -> image. Default: decode; of --decoder "
        "serving_default.",
    )
    latent_layer: str | None = setting(
        None,
        "Layer of the .keras file of --model whose output is the latent; of a model "
        "inside the model its name.",
    )
    custom_objects: str | None = setting(
        None,
        "Python file with the custom layers and functions of .keras files, registered "
        "or not; it is run first.",
    )
    latent_output: str | None = setting(
        None, "Which of several outputs of the encoder is the latent: number or name."
    )
    value_range: str | None = setting(
        None,
        "Range of the pixels that the model takes and gives. Default: the one in which "
        "it reconstructs best, which is said.",
        choices=tuple(RANGES),
    )
    dataset: str | None = setting(
        None,
        "Images: a data set, an .npz file, or a folder of image files, of which "
        "subfolders are classes. Default: those of the training.",
    )
    split: str = setting("test", "Split of a data set or an .npz file.")
    damage: str = setting(
        "ssim:0.5",
        "What a perturbation has to do to the reconstruction: ssim:0.5, psnr:20, "
        "mse:0.02 or lpips:0.5.",
    )
    budget_minutes: float = setting(
        5.0,
        "Time for all, minutes. Images, restarts, steps and queries are cut to keep "
        "within it; what is cut is said, and how long the least takes if that is more.",
        lower_bound=0.1,
    )
    examples: int | None = setting(
        None,
        "Number of images, drawn at random. Default: as many as the time allows.",
        lower_bound=1,
    )
    restarts: int | None = setting(
        None,
        "Random points of the strong attack. Default: 3, down to 1 if time is short.",
        lower_bound=1,
    )
    steps: int | None = setting(
        None,
        "Steps of the strong attack from its best point. Default: 20, down to 5 if "
        "time is short.",
        lower_bound=1,
    )
    batch_size: int = setting(
        100,
        "Images at a time; no figure depends on it.",
        lower_bound=1,
        identity=False,
    )
    seed: int = setting(
        0, "Of the draw of images and of all noise.", lower_bound=0, upper_bound=2**31
    )
    anomaly_label: str | None = setting(
        None, "Class whose images are anomalies, to measure how well they are found."
    )
    compare: tuple[str, ...] | None = setting(
        None,
        "Folders of finished audits of the same images, to show side by side; nothing "
        "else is audited.",
    )
    fail_above: tuple[str, ...] | None = setting(
        None,
        "Exit status 3 where a figure is above a bound, such as latent_ssim:0.2, the "
        "loss of SSIM under attack of 0.1 standard deviations.",
        identity=False,
    )
    fail_below: tuple[str, ...] | None = setting(
        None,
        "Exit status 3 where a figure is below a bound, such as "
        "latent_perturbation:0.3, the median smallest one in standard deviations.",
        identity=False,
    )
    output_dir: str = setting(
        help="Everything of one audit; a second start continues it.", identity=False
    )

    def __post_init__(self) -> None:
        """Checks what is known without the model.

        Raises:
            ValueError: if flags are missing or exclude each other.
        """
        super().__post_init__()
        for flag, texts in (("above", self.fail_above), ("below", self.fail_below)):
            bounds(flag, texts or ())
        if stated_damage(self.damage)[0] == "lpips" and self.weights_dir is None:
            raise ValueError(
                "--weights_dir is missing: it names the weights of LPIPS. "
                f"Received: --damage={self.damage}."
            )
        if self.compare is not None:
            if len(self.compare) < 2:
                raise ValueError(
                    "--compare takes at least two folders of audits, such as "
                    f"--compare=runs/a,runs/b. Received: {','.join(self.compare)}."
                )
            return
        pair = self.encoder is not None, self.decoder is not None
        if self.model is not None and any(pair):
            raise ValueError(
                "--model stands for both --encoder and --decoder. Leave it or these "
                f"out. Received: --model={self.model}."
            )
        if self.model is None and not all(pair):
            missing = "--decoder is" if pair[0] else "--encoder is"
            missing = (
                missing if any(pair) else "--model, or --encoder and --decoder, is"
            )
            raise ValueError(f"{missing} missing: name what is to be audited.")
        if self.model is None and self.latent_layer is not None:
            raise ValueError(
                "--latent_layer is of the .keras file of --model, which --encoder and "
                f"--decoder replace. Received: --latent_layer={self.latent_layer}."
            )
        if self.model is None and self.dataset is None:
            raise ValueError(
                "--dataset is missing: name a data set, an .npz file or a folder of "
                "images that fit the model."
            )
        if self.dataset is not None:
            _check_dataset(self.dataset)
        if self.examples is not None and self.budget_minutes != 5.0:
            raise ValueError(
                "--budget_minutes decides the number of images, and --examples states "
                "it. Leave one out."
            )


def _check_dataset(name: str) -> None:
    if files.path(name).is_dir():
        return
    try:
        catalogue.check_name(name)
    except ValueError as error:
        raise ValueError(
            f"{error} A folder of images is taken as well, and there is none of that "
            "name."
        ) from error


def stated_damage(text: str) -> tuple[str, float]:
    """Reads `ssim:0.5`.

    Returns:
        The name of the metric and its value.

    Raises:
        ValueError: if it is no metric, or no value that it can have.
    """
    name, value = _name_and_number(text)
    if name not in _DAMAGES or not math.isfinite(value):
        raise ValueError(
            f"--damage={text} must be a metric of {', '.join(_DAMAGES)} and its value, "
            "such as ssim:0.5."
        )
    if value <= 0 or (name == "ssim" and value >= 1):
        allowed = "between 0 and 1" if name == "ssim" else "above 0"
        raise ValueError(f"--damage={text}: the value of {name} must be {allowed}.")
    return name, value


def bounds(flag: str, texts: Sequence[str]) -> dict[str, float]:
    """Reads `latent_ssim:0.2` and its like: name of a figure -> bound.

    Raises:
        ValueError: if a text names no figure, or no finite number.
    """
    known = [f"{space}_{name}" for space in ("latent", "input") for name in _FIGURES]
    found = {}
    for text in texts:
        name, value = _name_and_number(text)
        if name not in known or not math.isfinite(value):
            raise ValueError(
                f"--fail_{flag}={text} must be a figure and a number, such as "
                f"latent_ssim:0.2. Figures: {', '.join(known)}."
            )
        found[name] = value
    return found


def _name_and_number(text: str) -> tuple[str, float]:
    """Reads `name:0.5`; the number is NaN where there is none."""
    name, _, number = text.partition(":")
    try:
        return name, float(number)
    except ValueError:
        return name, math.nan
