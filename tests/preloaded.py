"""Runs modules in forks of a process that has imported TensorFlow.

    python tests/preloaded.py

Each line of its input is a request in JSON, see `_run`; each line of its output is the
exit status of one. The import takes some five seconds of each command, and starts no
thread, so that a fork is a process like a new one. What a command sets for the import
is set here as the command does it. Whether a command does that right, and what it does
before, is for tests that start Python anew.
"""

import gc
import json
import os
import runpy
import sys

from tfsemae import startup


def main() -> None:
    """Answers requests until its input ends."""
    startup.load_tensorflow()
    import tfsemae.evaluation
    import tfsemae.training  # noqa: F401

    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(
    module: str,
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    out: str,
    messages: str,
) -> None:
    """Becomes the process of a module.

    Args:
        module: its name, as behind `python -m`.
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
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
