"""Times what an audit does most of its time against a plain PyTorch loop.

    python -m tfsemae.benchmarks.audit --peer_python=...

On the decoder of Lu and Chen 2023 with 64 x 64 x 3 pixels. `strong` is one strong
attack on the latents: singular starts, random restarts and the steps after them; its
outcome is the mean damage, of which more is better. `search` is the smallest
perturbation that does a stated damage, by bisection over strong attacks; its outcome is
the mean norm, of which less is better. Rates are in images per minute. A ratio above 1
means that ours is faster. Nothing else should run on the machine.
"""

import dataclasses
import pathlib
import shlex
import sys
import tempfile

from tfsemae import command_line, run_folder
from tfsemae.benchmarks import attack_cases, audit_cases, compare
from tfsemae.reports import environment
from tfsemae.settings import Checked, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(Checked):
    """What is measured, and how often."""

    cases: tuple[str, ...] = setting(
        tuple(audit_cases.CASES), f"Which cases, of {', '.join(audit_cases.CASES)}."
    )
    threads: tuple[str, ...] = setting(
        ("1", "2"), "Numbers of threads, separated by commas."
    )
    repeats: int = setting(
        5, "Turns of each program; a rate is their median.", lower_bound=1
    )
    examples: int = setting(100, "Images in a turn.", lower_bound=2)
    batch_size: int = setting(100, "Images at a time.", lower_bound=1)
    restarts: int = setting(
        3, "Random points of the strong attack.", lower_bound=1, upper_bound=3
    )
    steps: int = setting(
        20, "Steps of the strong attack from its best point.", lower_bound=1
    )
    output: str = setting(
        "results/benchmarks/audit.json", "File of the results.", identity=False
    )
    peer_python: str | None = setting(
        None,
        "Interpreter that has PyTorch. Default: the one in use.",
        identity=False,
    )

    def __post_init__(self) -> None:
        """Checks the lists.

        Raises:
            ValueError: if a case is unknown, or a number of threads none.
        """
        super().__post_init__()
        compare.check_lists(self.cases, audit_cases.CASES, self.threads)


command_line.define(Settings)


def main() -> None:
    """Measures as the flags say, prints a table and writes the file."""
    settings = command_line.read(Settings)
    output = compare.writable(settings.output)
    versions, machine = environment()
    peer_python = settings.peer_python or sys.executable
    versions |= attack_cases.versions("peer_python", peer_python, ["torch"])
    with tempfile.TemporaryDirectory() as folder:
        work = audit_cases.Work(
            folder=pathlib.Path(folder),
            examples=settings.examples,
            batch_size=settings.batch_size,
            restarts=settings.restarts,
            steps=settings.steps,
            peer_python=peer_python,
        )
        work.write()
        cases = []
        for threads in map(int, settings.threads):
            for case in settings.cases:
                print(f"Measuring {case}: {threads} thread(s).", file=sys.stderr)
                cases += audit_cases.measure(
                    work, case, threads=threads, repeats=settings.repeats
                )
    print(compare.table(cases))
    command = ["python", "-m", "tfsemae.benchmarks.audit"]
    compare.write(
        output,
        name="audit",
        command=shlex.join([*command, *run_folder.identity(settings)]),
        machine=machine,
        versions=versions,
        cases=cases,
    )


if __name__ == "__main__":
    command_line.run(main)
