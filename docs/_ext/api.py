"""Pages of the API: what each public package exports, by its docstrings.

Docstrings are plain text with single backticks and formulas in ASCII; before
they are read as reStructuredText, what that would take for markup is escaped.
"""

import importlib
import inspect
import pathlib
import re

from sphinx.application import Sphinx

#: Package -> title, and the names to show where `__all__` does not give them.
PACKAGES = {
    "tfsemae.data": ("Data sets", ()),
    "tfsemae.models": (
        "Models",
        (
            "Autoencoder",
            "Classifier",
            "GradientReversal",
            "build",
            "float64_copy",
            "load",
        ),
    ),
    "tfsemae.training": ("Training", ()),
    "tfsemae.evaluation": ("Evaluation", ()),
    "tfsemae.attacks": ("Attacks", ()),
    "tfsemae.metrics": ("Metrics", ()),
    "tfsemae.objectives": ("Losses and regularisers", ()),
    "tfsemae.statistics": ("Statistics", ()),
    "tfsemae.reports": ("Ledgers", ()),
}
_CODE = re.compile(r"(`[^`]*`)")
_MARKUP = re.compile(r"[*|]|(?<=\w)_(?!\w)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before Sphinx reads; escapes each docstring."""
    app.connect("builder-inited", _write_pages)
    # Before napoleon, which has the priority 500.
    app.connect("autodoc-process-docstring", _escape, priority=100)
    return {"parallel_read_safe": True}


def _write_pages(app: Sphinx) -> None:
    folder = pathlib.Path(app.srcdir, "api")
    folder.mkdir(exist_ok=True)
    names = [name for name in PACKAGES if _exported(name)]
    for name in names:
        _write(folder / f"{name}.md", _page(name))
    entries = "\n".join(names)
    _write(folder / "index.md", f"# API\n\n```{{toctree}}\n{entries}\n```\n")


def _write(path: pathlib.Path, text: str) -> None:
    # An unchanged page is not read again.
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def _exported(package: str) -> tuple[str, ...]:
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return ()
    return tuple(getattr(module, "__all__", PACKAGES[package][1]))


def _page(package: str) -> str:
    title, _ = PACKAGES[package]
    lines = [f"# {title}", "", "```{eval-rst}", f".. automodule:: {package}", ""]
    module = importlib.import_module(package)
    for name in _exported(package):
        found = getattr(module, name)
        if inspect.isclass(found):
            lines += [f".. autoclass:: {package}.{name}", "   :members:", ""]
        elif inspect.isroutine(found):
            lines += [f".. autofunction:: {package}.{name}", ""]
        elif inspect.ismodule(found):
            lines += [f".. automodule:: {found.__name__}", "   :members:", ""]
        else:
            lines += [f".. autodata:: {package}.{name}", "   :no-value:", ""]
    return "\n".join([*lines, "```", ""])


def _escape(app, what, name, obj, options, lines: list[str]) -> None:
    del app, what, obj, options
    if lines and lines[0].startswith("Alias for field number"):
        lines[:] = [_comment_of_field(name)]
    escaped, block = [], None  # indentation of the text that a formula follows
    example = False
    for index, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if block is not None or example:
            escaped.append(line)
            continue
        if line == "Returns:":
            # Napoleon takes what stands before a colon in it for a type.
            line = ":returns:"
        elif line.endswith(":") and _starts_block(lines, index, indent):
            block, line = indent, f"{line}:"
        escaped.append(_escaped(line))
    lines[:] = escaped


def _comment_of_field(name: str) -> str:
    """The comment behind a field of a named tuple, which has no docstring."""
    owner, _, field = name.rpartition(".")
    package, _, kind = owner.rpartition(".")
    source = inspect.getsource(getattr(importlib.import_module(package), kind))
    found = re.search(rf"^    {field}\b.*?  # (.*)$", source, re.MULTILINE)
    return found[1] if found else ""


def _starts_block(lines: list[str], index: int, indent: int) -> bool:
    """Whether an indented paragraph follows after a blank line."""
    rest = lines[index + 1 : index + 3]
    if len(rest) < 2 or rest[0].strip() or not rest[1].strip():
        return False
    return len(rest[1]) - len(rest[1].lstrip()) > indent


def _escaped(line: str) -> str:
    parts = _CODE.split(line)
    return "".join(
        part if part.startswith("`") else _MARKUP.sub(r"\\\g<0>", part)
        for part in parts
    )
