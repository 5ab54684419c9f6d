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
import tempfile

from tfsemae import command_line, files
from tfsemae.benchmarks import attack_cases, audit_cases
from tfsemae.benchmarks.settings import (
    WithPeer,
    check_cases,
    finish,
    interpreter,
    measured,
    writable,
)
from tfsemae.reports import environment
from tfsemae.settings import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(WithPeer):
    """What is measured, and how often."""

    cases: tuple[str, ...] = setting(
        tuple(audit_cases.CASES), f"Which cases, of {', '.join(audit_cases.CASES)}."
    )
    examples: int = setting(100, "Images in a turn.", lower_bound=2)
    batch_size: int = setting(100, "Images at a time.", lower_bound=1)
    restarts: int = setting(
        3, "Random points of the strong attack.", lower_bound=1, upper_bound=3
    )
    steps: int = setting(
        20, "Steps of the strong attack from its best point.", lower_bound=1
    )

    def __post_init__(self) -> None:
        """Raises ValueError if a case or a number of threads is none."""
        super().__post_init__()
        check_cases(self.cases, audit_cases.CASES)


command_line.define(Settings)


def main() -> None:
    """Measures as the flags say, prints a table and writes the file."""
    settings = command_line.read(Settings)
    writable(settings, "audit")
    versions, machine = environment()
    peer_python = interpreter(settings.peer_python)
    versions |= attack_cases.versions("peer_python", peer_python, ["torch"])
    with tempfile.TemporaryDirectory() as folder:
        work = audit_cases.Work(
            folder=files.path(folder),
            examples=settings.examples,
            batch_size=settings.batch_size,
            restarts=settings.restarts,
            steps=settings.steps,
            peer_python=peer_python,
        )
        work.write()
        cases = measured(
            settings,
            settings.cases,
            lambda case, threads: audit_cases.measure(
                work, case, threads=threads, repeats=settings.repeats
            ),
        )
    finish(settings, "audit", cases, machine=machine, versions=versions)


if __name__ == "__main__":
    command_line.run(main)
