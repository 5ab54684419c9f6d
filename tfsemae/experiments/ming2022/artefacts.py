"""The artefacts of Ming 2022, in the order of the paper."""

from tfsemae.experiments.ming2022 import attack, plateau, table2, weight

ARTEFACTS = (table2.ARTEFACT, plateau.ARTEFACT, weight.ARTEFACT, *attack.ARTEFACTS)
