"""The artefacts of Ming 2022, in the order of the paper. Free of TensorFlow."""

import functools
import itertools

from tfsemae.experiments.artefact import Artefact
from tfsemae.experiments.ming2022 import attack_runs, runs
from tfsemae.experiments.runs import Run

_SOURCE = "Ming, Du and Lin 2022"


def _all(by_group: dict) -> list[Run]:
    return list(itertools.chain(*by_group.values()))


def _attacks(artefact: str, scale: str) -> list[Run]:
    return _all(attack_runs.PLANS[artefact][scale].attacks())


ARTEFACTS = (
    Artefact(
        name="ming2022_mnist",
        source=f"{_SOURCE}, Table II, Figs. 3 and 4",
        runs=lambda scale: _all(runs.table_2(scale)),
        module="table2",
    ),
    Artefact(
        name="ming2022_plateau",
        source=f"{_SOURCE}, section III: loss and initialiser",
        runs=lambda scale: [
            run for each in runs.plateau(scale).values() for run in _all(each)
        ],
        module="plateau",
        reduced=True,
    ),
    Artefact(
        name="ming2022_weight",
        source=f"{_SOURCE}, section III: weight of the classification",
        runs=lambda scale: _all(runs.weight(scale)),
        module="weight",
        reduced=True,
    ),
    *(
        Artefact(
            name=name,
            source=f"{_SOURCE}, section IV, Figs. 5 and 6",
            runs=functools.partial(_attacks, name),
            module="attack",
            reduced=name != "ming2022_cifar10",
        )
        for name in attack_runs.PLANS
    ),
)
