"""What the training benchmark compares. Free of TensorFlow."""

import contextlib
import dataclasses
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from tfsemae import startup
from tfsemae.benchmarks.compare import Case, Program, at_once, in_turn
from tfsemae.data import catalogue

#: Group on the command line -> what its cases are called.
GROUPS = {
    "pytorch": "training step",
    "channels": "training step, three channels",
    "matmul": "floating-point operations",
    "input": "input pipeline",
    "settings": "default settings",
    "runs": "two runs of one thread",
}
#: Those of them that need PyTorch and the workload.
WITH_PYTORCH = frozenset({"pytorch", "channels"})

#: By default glibc gives large blocks back to the system and asks for them anew.
#: That costs PyTorch 6,000 to 9,000 page faults per step, TensorFlow 90.
KEPT = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
}
_PYTORCH = {
    "PyTorch eager": ("eager", {}),
    "PyTorch eager, channels last": ("channels_last", {}),
    "PyTorch eager, channels last, freed memory kept": ("channels_last", KEPT),
    "PyTorch compiled": ("compile", {}),
    "PyTorch compiled, channels last": ("compile_channels_last", {}),
}
_CHANNELS = {
    "channels as groups": ["--grouped"],
    "channels folded into the batch as ours": [],
}
_SETTINGS = {
    "--jit_compile (XLA)": (["--jit_compile"], {}),
    "--steps_per_execution=1": (["--steps_per_execution=1"], {}),
    "oneDNN off": ([], {"TF_ENABLE_ONEDNN_OPTS": "0"}),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """The training that is measured, as programs that do it.

    Attributes:
        dataset: as in `tfsemae.train`.
        classes: as in `tfsemae.train`.
        data_dir: as in `tfsemae.train`.
        manual_dir: as in `tfsemae.train`.
        steps: of a turn.
        peer_python: interpreter that has PyTorch.
        workload: the file through which PyTorch gets weights and batches.
    """

    dataset: str
    classes: str | None = None
    data_dir: str | None
    manual_dir: str | None
    steps: int
    peer_python: str
    workload: pathlib.Path

    def keras(
        self,
        threads: int,
        flags: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Program:
        """Ours.

        Args:
            threads: of TensorFlow.
            flags: on top of those of this training.
            variables: of the environment.
        """
        names = ("classes", "data_dir", "manual_dir")
        given = {name: getattr(self, name) for name in names}
        command = [
            sys.executable,
            "-m",
            "tfsemae.benchmarks.keras_table1",
            f"--dataset={self.dataset}",
            *(f"--{name}={value}" for name, value in given.items() if value),
            "--semantic",
            "--loss=binary_crossentropy",  # the only one that the peer has
            f"--threads={threads}",
            f"--checkpoint_every={self.steps}",
            f"--output_dir={self.workload.parent}",
            *flags,
        ]
        return Program(command, {**environment(), **(variables or {})})

    def torch(
        self,
        threads: int,
        mode: str,
        flags: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Program:
        """The peer; `write_workload` comes first.

        Args:
            threads: of PyTorch.
            mode: one of `torch_table1.MODES`.
            flags: further ones of `torch_table1`.
            variables: of the environment.
        """
        command = [
            self.peer_python,
            str(pathlib.Path(__file__).with_name("torch_table1.py")),
            f"--workload={self.workload}",
            f"--mode={mode}",
            f"--threads={threads}",
            f"--steps={self.steps}",
            *flags,
        ]
        return Program(command, variables)

    def write_workload(self) -> None:
        """Writes initial weights and batches.

        Raises:
            ChildProcessError: if that fails, for example where the data are not there.
        """
        with self.keras(1, [f"--workload={self.workload}"]) as program:
            program.wait()

    def torch_version(self) -> str:
        """The version of PyTorch.

        Raises:
            ValueError: if the interpreter has none.
        """
        command = [self.peer_python, "-c", "import torch; print(torch.__version__)"]
        try:
            return subprocess.check_output(
                command, stderr=subprocess.DEVNULL, text=True
            ).strip()
        except (OSError, subprocess.CalledProcessError) as error:
            raise ValueError(
                f"--peer_python={self.peer_python} cannot import torch. Install "
                "tfsemae[bench], or name an interpreter that has PyTorch."
            ) from error


def with_channels(training: Training) -> Training:
    """The same on images of 32 x 32 x 3 in two classes.

    These are the airplanes and automobiles of CIFAR-10 (Ming 2022, section IV).
    Where `training` takes a data set that is never prepared or downloaded, they
    are random images, so that nothing has to be prepared for them either.

    Args:
        training: its workload stays as it is; the new one lies beside it.
    """
    folder = training.workload.parent
    dataset, classes = "cifar10", None
    if catalogue.DATA_SETS[training.dataset].in_tfds:
        classes = "airplane,automobile"
    else:
        dataset = str(folder / "random_images.npz")
        _write_random_images(dataset)
    workload = folder / "workload_with_channels.npz"
    return dataclasses.replace(
        training, dataset=dataset, classes=classes, workload=workload
    )


def measure(
    training: Training, groups: Sequence[str], *, threads: int, repeats: int
) -> list[Case]:
    """Measures all programs of some groups in turn.

    Args:
        training: what to measure.
        groups: of `GROUPS`, without `runs`.
        threads: of each program.
        repeats: turns of each program.

    Returns:
        The cases, group by group.

    Raises:
        ChildProcessError: if a program fails.
    """
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(training.keras(threads))
        peers = {}
        for group in groups:
            for name, program in _peers(training, group, threads):
                peers[group, name] = stack.enter_context(program)
        for program in (ours, *peers.values()):
            program.wait()
        turns = {("", "ours"): ours.turn}
        turns |= {key: program.turn for key, program in peers.items()}
        rates = in_turn(turns, repeats)
    gigaflop = ours.said["flop"] / 1e9
    return [
        Case(
            case=GROUPS[group],
            threads=threads,
            repeats=repeats,
            unit="GFLOP/s" if group == "matmul" else "images/s",
            ours=rates["", "ours"] * (gigaflop if group == "matmul" else 1),
            peer=rates[group, name],
            peer_name=name,
            outcome_ours=_last_loss(ours),
            outcome_peer=_last_loss(program),
        )
        for (group, name), program in peers.items()
    ]


def measure_runs(training: Training, *, repeats: int) -> Case:
    """Measures two runs of one thread side by side against one of two threads.

    Args:
        training: what to measure.
        repeats: turns of either.

    Returns:
        The case: images/s of both runs together, until the slower one has done.

    Raises:
        ChildProcessError: if a program fails.
    """
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(training.keras(2))
        two = [stack.enter_context(training.keras(1)) for _ in range(2)]
        for program in (one, *two):
            program.wait()
        turns = {"one": one.turn, "two": lambda: 2 * min(at_once(two))}
        rates = in_turn(turns, repeats)
    return Case(
        case=GROUPS["runs"],
        threads=2,
        repeats=repeats,
        unit="images/s",
        ours=rates["two"],
        peer=rates["one"],
        peer_name="one run of two threads",
        outcome_ours=_last_loss(two[0]),
        outcome_peer=_last_loss(one),
    )


def _peers(
    training: Training, group: str, threads: int
) -> Iterator[tuple[str, Program]]:
    if group == "pytorch":
        for name, (mode, variables) in _PYTORCH.items():
            yield name, training.torch(threads, mode, variables=variables)
    elif group == "channels":
        flags = ["--channel_by_channel"]
        yield "Keras, a pass per channel", training.keras(threads, flags)
        for name, (mode, variables) in _PYTORCH.items():
            for way, flags in _CHANNELS.items():
                yield f"{name}, {way}", training.torch(threads, mode, flags, variables)
    elif group == "matmul":
        module = "tfsemae.benchmarks.matrix_multiply"
        command = [sys.executable, "-m", module, f"--threads={threads}"]
        yield "tf.matmul of 2048 x 2048", Program(command, environment())
    elif group == "input":
        yield "a constant batch", training.keras(threads, ["--constant_batch"])
    elif group == "settings":
        for name, (flags, variables) in _SETTINGS.items():
            yield name, training.keras(threads, flags, variables)


def environment() -> dict[str, str]:
    """What the commands set, where the user has not."""
    return {
        name: os.environ.get(name, value) for name, value in startup.ENVIRONMENT.items()
    }


def _write_random_images(path: str) -> None:
    import numpy as np  # not for --help

    random = np.random.default_rng(0)
    # Of channels that are alike, and half bright, there is nothing to learn.
    brightest = [64, 128, 256]
    images = random.integers(brightest, size=(256, 32, 32, 3)).astype(np.uint8)
    np.savez(path, images=images, labels=np.arange(len(images)) % 2)


def _last_loss(program: Program) -> float | None:
    return program.said.get("losses", [None])[-1]
