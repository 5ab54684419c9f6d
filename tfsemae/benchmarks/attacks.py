"""Times attacks and metrics against those of other libraries.

    python -m tfsemae.benchmarks.attacks --lpips_weights=... --peer_python=...

`pgd` is the latent attack of Lu and Chen 2023 on their decoder of 64 x 64 x 3 pixels:
10 steps on 1,000 codes, in PyTorch with equal weights and equal first points, and by
Foolbox and ART. `ssim` and `lpips` are those of 1,000 pairs of images, against
TorchMetrics, piq and lpips, with equal weights. `mmd` is the discrepancy of 512 codes
of 128 numbers and its gradient, against the form that keeps all differences in memory.
A ratio above 1 means that ours is faster; an outcome is the mean damage of an attack or
the mean of a metric. Nothing else should run on the machine.
"""

import dataclasses
import sys
import tempfile

from tfsemae import command_line, files
from tfsemae.benchmarks import attack_cases
from tfsemae.benchmarks.settings import (
    WithPeer,
    check_cases,
    finish,
    interpreter,
    writable,
)
from tfsemae.reports import environment
from tfsemae.settings import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(WithPeer):
    """What is measured, and how often."""

    cases: tuple[str, ...] = setting(
        tuple(attack_cases.GROUPS),
        f"Which cases, of {', '.join(attack_cases.GROUPS)}.",
    )
    examples: int = setting(
        1000, "Codes that are attacked, and pairs of images, in a turn.", lower_bound=1
    )
    batch_size: int = setting(100, "Examples at a time.", lower_bound=1)
    steps: int = setting(10, "Steps of the attack.", lower_bound=1)
    lpips_weights: str | None = setting(
        None,
        "Folder with the weights of LPIPS; its files are described by "
        "tfsemae.metrics.LPIPSDistance. Needed by the case lpips.",
        identity=False,
    )
    lpips_net: str = setting(
        "alex", "Network of LPIPS.", choices=("alex", "squeeze", "vgg")
    )
    tensorflow_peer_python: str | None = setting(
        None,
        "Interpreter that has TensorFlow, Foolbox and ART, for the case "
        "pgd_tensorflow. Default: the one in use.",
        identity=False,
    )

    def __post_init__(self) -> None:
        """Checks the cases, and that LPIPS has weights.

        Raises:
            ValueError: if a case is unknown, or the weights are missing.
        """
        super().__post_init__()
        check_cases(self.cases, attack_cases.GROUPS)
        if "lpips" in self.cases and self.lpips_weights is None:
            raise ValueError(
                "The case lpips needs weights. Name their folder by --lpips_weights, "
                "or give --cases without it."
            )


command_line.define(Settings)


def main() -> None:
    """Measures as the flags say, prints a table and writes the file."""
    settings = command_line.read(Settings)
    writable(settings, "attacks")
    weights = settings.lpips_weights
    versions, machine = environment()
    with tempfile.TemporaryDirectory() as folder:
        work = attack_cases.Work(
            folder=files.path(folder),
            examples=settings.examples,
            batch_size=settings.batch_size,
            steps=settings.steps,
            peer_python=interpreter(settings.peer_python),
            tensorflow_peer_python=interpreter(settings.tensorflow_peer_python),
            lpips_weights=None if weights is None else files.path(weights),
            lpips_net=settings.lpips_net,
        )
        versions |= _peer_versions(work, settings)
        work.write()
        cases = []
        for threads in map(int, settings.threads):
            for group in settings.cases:
                print(f"Measuring {group}: {threads} thread(s).", file=sys.stderr)
                cases += attack_cases.measure(
                    work, group, threads=threads, repeats=settings.repeats
                )
    finish(settings, "attacks", cases, machine=machine, versions=versions)


def _peer_versions(work: attack_cases.Work, settings: Settings) -> dict[str, str]:
    found: dict[str, str] = {}
    for flag, needed in (
        ("peer_python", attack_cases.WITH_PYTORCH),
        ("tensorflow_peer_python", attack_cases.WITH_TENSORFLOW),
    ):
        packages = [name for case in settings.cases for name in needed.get(case, ())]
        if packages:
            found |= attack_cases.versions(flag, getattr(work, flag), packages)
    return found


if __name__ == "__main__":
    command_line.run(main)
