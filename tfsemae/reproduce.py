"""Makes the artefacts of the papers: each printed number beside the measured one.

    ./reproduce.sh                              all of them
    ./reproduce.sh ming2022_mnist --cores=2     one
    ./reproduce.sh -n                           the plan alone
    ./reproduce.sh --scale=smoke                all in minutes, on a stand-in
    ./reproduce.sh -- --executor=slurm --jobs=20    what follows -- is Snakemake's

A second start continues. The page is <output_dir>/<scale>/index.html.
"""

import os
import sys

from absl import flags

from tfsemae import command_line

flags.DEFINE_enum(
    "scale",
    "full",
    ["full", "smoke"],
    "Full length, or a few steps on the embedded digits to see that all works.",
)
flags.DEFINE_integer(
    "cores", os.cpu_count(), "Runs at a time, one thread each.", lower_bound=1
)
flags.DEFINE_boolean("dry_run", False, "Show the plan only.", short_name="n")
flags.DEFINE_boolean(
    "land", False, "Copy ledgers and pictures into results/, renew page and README."
)
flags.DEFINE_string(
    "output_dir", "runs/reproduction", "Everything made; a second start continues it."
)
flags.adopt_module_key_flags(command_line)


def main(artefacts: list[str]) -> None:
    """Reproduces the named artefacts, or all."""
    from tfsemae.experiments import reproduction  # after parsing: --help stays quick

    values = flags.FLAGS
    reproduction.reproduce(
        artefacts,
        scale=values.scale,
        cores=values.cores,
        dry_run=values.dry_run,
        land=values.land,
        output_dir=values.output_dir,
        data_dir=values.data_dir,
        manual_dir=values.manual_dir,
        snakemake=_SNAKEMAKE,
    )


if __name__ == "__main__":
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    sys.argv, _SNAKEMAKE = sys.argv[:split], sys.argv[split + 1 :]
    command_line.run(main, arguments=True)
