"""The tables, figures and claims of the sources, one module each.

A module has `ARTEFACTS`, the names it can make; `runs`, the training runs that
one needs; and `build`, which makes its ledger and pictures of them.
"""

import importlib
from types import ModuleType

_MODULES = ("ming2022",)


def artefacts() -> dict[str, ModuleType]:
    """The module of each artefact, in the order of the sources."""
    modules = [importlib.import_module(f"{__name__}.{name}") for name in _MODULES]
    return {artefact: module for module in modules for artefact in module.ARTEFACTS}
