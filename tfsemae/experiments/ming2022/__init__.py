"""Ming, Du and Lin 2022.

"Semantic Autoencoder and Its Potential Usage for Adversarial Attack": `plan`
lists the training runs, `mnist` makes Table II with Figs. 3 and 4, `choices`
settles what the paper leaves open, and `claims` holds the rules that decide.

    ./reproduce.sh ming2022_mnist ming2022_plateau ming2022_weight
"""

import importlib
import pathlib

from tfsemae.experiments.ming2022.plan import ledger_scale, runs

__all__ = ["ARTEFACTS", "build", "runs"]

_MODULES = {
    "ming2022_mnist": "mnist",
    "ming2022_plateau": "choices",
    "ming2022_weight": "choices",
}
ARTEFACTS = tuple(_MODULES)


def build(
    artefact: str,
    scale: str,
    *,
    models_dir: pathlib.Path,
    output_dir: pathlib.Path,
) -> None:
    """Makes ledger and pictures of an artefact from its finished runs.

    Args:
        artefact: one of `ARTEFACTS`.
        scale: `full` or `smoke`.
        models_dir: holds the folder of each run, by its name.
        output_dir: of `ledger.json` and the pictures.
    """
    # The workflow reads the plan for each job; only here is TensorFlow loaded.
    from tfsemae.reports import Ledger, environment, revision
    from tfsemae.training import callbacks

    module = importlib.import_module(f"{__name__}.{_MODULES[artefact]}")
    make = getattr(module, artefact.removeprefix("ming2022_"))
    versions, machine = environment()
    folders = [models_dir / name for name in runs(artefact, scale)]
    Ledger(
        artefact=artefact,
        scale=ledger_scale(artefact, scale),
        command=f"./reproduce.sh {artefact} --scale={scale}",
        revision=revision(),
        versions=versions,
        machine=machine,
        seconds=sum(callbacks.seconds(folder) for folder in folders),
        **make(scale, models_dir, output_dir),
    ).write(output_dir)
