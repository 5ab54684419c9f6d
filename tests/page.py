"""Runs the parts of a page in their order, in a fork of preloaded.py; see test_docs.py.

Python shares one namespace, and commands share an import of tfsemae.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile
from typing import Any

import preloaded


class _Commands:
    """Runs commands in forks of a process that is forked before TensorFlow starts."""

    def __init__(self) -> None:
        requests, self._requests = (os.fdopen(*end) for end in _pipe())
        self._answers, answers = (os.fdopen(*end) for end in _pipe())
        if not os.fork():
            self._requests.close()
            self._answers.close()
            modules = ["tfsemae.evaluation", "tfsemae.training"]
            preloaded.serve(modules, requests, answers)
            sys.exit()
        requests.close()
        answers.close()

    def run(self, module: str, *arguments: str) -> None:
        """Runs a module; where that fails, ends with its messages."""
        with tempfile.TemporaryDirectory() as written:
            request = {
                "module": module,
                "arguments": arguments,
                "folder": os.getcwd(),
                "environment": dict(os.environ),
                "out": written + "/out",
                "messages": written + "/messages",
            }
            print(json.dumps(request), file=self._requests, flush=True)
            if self._answers.readline() != "0\n":
                sys.exit(pathlib.Path(request["messages"]).read_text("utf-8"))


def _pipe() -> list[tuple[int, str]]:
    reading, writing = os.pipe()
    return [(reading, "r"), (writing, "w")]


def main(page: str, cache: pathlib.Path, parts: list[dict[str, Any]]) -> None:
    """Runs the parts.

    Args:
        page: path of the page, for tracebacks.
        cache: of runs that several pages show, by their keys.
        parts: see `test_docs`.
    """
    sys.path[0] = ""  # as at a prompt
    commands = _Commands()
    namespace = {"__name__": "__main__"}
    for part in parts:
        if "python" in part:
            # Blank lines in front: a traceback has the line numbers of the page.
            text = "\n" * part["line"] + part["python"]
            exec(compile(text, page, "exec"), namespace)
            continue
        made, folder = cache / (part["key"] or "-"), part["folder"]
        if part["key"] and made.exists() and not os.path.exists(folder):
            shutil.copytree(made, folder)
            continue
        commands.run(*part["words"])
        if part["key"] and not made.exists():
            shutil.copytree(folder, made)


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), json.loads(sys.argv[3]))
