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

Expected on two cores with AVX-512: ahead of PyTorch in all its modes on one thread
and on two, by 1.9 of eager and by 1.1 where glibc is told to keep what PyTorch frees;
on three channels by 1.6 and 1.1 likewise, but 6 % behind a pass per channel in Keras;
the constant batch within the noise, some 4 %; two runs of one thread 1.2 times as fast
as one of two threads.
"""

import pathlib
import shlex
import sys
import tempfile

from absl import flags

from tfsemae import command_line
from tfsemae.benchmarks import compare, table1_cases
from tfsemae.reports import environment

_OUTPUT = flags.DEFINE_string(
    "output", "results/benchmarks/training.json", "File of the results."
)
_CASES = flags.DEFINE_list(
    "cases", list(table1_cases.GROUPS), "Which cases, separated by commas."
)
_THREADS = flags.DEFINE_list(
    "threads", ["1", "2"], "Numbers of threads, separated by commas."
)
_REPEATS = flags.DEFINE_integer(
    "repeats", 7, "Turns of each program; a rate is their median.", lower_bound=1
)
_STEPS = flags.DEFINE_integer("steps", 50, "Steps of a turn.", lower_bound=1)
_DATASET = flags.DEFINE_enum(
    "dataset",
    "mnist",
    ["mnist", "fashion_mnist", "digits", "synthetic"],
    "Data set, 28 x 28 x 1 with labels. With the first two the channels cases take "
    "two classes of cifar10, with the others, which are always at hand, random images.",
)
_PEER_PYTHON = flags.DEFINE_string(
    "peer_python", None, "Interpreter that has PyTorch. Default: the one in use."
)
flags.adopt_module_key_flags(command_line)
flags.register_validator(
    _CASES,
    lambda names: names and set(names) <= set(table1_cases.GROUPS),
    f"must be among {', '.join(table1_cases.GROUPS)}.",
)
flags.register_validator(
    _THREADS,
    lambda counts: counts and all(c.isdecimal() and int(c) for c in counts),
    "must be whole numbers from 1 on.",
)


def main() -> None:
    """Measures as the flags say, prints a table and writes the file."""
    output = _output()
    versions, machine = environment()
    with tempfile.TemporaryDirectory() as folder:
        training = table1_cases.Training(
            dataset=_DATASET.value,
            data_dir=flags.FLAGS.data_dir,
            manual_dir=flags.FLAGS.manual_dir,
            steps=_STEPS.value,
            peer_python=_PEER_PYTHON.value or sys.executable,
            workload=pathlib.Path(folder, "workload.npz"),
        )
        if table1_cases.WITH_PYTORCH.intersection(_CASES.value):
            versions["torch"] = training.torch_version()
        cases = _measure(training)
    print(compare.table(cases))
    compare.write(
        output,
        name="training",
        command=_command(),
        machine=machine,
        versions=versions,
        cases=cases,
    )


def _output() -> pathlib.Path:
    # Asked before the minutes of measuring, and by writing, as root may anywhere.
    path = pathlib.Path(_OUTPUT.value)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"--output={path} can not be written ({error.strerror}). Name another file."
        ) from error
    if path.is_dir():
        raise ValueError(f"--output={path} is a folder. Name a file.")
    return path


def _measure(training: table1_cases.Training) -> list[compare.Case]:
    cases = []
    in_turn = _in_turn(training)
    for measured, groups in in_turn:
        if table1_cases.WITH_PYTORCH.intersection(groups):
            measured.write_workload()
    for threads in map(int, _THREADS.value):
        for measured, groups in in_turn:
            print(
                f"Measuring {', '.join(groups)}: {threads} thread(s).", file=sys.stderr
            )
            cases += table1_cases.measure(
                measured, groups, threads=threads, repeats=_REPEATS.value
            )
    if "runs" in _CASES.value:
        print("Measuring runs.", file=sys.stderr)
        cases.append(table1_cases.measure_runs(training, repeats=_REPEATS.value))
    return cases


def _in_turn(
    training: table1_cases.Training,
) -> list[tuple[table1_cases.Training, list[str]]]:
    """The groups that are measured in turn with each other, and on what."""
    one_channel = [name for name in _CASES.value if name not in ("channels", "runs")]
    found = []
    if one_channel:
        found.append((training, one_channel))
    if "channels" in _CASES.value:
        found.append((table1_cases.with_channels(training), ["channels"]))
    return found


def _command() -> str:
    # Not the flags that say where things lie.
    measured = (_CASES, _THREADS, _REPEATS, _STEPS, _DATASET)
    words = [flags.FLAGS[holder.name].serialize() for holder in measured]
    return shlex.join(["python", "-m", "tfsemae.benchmarks.training", *words])


if __name__ == "__main__":
    command_line.run(main)
