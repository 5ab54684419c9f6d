"""Keras' global settings, which another project may have changed.

Keras reads `~/.keras/keras.json` and the variables `KERAS_*` when it is imported,
and a program may change the same settings later. They decide which networks are
built and how long `fit` runs. Importing this module imports neither Keras nor
TensorFlow.
"""

import contextlib
import json
import os
import pathlib
import sys
from collections.abc import Iterator

_REMEDY = (
    "Set the environment variable KERAS_BACKEND=tensorflow, which goes before "
    "keras.json, and start Python again."
)


def require_tensorflow_backend() -> None:
    """Refuses a Keras that computes with anything but TensorFlow.

    Call it before the first import of Keras: with another backend, that import
    fails where JAX or PyTorch is not installed.

    Raises:
        ValueError: if another backend is or would be selected.
    """
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "config"):  # imported to its end
        backend, source = keras.config.backend(), "the Keras that is imported"
    else:
        backend, source = _configured()
    if backend != "tensorflow":
        raise ValueError(
            f"tfsemae needs Keras on TensorFlow, but {source} selects "
            f"{backend!r}. {_REMEDY}"
        )


@contextlib.contextmanager
def standard() -> Iterator[None]:
    """Gives Keras its standard settings during the body, or a function's call.

    These are `floatx` and dtype policy float32, `epsilon` 1e-7, image data format
    channels_last, and no limits of `KERAS_MAX_EPOCHS` and
    `KERAS_MAX_STEPS_PER_EPOCH`. The caller's settings come back afterwards. The
    dtype policy is that of the current thread, the others are of the process.

    Raises:
        ValueError: see `require_tensorflow_backend`.
    """
    require_tensorflow_backend()
    from keras import config
    from keras.src.backend.common import global_state

    # Read directly: `config.dtype_policy()` fixes a policy that nobody has set, and
    # `floatx` would have no effect on it from then on.
    policy = global_state.get_global_attribute("dtype_policy")
    standards = {
        "floatx": "float32",
        "epsilon": 1e-7,
        "image_data_format": "channels_last",
        "max_epochs": None,
        "max_steps_per_epoch": None,
    }
    # Versions before 3.10 have no limits.
    names = [name for name in standards if hasattr(config, name)]
    before = {name: getattr(config, name)() for name in names}
    try:
        for name in names:
            getattr(config, f"set_{name}")(standards[name])
        config.set_dtype_policy("float32")
        yield
    finally:
        for name, value in before.items():
            getattr(config, f"set_{name}")(value)
        global_state.set_global_attribute("dtype_policy", policy)


def _configured() -> tuple[str, str]:
    """The backend that Keras would select, and what selects it."""
    backend = os.environ.get("KERAS_BACKEND")
    if backend:
        return backend, "KERAS_BACKEND"
    # As keras.src.backend.config finds it.
    home = os.path.expanduser("~")
    default = os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")
    path = pathlib.Path(os.environ.get("KERAS_HOME", default), "keras.json")
    try:
        settings = json.loads(path.expanduser().read_text("utf-8"))
        return str(settings.get("backend", "tensorflow")), str(path)
    except (OSError, ValueError, AttributeError, RuntimeError):
        return "tensorflow", "its default"  # Keras ignores what it cannot read
