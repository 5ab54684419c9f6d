"""The tables, figures and claims of the sources, one package each.

`artefact`, `runs` and `claims` are what the sources share; a source's package lists
its `Artefact` objects in `artefacts.ARTEFACTS`, and its name in `_SOURCES` here.
"""

import importlib

from tfsemae.experiments.artefact import Artefact

_SOURCES = ("ming2022", "lu2023", "tabacof2016", "tabacof2018", "scarl2023", "ece417")


def artefacts() -> dict[str, Artefact]:
    """The artefacts by name, in the order of the sources."""
    modules = [
        importlib.import_module(f"{__name__}.{source}.artefacts") for source in _SOURCES
    ]
    return {each.name: each for module in modules for each in module.ARTEFACTS}
