"""The artefacts of Tabacof 2016, in the order of the paper. Free of TensorFlow."""

import functools

from tfsemae.experiments.artefact import Artefact
from tfsemae.experiments.tabacof2016 import runs

_SOURCE = "Tabacof, Tavares and Valle 2016"

ARTEFACTS = (
    Artefact(
        name="tabacof2016_mnist",
        source=f"{_SOURCE}, section 3, Figs. 2 and 3",
        runs=functools.partial(runs.autoencoders, "mnist"),
        module="autoencoders",
        minutes=100,
    ),
    Artefact(
        name="tabacof2016_cifar10",
        source=f"{_SOURCE}, section 3, Figs. 2 and 3, SVHN",
        runs=functools.partial(runs.autoencoders, "cifar10"),
        module="autoencoders",
        reduced=True,
        minutes=115,
    ),
    Artefact(
        name="tabacof2016_classifier",
        source=f"{_SOURCE}, section 4, Figs. 4 and 5",
        runs=runs.classifiers,
        module="classifiers",
        minutes=155,  # with 120 of runs of the other two
    ),
)
