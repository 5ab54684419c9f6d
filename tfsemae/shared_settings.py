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
