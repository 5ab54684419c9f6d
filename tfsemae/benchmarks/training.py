"""Times the training step of the semantic autoencoder (Ming 2022, Table I).

    python -m tfsemae.benchmarks.training --output=results/benchmarks/training.json

Ours is what `tfsemae.train --semantic` runs. Its peers are the same network in
PyTorch with equal weights and batches, the machine's own rate of matrix
multiplication, a constant batch in place of the input pipeline, other settings
of our own, and one run of two threads in place of two runs of one. On images of
three channels (section IV), which ours folds into the batch, they are a pass per
channel in Keras, and PyTorch with the channels as groups or folded as well. A
ratio above 1 means that ours is faster; an outcome is the loss after --steps
steps. Nothing else should run on the machine.

Expected on two cores with AVX2: ahead of PyTorch in all its modes, by 1.5 of its
fastest, by 1.2 where glibc is told to keep what PyTorch frees; without oneDNN behind it
(results/benchmarks/training_avx2.json).

Expected on two cores with AVX-512: ahead of PyTorch in all its modes on one thread
and on two, by 1.9 of eager and by 1.1 where glibc is told to keep what PyTorch frees;
on three channels by 1.6 and 1.1 likewise, but 6 % behind a pass per channel in Keras;
the constant batch within the noise, some 4 %; two runs of one thread 1.2 times as fast
as one of two threads.
"""

import dataclasses
import sys
import tempfile
from collections.abc import Sequence

from tfsemae import command_line, files
from tfsemae.benchmarks import compare, table1_cases
from tfsemae.benchmarks.settings import (
    WithPeer,
    check_cases,
    finish,
    interpreter,
    writable,
)
from tfsemae.reports import environment
from tfsemae.settings import setting
from tfsemae.shared_settings import Places


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(Places, WithPeer):
    """What is measured, and how often."""

    cases: tuple[str, ...] = setting(
        tuple(table1_cases.GROUPS),
        f"Which cases, of {', '.join(table1_cases.GROUPS)}.",
    )
    steps: int = setting(50, "Steps of a turn.", lower_bound=1)
    dataset: str = setting(
        "mnist",
        "Data set, 28 x 28 x 1 with labels. With the first two the channels cases take "
        "two classes of cifar10, with the others, which are always available, random "
        "images.",
        choices=("mnist", "fashion_mnist", "digits", "synthetic"),
    )

    def __post_init__(self) -> None:
        """Raises ValueError if a case or a number of threads is none."""
        super().__post_init__()
        check_cases(self.cases, table1_cases.GROUPS)


command_line.define(Settings)


def main() -> None:
    """Measures as the flags say, prints a table and writes the file."""
    settings = command_line.read(Settings)
    writable(settings, "training")
    versions, machine = environment()
    with tempfile.TemporaryDirectory() as folder:
        training = table1_cases.Training(
            dataset=settings.dataset,
            data_dir=settings.data_dir,
            manual_dir=settings.manual_dir,
            steps=settings.steps,
            peer_python=interpreter(settings.peer_python),
            workload=files.path(folder) / "workload.npz",
        )
        if table1_cases.WITH_PYTORCH.intersection(settings.cases):
            versions["torch"] = training.torch_version()
        cases = _measure(training, settings)
    finish(settings, "training", cases, machine=machine, versions=versions)


def _measure(training: table1_cases.Training, settings: Settings) -> list[compare.Case]:
    cases = []
    in_turn = _in_turn(training, settings.cases)
    for measured, groups in in_turn:
        if table1_cases.WITH_PYTORCH.intersection(groups):
            measured.write_workload()
    for threads in map(int, settings.threads):
        for measured, groups in in_turn:
            print(
                f"Measuring {', '.join(groups)}: {threads} thread(s).", file=sys.stderr
            )
            cases += table1_cases.measure(
                measured, groups, threads=threads, repeats=settings.repeats
            )
    if "runs" in settings.cases:
        print("Measuring runs.", file=sys.stderr)
        cases.append(table1_cases.measure_runs(training, repeats=settings.repeats))
    return cases


def _in_turn(
    training: table1_cases.Training, cases: Sequence[str]
) -> list[tuple[table1_cases.Training, list[str]]]:
    """The groups that are measured in turn with each other, and on what."""
    one_channel = [name for name in cases if name not in ("channels", "runs")]
    found = []
    if one_channel:
        found.append((training, one_channel))
    if "channels" in cases:
        found.append((table1_cases.with_channels(training), ["channels"]))
    return found


if __name__ == "__main__":
    command_line.run(main)
