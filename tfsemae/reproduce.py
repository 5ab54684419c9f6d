"""Makes the artefacts of the papers: each printed number beside the measured one.

    ./reproduce.sh                              all of them
    ./reproduce.sh ming2022_mnist --cores=2     one
    ./reproduce.sh -n                           the plan alone
    ./reproduce.sh --scale=smoke                all in minutes, on a stand-in
    ./reproduce.sh -- --executor=slurm --jobs=20    what follows -- is Snakemake's

A second start continues. The page is <output_dir>/<scale>/index.html.
"""

import dataclasses
import os
import sys

from tfsemae import command_line
from tfsemae.settings import setting
from tfsemae.shared_settings import Places


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(Places):
    """What is made, and how."""

    scale: str = setting(
        "full",
        "Full length, or a few steps on the embedded digits to see that all works.",
        choices=("full", "smoke"),
    )
    cores: int = setting(
        os.cpu_count(), "Runs at a time, one thread each.", lower_bound=1
    )
    dry_run: bool = setting(False, "Show the plan only.", short_name="n")
    land: bool = setting(
        False, "Copy ledgers and pictures into results/, renew pages and README."
    )
    weights_dir: str | None = setting(
        None,
        "Folder of the weights of LPIPS; without it LPIPS is not measured, and the "
        "ledgers say so.",
    )
    words_file: str | None = setting(
        None,
        "Text file with the vectors of the words of the classes, as GloVe has it, "
        "which scarl2023 takes.",
    )
    clip_embeddings: str | None = setting(
        None,
        "File (.npy, .npz or text) with an embedding by CLIP in each of 10 rows, one "
        "for each class of CIFAR-10, which scarl2023_observations draws. It is read "
        "when the ledger is made: delete a ledger that was made without it.",
    )
    output_dir: str = setting(
        "runs/reproduction", "Everything made; a second start continues it."
    )


command_line.define(Settings)


def main(artefacts: list[str]) -> None:
    """Reproduces the named artefacts, or all."""
    from tfsemae.experiments import reproduction  # after parsing: --help is quick

    reproduction.reproduce(
        artefacts,
        **dataclasses.asdict(command_line.read(Settings)),
        snakemake=_SNAKEMAKE,
    )


if __name__ == "__main__":
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    sys.argv, _SNAKEMAKE = sys.argv[:split], sys.argv[split + 1 :]
    command_line.run(main, arguments=True)
