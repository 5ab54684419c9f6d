"""What the benchmark of classifiers compares. Free of TensorFlow."""

import dataclasses
import pathlib
from collections.abc import Iterator

from tfsemae.benchmarks.attack_cases import LIBRARIES, LOOPS
from tfsemae.benchmarks.compare import Case, Program, against, module, script
from tfsemae.benchmarks.table1_cases import environment

#: Case on the command line -> what it is called.
CASES = {
    "training": "adversarial training step",
    "pgd20": "PGD-20 on a classifier",
    "apgd": "APGD on the cross-entropy of a classifier",
}
#: Packages of --peer_python that a case needs.
WITH_PYTORCH = {"training": ("torch",), "pgd20": ("torch",)}
#: Packages of --tensorflow_peer_python that a case needs.
WITH_TENSORFLOW = {"pgd20": LIBRARIES, "apgd": LIBRARIES}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """The work that is measured, as programs that do it.

    Attributes:
        folder: of the workload.
        model_dir: the `--output_dir` of a training of a residual network.
        data_dir: as in `tfsemae.train`.
        manual_dir: as in `tfsemae.train`.
        examples: images that are attacked.
        attack_batch_size: images at a time.
        apgd_steps: of APGD.
        batch_size: of the training.
        steps: of a turn of the training.
        peer_python: interpreter that has PyTorch.
        tensorflow_peer_python: interpreter that has TensorFlow, Foolbox and ART.
    """

    folder: pathlib.Path
    model_dir: str
    data_dir: str | None
    manual_dir: str | None
    examples: int
    attack_batch_size: int
    apgd_steps: int
    batch_size: int
    steps: int
    peer_python: str
    tensorflow_peer_python: str

    def write(self) -> None:
        """Writes the workload, which all programs read.

        Raises:
            ChildProcessError: if that fails.
        """
        places = ("model_dir", "data_dir", "manual_dir")
        numbers = ("examples", "batch_size", "steps")
        values = {name: getattr(self, name) for name in (*places, *numbers)}
        command = module("classifier_workload", self.folder)
        command += [f"--{name}={value}" for name, value in values.items() if value]
        with Program(command, environment()) as program:
            program.wait()

    def ours(self, case: str, threads: int) -> Program:
        """Our program of a case."""
        command = module("keras_classifier", self.folder)
        command += [f"--work={case}", *self._flags(threads), self._apgd]
        return Program(command, environment())

    def peers(self, case: str, threads: int) -> Iterator[tuple[str, Program]]:
        """The peers of a case and their names."""
        if case in WITH_PYTORCH:
            for way in LOOPS:
                command = [self.peer_python, script("torch_classifier")]
                command += [f"--folder={self.folder}", f"--work={case}"]
                command += [*self._flags(threads), *way.flags]
                yield way.name, Program(command, way.variables)
        if case in WITH_TENSORFLOW:
            libraries = {"Foolbox": "foolbox", "ART": "art"}
            if case == "apgd":
                del libraries["Foolbox"]
            for name, library in libraries.items():
                command = [self.tensorflow_peer_python, script("peer_classifier")]
                command += [f"--folder={self.folder}", f"--attack={library}_{case}"]
                command += [*self._flags(threads), self._apgd]
                yield f"{name} on TensorFlow", Program(command, environment())

    def _flags(self, threads: int) -> list[str]:
        return [f"--threads={threads}", f"--batch_size={self.attack_batch_size}"]

    @property
    def _apgd(self) -> str:
        return f"--apgd_steps={self.apgd_steps}"


def measure(work: Work, case: str, *, threads: int, repeats: int) -> list[Case]:
    """Measures all programs of a case in turn.

    Args:
        work: what to measure; `Work.write` comes first.
        case: of `CASES`.
        threads: of each program.
        repeats: turns of each program.

    Returns:
        The comparisons; the outcome of a training is a cross-entropy after a turn, that
        of an attack the accuracy in %.

    Raises:
        ChildProcessError: if a program fails.
    """
    return against(
        work.ours(case, threads),
        work.peers(case, threads),
        case=CASES[case],
        threads=threads,
        repeats=repeats,
        unit="images/s",
    )
