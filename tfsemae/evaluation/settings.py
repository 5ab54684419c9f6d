"""The settings of an evaluation. Free of TensorFlow."""

import dataclasses

from tfsemae.data import catalogue
from tfsemae.settings import Checked, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data(Checked):
    """Which images an evaluation takes."""

    dataset: str | None = setting(None, "Data set. Default: that of the training.")
    classes: tuple[str, ...] | None = setting(
        None,
        "Keep these classes only, by name or number. Default: those of the training, "
        "or with --dataset all.",
    )
    split: str = setting("test", "Split to measure on.")
    data_dir: str | None = setting(
        None,
        "Folder of prepared TFDS data sets. Default: $TFDS_DATA_DIR, else TFDS' own.",
        identity=False,
    )
    manual_dir: str | None = setting(
        None,
        "Folder with the original archives of a data set in <manual_dir>/<name>/; "
        "they are checked and prepared without a network.",
        identity=False,
    )

    def __post_init__(self) -> None:
        """Raises ValueError if there is no such data set."""
        if self.dataset is not None:
            catalogue.check_name(self.dataset)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(Checked):
    """Which network, where to, and how."""

    model_dir: str = setting(help="The --output_dir of training.")
    output_dir: str | None = setting(
        None,
        "Everything of one evaluation; a second start continues it. Default: "
        "<model_dir>/evaluation/<data set>_<split>_<hash of the flags>.",
        identity=False,
    )
    seed: int = setting(0, "Of t-SNE.", lower_bound=0, upper_bound=2**32 - 1)
    threads: int = setting(
        0,
        "Threads of TensorFlow, 0 for its own choice; the last bits depend on it.",
        lower_bound=0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All of one evaluation; each setting is the flag of its name."""

    data: Data = dataclasses.field(default_factory=Data)
    run: Run
