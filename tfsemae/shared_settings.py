"""Settings that several commands have. Free of TensorFlow."""

import dataclasses

from tfsemae.settings import Checked, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Places(Checked):
    """Where data sets lie."""

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pixels(Places):
    """Where data sets lie, and what becomes of their pixels."""

    # None and not False, which would be in the flags of all runs.
    binarize: tuple[str, ...] | None = setting(
        None,
        "Splits, of train and test, whose pixels become 1 where they are above 0.5, "
        "else 0. Default: none; of a trained network those of its training, or with "
        "--dataset none.",
    )

    def __post_init__(self) -> None:
        """Checks the names of the splits.

        Raises:
            ValueError: if one is neither train nor test.
        """
        super().__post_init__()
        if not {"train", "test"}.issuperset(self.binarize or ()):
            raise ValueError(
                f"--binarize={','.join(self.binarize or ())} must name train, test or "
                "both, such as --binarize=train,test."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Threads(Checked):
    """How many threads compute."""

    threads: int = setting(
        0,
        "Threads of TensorFlow, 0 for its own choice; the last bits depend on it.",
        lower_bound=0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights(Checked):
    """Where the weights of LPIPS lie."""

    weights_dir: str | None = setting(
        None,
        "Folder of the weights of LPIPS, of the nets alex and squeeze, see "
        "metrics.LPIPSDistance. Default: LPIPS is not measured.",
        identity=False,
    )


def check_pixels(flag: str, value: float | None) -> None:
    """Refuses a change of pixels in the scale of 0 to 255.

    Args:
        flag: its name.
        value: of the flag, in units of pixels in [0, 1]; None passes.

    Raises:
        ValueError: if it is above 1.
    """
    if value is not None and value > 1:
        raise ValueError(
            f"--{flag}={value:g} is above 1, and pixels are in [0, 1]. Of {value:g} in "
            f"the scale of 0 to 255, give --{flag}={value / 255:.6g}."
        )
