"""What the commands share: flags, and errors as one message. Free of TensorFlow."""

import dataclasses
import os
import sys
import warnings
from collections.abc import Callable
from typing import TypeVar

from absl import app, flags, logging

T = TypeVar("T")

flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of prepared TFDS data sets. Default: $TFDS_DATA_DIR, else TFDS' own.",
)
flags.DEFINE_string(
    "manual_dir",
    None,
    "Folder with the original archives of a data set in <manual_dir>/<name>/; they "
    "are checked and prepared without a network.",
)


def read(settings: type[T]) -> T:
    """Makes settings of the flags.

    Args:
        settings: a dataclass whose fields are named as flags of the command.

    Returns:
        An instance with the values of the flags.
    """
    fields = dataclasses.fields(settings)  # type: ignore[arg-type]
    names = [field.name for field in fields]
    return settings(**{name: flags.FLAGS[name].value for name in names})


def run(main: Callable[..., object], *, arguments: bool = False) -> None:
    """Parses the flags and runs a command, as its last line does.

    An error that a user can mend becomes one line on stderr and exit status 1;
    `--verbosity=1` shows its traceback.

    Args:
        main: the command.
        arguments: whether it takes words that are not flags, as a list.
    """
    # TensorFlow's own notes about the processor would stand before the message.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # absl lifts a mere default to INFO.
    flags.FLAGS.verbosity = logging.WARNING  # type: ignore[assignment]
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
            sys.exit("\nStopped. The same command continues from the last checkpoint.")
        except (ValueError, OSError, FloatingPointError) as error:
            if flags.FLAGS.verbosity > 0:
                raise
            sys.exit(f"Error: {error}")

    app.run(guarded)
