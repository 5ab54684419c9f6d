"""The settings of an evaluation. Free of TensorFlow."""

import dataclasses

from tfsemae.data import catalogue
from tfsemae.settings import setting
from tfsemae.shared_settings import Pixels, Threads, Weights


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data(Pixels):
    """Which images an evaluation takes."""

    dataset: str | None = setting(None, "Data set. Default: that of the training.")
    classes: tuple[str, ...] | None = setting(
        None,
        "Keep these classes only, by name or number. Default: those of the training, "
        "or with --dataset all.",
    )
    split: str = setting("test", "Split to measure on.")

    def __post_init__(self) -> None:
        """Raises ValueError if there is no such data set or split."""
        super().__post_init__()
        if self.dataset is not None:
            catalogue.check_name(self.dataset)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(Threads, Weights):
    """Which network, where to, and how."""

    model_dir: str = setting(help="The --output_dir of training.")
    output_dir: str | None = setting(
        None,
        "Everything of one evaluation; a second start continues it. Default: "
        "<model_dir>/evaluation/<data set>_<split>_<hash of the flags>.",
        identity=False,
    )
    seed: int = setting(
        0, "Of t-SNE, k-means and samples.", lower_bound=0, upper_bound=2**32 - 1
    )
    classifier_dir: str | None = setting(
        None,
        "Measure Frechet distances and scores in the features of this classifier as "
        "well, the --output_dir of a training such as with --model=conv_classifier.",
    )
    inception_weights: str | None = setting(
        None,
        "Measure FID as well, with the weights of this .npz file, see "
        "metrics.InceptionFeatures; some 10 images per second on a core.",
        identity=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All of one evaluation; each setting is the flag of its name."""

    data: Data = dataclasses.field(default_factory=Data)
    run: Run
