"""Runs modules in forks of a process that has imported TensorFlow.

    python tests/preloaded.py tfsemae.training

Its arguments are modules to import besides. Each line of its input is a request in
JSON, see `_run`; each line of its output is the exit status of one. The import takes
some five seconds of each command, and starts no thread, so that a fork is a process
like a new one. What a command sets for the import is set here as the command does it.
Whether a command does that right, and what it does before, is for tests that start
Python anew.
"""

import gc
import importlib
import json
import os
import runpy
import sys
from typing import TextIO

from tfsemae import startup


def serve(modules: list[str], requests: TextIO, answers: TextIO) -> None:
    """Imports TensorFlow and modules, and answers requests until there are no more."""
    startup.load_tensorflow()
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    for line in requests:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _run(
    module: str,
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    out: str,
    messages: str,
) -> None:
    """Becomes the process of a module or script.

    Args:
        module: its name, as behind `python -m`, or the path of a script.
        arguments: of the command line.
        folder: in which it runs.
        environment: all variables.
        out: file of what it writes on stdout.
        messages: file of what it writes on stderr.
    """
    for number, path in enumerate((os.devnull, out, messages)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    if module.endswith(".py"):
        sys.path.insert(0, os.path.dirname(module))
        runpy.run_path(module, run_name="__main__")
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    serve(sys.argv[1:], sys.stdin, sys.stdout)
