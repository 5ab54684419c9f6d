"""The artefacts of Lu and Chen 2023, in the order of the paper. Free of TensorFlow."""

from tfsemae.experiments.artefact import Artefact
from tfsemae.experiments.lu2023 import runs

_SOURCE = "Lu and Chen 2023"

ARTEFACTS = (
    Artefact(
        name="lu2023_table1",
        source=f"{_SOURCE}, Table 1, Figs. 3 to 9",
        runs=runs.table_1,
        module="table1",
        reduced=True,
    ),
    Artefact(
        name="lu2023_table2",
        source=f"{_SOURCE}, Table 2, Fig. 11",
        runs=runs.table_2,
        module="table2",
        reduced=True,
    ),
    Artefact(
        name="lu2023_adversarial_training",
        source=f"{_SOURCE}, Algorithm 1, Fig. 10",
        runs=runs.adversarial_training,
        module="adversarial_training",
        reduced=True,
    ),
    Artefact(
        name="lu2023_table3",
        source=f"{_SOURCE}, section 4.2, Table 3, Fig. 12",
        runs=runs.table_3,
        module="table3",
        reduced=True,
    ),
)
