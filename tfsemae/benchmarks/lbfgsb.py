"""Times the latent attack of Tabacof 2016 by batched L-BFGS-B.

    python -m tfsemae.benchmarks.lbfgsb --output=results/benchmarks/lbfgsb.json

Ours is `attacks.LBFGSB`, all pairs and penalties at once, on a dense encoder of random
weights, 784-512-512-20. Its peers are SciPy on one problem after the other: with a
compiled gradient of one row, and of 100 equal rows as in the released code. All have
the same rule to stop and the same threads. A ratio above 1 means that ours is faster;
an outcome is the mean of the final objectives. Nothing else should run on the machine.
"""

import contextlib
import dataclasses
import sys

from tfsemae import command_line
from tfsemae.benchmarks import compare
from tfsemae.benchmarks.settings import Measured, check_counts, finish, writable
from tfsemae.reports import environment
from tfsemae.settings import setting

#: Method of `lbfgsb_solvers` -> how the table calls it.
_PEERS = {
    "single": "SciPy, one problem at a time",
    "tiled": "SciPy, one problem at a time in 100 equal rows",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(Measured):
    """What is measured, and how often."""

    sizes: tuple[str, ...] = setting(
        ("784", "3072"), "Numbers of pixels, separated by commas; each is a case."
    )
    pairs: int = setting(3, "Pairs of an image and a target.", lower_bound=1)
    penalties: int = setting(20, "Penalties of each pair.", lower_bound=1)
    width: int = setting(512, "Units of both hidden layers.", lower_bound=1)
    maxiter: int = setting(15000, "Iterations of a problem.", lower_bound=1)
    batch_size: int = setting(64, "Problems at once, of ours.", lower_bound=1)
    dtype: str = setting(
        "float32",
        "Type of the encoder. With float64 all take the same steps to the same minima; "
        "in float32, as encoders are trained, rounding decides where each ends.",
        choices=("float32", "float64"),
    )

    def __post_init__(self) -> None:
        """Raises ValueError if a size or a number of threads is none."""
        super().__post_init__()
        check_counts("sizes", self.sizes)


command_line.define(Settings)


def main() -> None:
    """Measures as the flags say, prints a table and writes the file."""
    settings = command_line.read(Settings)
    writable(settings, "lbfgsb")
    versions, machine = environment()
    cases = []
    for threads in map(int, settings.threads):
        for size in map(int, settings.sizes):
            print(f"Measuring {size} pixels: {threads} thread(s).", file=sys.stderr)
            cases += _measure(settings, size=size, threads=threads)
    finish(settings, "lbfgsb", cases, machine=machine, versions=versions)


def _measure(settings: Settings, *, size: int, threads: int) -> list[compare.Case]:
    with contextlib.ExitStack() as stack:
        programs = {
            method: stack.enter_context(_program(settings, method, size, threads))
            for method in ("batched", *_PEERS)
        }
        for program in programs.values():
            program.wait()
        turns = {method: program.turn for method, program in programs.items()}
        rates = compare.in_turn(turns, settings.repeats)
    return [
        compare.Case(
            case=f"latent attack, {size} pixels",
            threads=threads,
            repeats=settings.repeats,
            unit="problems/s",
            ours=rates["batched"],
            peer=rates[method],
            peer_name=name,
            outcome_ours=programs["batched"].said["minimum"],
            outcome_peer=programs[method].said["minimum"],
        )
        for method, name in _PEERS.items()
    ]


def _program(
    settings: Settings, method: str, size: int, threads: int
) -> compare.Program:
    options = {
        "method": method,
        "size": size,
        "threads": threads,
        "pairs": settings.pairs,
        "penalties": settings.penalties,
        "width": settings.width,
        "maxiter": settings.maxiter,
        "batch": settings.batch_size,
        "dtype": settings.dtype,
    }
    module = ["-m", "tfsemae.benchmarks.lbfgsb_solvers"]
    flags = [f"--{name}={value}" for name, value in options.items()]
    return compare.Program([sys.executable, *module, *flags])


if __name__ == "__main__":
    command_line.run(main)
