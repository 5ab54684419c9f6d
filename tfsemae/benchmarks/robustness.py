"""Times adversarial training and attacks on classifiers against other libraries.

    python -m tfsemae.benchmarks.robustness --model_dir=... --peer_python=...

`training` is the step of `tfsemae.train --procedure=trades` on the network of
--model_dir, against the same step in PyTorch with equal weights, batches and random
numbers; its outcome is the cross-entropy of the next batch after a turn. `pgd20` is
the PGD-20 of `tfsemae.attack --attack=robust_accuracy` against a loop in PyTorch,
Foolbox and ART on TensorFlow, from equal points on equal weights; `apgd` is APGD
against that of ART, from points that each draws, with a pass more in each step. Images
are those that the network answers correctly; the outcome of an attack is the share in %
that it still does. A ratio above 1 means that ours is faster. Nothing else should run
on the machine.
"""

import dataclasses
import tempfile

from tfsemae import command_line, files, run_folder
from tfsemae.benchmarks import attack_cases, robustness_cases
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
from tfsemae.shared_settings import Places


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(Places, WithPeers):
    """What is measured, and how often."""

    model_dir: str = setting(
        help="The --output_dir of a training with --model=preact_resnet8, "
        "preact_resnet18 or wide_resnet34_10.",
        identity=False,
    )
    cases: tuple[str, ...] = setting(
        tuple(robustness_cases.CASES),
        f"Which cases, of {', '.join(robustness_cases.CASES)}.",
    )
    examples: int = setting(
        500, "Images that are attacked, of those answered correctly.", lower_bound=1
    )
    attack_batch_size: int = setting(
        250, "Images of an attack at a time.", lower_bound=1
    )
    apgd_steps: int = setting(100, "Steps of APGD.", lower_bound=1)
    batch_size: int = setting(128, "Images of a training step.", lower_bound=2)
    steps: int = setting(20, "Steps of a turn of the training.", lower_bound=1)

    def __post_init__(self) -> None:
        """Raises ValueError if a case or a number of threads is none."""
        super().__post_init__()
        check_cases(self.cases, robustness_cases.CASES)


command_line.define(Settings)


def main() -> None:
    """Measures as the flags say, prints a table and writes the file."""
    settings = command_line.read(Settings)
    writable(settings, "robustness")
    versions, machine = environment()
    with tempfile.TemporaryDirectory() as folder:
        work = robustness_cases.Work(
            folder=files.path(folder),
            model_dir=str(files.path(settings.model_dir)),
            data_dir=settings.data_dir,
            manual_dir=settings.manual_dir,
            examples=settings.examples,
            attack_batch_size=settings.attack_batch_size,
            apgd_steps=settings.apgd_steps,
            batch_size=settings.batch_size,
            steps=settings.steps,
            peer_python=interpreter(settings.peer_python),
            tensorflow_peer_python=interpreter(settings.tensorflow_peer_python),
        )
        versions |= attack_cases.peer_versions(
            settings.cases,
            {
                "peer_python": (work.peer_python, robustness_cases.WITH_PYTORCH),
                "tensorflow_peer_python": (
                    work.tensorflow_peer_python,
                    robustness_cases.WITH_TENSORFLOW,
                ),
            },
        )
        work.write()
        cases = measured(
            settings,
            settings.cases,
            lambda case, threads: robustness_cases.measure(
                work, case, threads=threads, repeats=settings.repeats
            ),
        )
    flags = run_folder.read_flags(settings.model_dir)
    versions |= {name: flags[name] for name in ("model", "dataset", "procedure")}
    finish(settings, "robustness", cases, machine=machine, versions=versions)


if __name__ == "__main__":
    command_line.run(main)
