"""The artefact of Gondim-Ribeiro 2018. Free of TensorFlow."""

from tfsemae.experiments.artefact import Artefact
from tfsemae.experiments.tabacof2018 import runs

ARTEFACTS = (
    Artefact(
        name="tabacof2018_draw",
        source="Gondim-Ribeiro, Tabacof and Valle 2018, MNIST",
        runs=runs.attacks_of,
        module="draw",
        reduced=True,
        minutes=150,
    ),
)
