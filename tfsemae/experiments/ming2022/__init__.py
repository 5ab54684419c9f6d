"""Ming, Du and Lin 2022.

"Semantic Autoencoder and Its Potential Usage for Adversarial Attack".
Section III: `plan` lists the training runs, `mnist` makes Table II with Figs. 3
and 4, `choices` settles what the paper leaves open, and `claims` holds the rules
that decide. Section IV: `attack_plan`, `semantic_attack` and `attack_claims` are
the same for the attack.

    ./reproduce.sh ming2022_mnist ming2022_cifar10
"""

import functools
import importlib
import pathlib
from collections.abc import Callable
from types import ModuleType

from tfsemae.experiments.ming2022 import attack_plan, plan
from tfsemae.experiments.runs import Run

__all__ = ["ARTEFACTS", "build", "runs"]

_SECTION_3 = {
    "ming2022_mnist": "mnist",
    "ming2022_plateau": "choices",
    "ming2022_weight": "choices",
}
ARTEFACTS = (*_SECTION_3, *attack_plan.PLANS["full"])


def runs(artefact: str, scale: str) -> dict[str, Run]:
    """The runs of an artefact.

    Args:
        artefact: one of `ARTEFACTS`.
        scale: `full` or `smoke`.

    Returns:
        Name of the run -> the run. Artefacts share runs.
    """
    return _plan(artefact).runs(artefact, scale)


def build(
    artefact: str,
    scale: str,
    *,
    runs_dir: pathlib.Path,
    output_dir: pathlib.Path,
    data_dir: str | None,
) -> None:
    """Makes ledger and pictures of an artefact from its finished runs.

    Args:
        artefact: one of `ARTEFACTS`.
        scale: `full` or `smoke`.
        runs_dir: holds the folder of each run, by its name.
        output_dir: of `ledger.json` and the pictures.
        data_dir: see `data.load`.
    """
    # The workflow reads the plan for each job; only here is TensorFlow loaded.
    from tfsemae.reports import Ledger, environment, revision
    from tfsemae.training import callbacks

    versions, machine = environment()
    folders = [runs_dir / name for name in runs(artefact, scale)]
    Ledger(
        artefact=artefact,
        scale=_plan(artefact).ledger_scale(artefact, scale),
        command=f"./reproduce.sh {artefact} --scale={scale}",
        revision=revision(),
        versions=versions,
        machine=machine,
        seconds=sum(callbacks.seconds(folder) for folder in folders),
        **_maker(artefact)(scale, runs_dir, output_dir, data_dir),
    ).write(output_dir)


def _plan(artefact: str) -> ModuleType:
    return plan if artefact in _SECTION_3 else attack_plan


def _maker(artefact: str) -> Callable[..., dict]:
    if artefact not in _SECTION_3:
        from tfsemae.experiments.ming2022 import semantic_attack

        return functools.partial(semantic_attack.semantic_attack, artefact)
    module = importlib.import_module(f"{__name__}.{_SECTION_3[artefact]}")
    return getattr(module, artefact.removeprefix("ming2022_"))
