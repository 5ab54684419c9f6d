"""The artefacts of Kuang et al. 2023. Free of TensorFlow."""

from tfsemae.experiments.artefact import Artefact
from tfsemae.experiments.scarl2023 import runs

_SOURCE = "Kuang, Liu, Wu and Ji 2023"

ARTEFACTS = (
    Artefact(
        name="scarl2023_observations",
        source=f"{_SOURCE}, Figs. 1 and 2",
        runs=runs.observations,
        module="observations",
        reduced=True,
        minutes=105,
    ),
    Artefact(
        name="scarl2023_robustness",
        source=f"{_SOURCE}, robust accuracy",
        runs=runs.robustness,
        module="robustness",
        reduced=True,
        minutes=330,  # with 100 of networks of the observations
    ),
    Artefact(
        name="scarl2023_ablation",
        source=f"{_SOURCE}, terms of the loss and controls of the words",
        runs=runs.ablation,
        module="ablation",
        reduced=True,
        minutes=630,  # with 90 of networks of the other two
    ),
)
