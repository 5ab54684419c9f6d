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
import tempfile

from tfsemae import command_line, files
from tfsemae.benchmarks import attack_cases
from tfsemae.benchmarks.settings import (
    WithPeers,
    check_cases,
    finish,
    interpreter,
    measured,
    writable,
)
from tfsemae.reports import environment
from tfsemae.settings import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(WithPeers):
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
        versions |= attack_cases.peer_versions(
            settings.cases,
            {
                "peer_python": (work.peer_python, attack_cases.WITH_PYTORCH),
                "tensorflow_peer_python": (
                    work.tensorflow_peer_python,
                    attack_cases.WITH_TENSORFLOW,
                ),
            },
        )
        work.write()
        cases = measured(
            settings,
            settings.cases,
            lambda case, threads: attack_cases.measure(
                work, case, threads=threads, repeats=settings.repeats
            ),
        )
    finish(settings, "attacks", cases, machine=machine, versions=versions)


if __name__ == "__main__":
    command_line.run(main)
