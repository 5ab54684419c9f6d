"""What the benchmark of audits compares. Free of TensorFlow."""

import dataclasses
import pathlib
import sys
from collections.abc import Iterator

from tfsemae.benchmarks.compare import Case, Program, against, script
from tfsemae.benchmarks.table1_cases import KEPT, environment

#: Case on the command line -> what it is called.
CASES = {
    "strong": "strong attack of an audit on latents",
    "search": "smallest perturbation of latents",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """The work that is measured, as programs that do it.

    Attributes:
        folder: of the workload.
        examples: latents that are attacked.
        batch_size: latents at a time.
        restarts: random points of the strong attack.
        steps: of it from its best point.
        peer_python: interpreter that has PyTorch.
    """

    folder: pathlib.Path
    examples: int
    batch_size: int
    restarts: int
    steps: int
    peer_python: str

    def write(self) -> None:
        """Writes the workload, which all programs read.

        Raises:
            ChildProcessError: if that fails.
        """
        command = [sys.executable, "-m", "tfsemae.benchmarks.attack_workload"]
        command += [f"--folder={self.folder}", f"--examples={self.examples}"]
        with Program(command, environment()) as program:
            program.wait()

    def ours(self, case: str, threads: int) -> Program:
        """Our program of a case."""
        command = [sys.executable, "-m", "tfsemae.benchmarks.keras_audit"]
        return Program([*command, *self._flags(case, threads)], environment())

    def peers(self, case: str, threads: int) -> Iterator[tuple[str, Program]]:
        """PyTorch, as it comes and as it is fastest."""
        command = [self.peer_python, script("torch_audit")]
        command += self._flags(case, threads)
        yield "PyTorch loop", Program(command, {})
        yield (
            "PyTorch loop, channels last, freed memory kept",
            Program([*command, "--channels_last"], KEPT),
        )

    def _flags(self, case: str, threads: int) -> list[str]:
        return [
            f"--folder={self.folder}",
            f"--case={case}",
            f"--threads={threads}",
            f"--batch_size={self.batch_size}",
            f"--restarts={self.restarts}",
            f"--steps={self.steps}",
        ]


def measure(work: Work, case: str, *, threads: int, repeats: int) -> list[Case]:
    """Measures all programs of a case in turn.

    Args:
        work: what to measure; `Work.write` comes first.
        case: of `CASES`.
        threads: of each program.
        repeats: turns of each program.

    Returns:
        The comparisons; outcomes are means over the examples.

    Raises:
        ChildProcessError: if a program fails.
    """
    return against(
        work.ours(case, threads),
        work.peers(case, threads),
        case=CASES[case],
        threads=threads,
        repeats=repeats,
        unit="images/min",
    )
