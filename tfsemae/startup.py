"""What happens before TensorFlow is imported: its environment, and its notes."""

import importlib
import os
import re
import sys
import tempfile

#: Set where the user has not. On processors without AVX-512 TensorFlow leaves oneDNN
#: off by itself, which makes a training step take 1.4 to 1.7 times as long.
ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
#: Notes about logging, the processor and missing GPU libraries, written before
#: TensorFlow's own log level has an effect.
_NOTES = re.compile(
    r"[IWE]0000 00:00|[IWE]\d{4} \d\d:|\d{4}-\d\d-\d\d .*: [IWE] "
    r"|WARNING: All log messages before|To enable the following instructions"
    r"|.*\] failed call to cuInit"  # TensorFlow 2.20, where there is no GPU
)


def set_environment() -> None:
    """Sets what TensorFlow and Keras read when they are imported.

    Commands call it first. A program that imports the library sets
    `TF_ENABLE_ONEDNN_OPTS=1` itself, before it imports TensorFlow.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def load_tensorflow() -> None:
    """Imports TensorFlow and finds the devices, without the notes on stderr.

    Whatever else is written there meanwhile is shown afterwards. Without effect
    where TensorFlow is imported already.
    """
    if "tensorflow" in sys.modules:
        return
    set_environment()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as notes:
        terminal = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            tensorflow = importlib.import_module("tensorflow")
            tensorflow.config.list_physical_devices()
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            notes.seek(0)
            for line in notes.read().decode(errors="replace").splitlines():
                if not _NOTES.match(line):
                    print(line, file=sys.stderr)
