"""What the commands share: flags, output, errors as one line. Free of TensorFlow."""

import json
import math
import os
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from absl import app, flags, logging

from tfsemae import settings, startup

T = TypeVar("T")

# Flags belong to the command that asks for them, not to this module.
flags.disclaim_key_flags()

_HELP = ("help", "helpshort", "helpfull", "helpxml", "?")
_DIGITS = 6  # significant ones of a printed number
#: TensorFlow's error, which is not imported here, and what it says where a tensor
#: that it computes ahead finds no memory.
_MEMORY_ERROR, _MEMORY_TEXT = "ResourceExhaustedError", "Cannot parse tensor from proto"
_ALLOCATION = re.compile(r"(OOM when|failed to|Unable to) allocat[^\n\]]*\]?", re.I)


def define(group: type) -> None:
    """Defines a flag for each setting of a command.

    Args:
        group: see `settings`.
    """
    settings.define(group)


def read(group: type[T]) -> T:
    """Makes settings of the flags that were parsed."""
    return settings.read(group)


def show(found: dict[str, Any]) -> None:
    """Prints what a command found as JSON, numbers to six significant digits.

    `metrics.json` has all digits.
    """
    print(json.dumps(_rounded(found), indent=2))


def run(main: Callable[..., object], *, arguments: bool = False) -> None:
    """Parses the flags and runs a command, as its last line does.

    An error that a user can mend becomes one line on stderr and exit status 1;
    `--verbosity=1` shows its traceback.

    Args:
        main: the command.
        arguments: whether it takes words that are not flags, as a list.
    """
    startup.set_environment()
    values: Any = flags.FLAGS
    values.verbosity = logging.WARNING  # absl lifts a mere default to INFO
    flags.FLAGS.set_gnu_getopt(True)  # flags may follow such words
    # Without the file and the line of code.
    warnings.formatwarning = lambda message, *_, **__: f"Warning: {message}\n"

    def guarded(argv: list[str]) -> None:
        words = argv[1:]
        if words and not arguments:
            sys.exit(f"Error: unexpected {words[0]!r}; --helpshort lists the flags.")
        for flag in flags.FLAGS.get_key_flags_for_module(argv[0]):
            # An unset variable of a shell; "" is a folder, and no classes are all.
            if flag.value in ("", []):
                sys.exit(f"Error: --{flag.name}= is empty. Give it a value.")
        try:
            main(words) if arguments else main()
        except KeyboardInterrupt:
            sys.exit("\nStopped. The same command continues what it has begun.")
        except Exception as error:
            message = _message(error)
            if message is None or flags.FLAGS.verbosity > 0:
                raise
            sys.exit(f"Error: {message}")

    sys.argv = ["--helpshort" if word == "-h" else word for word in sys.argv]
    if any(word.startswith("-") and word.lstrip("-") in _HELP for word in sys.argv):
        _show_help(guarded)
    app.run(guarded)


def _message(error: Exception) -> str | None:
    """The line for an error that a user can mend; None for others."""
    text = str(error)
    exhausted = type(error).__name__ == _MEMORY_ERROR or _MEMORY_TEXT in text
    if isinstance(error, MemoryError) or exhausted:
        wanted = _ALLOCATION.search(text)
        return (
            "The memory does not suffice. Lower --batch_size, or use smaller or fewer "
            f"images{f' ({wanted[0]})' if wanted else ''}."
        )
    if isinstance(error, ValueError | OSError | FloatingPointError):
        return text
    return None


def _show_help(guarded: Callable[[list[str]], None]) -> None:
    # absl ends with status 1; and a reader such as `head` may leave early.
    try:
        app.run(guarded)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except SystemExit:
        _flush_or_leave()
        sys.exit(0)


def _flush_or_leave() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.{_DIGITS}g}")
    return value
