import os

import pytest

from tfsemae import startup


def test_environment_is_set_where_the_user_has_not(monkeypatch):
    for name in startup.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    startup.set_environment()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


#: A module in the place of TensorFlow that writes as it does while it is imported:
#: from C++, past `sys.stderr`.
TENSORFLOW = """
import os
for line in {lines!r}:
    os.write(2, line.encode() + b"\\n")
class config:
    @staticmethod
    def list_physical_devices():
        os.write(2, b"2024-01-01 00:00:00.1: W a.cc:1] Cannot dlopen some GPU\\n")
{last}
"""
NOTES = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to",
    "I0000 00:00:1795717552.831390   13089 cudart_stub.cc:31] Could not find cuda",
    "W0000 00:00:1795717552.831390   13089 cpu_feature_guard.cc:227] This binary",
    "E0000 00:00:1795717552.831390   13089 cuda_dnn.cc:1] Unable to register cuDNN",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild",
    "2024-01-01 00:00:00.123: I tensorflow/core/util/port.cc:153] oneDNN custom",
]
OTHERS = ["Segmentation fault", "  WARNING: of a driver", "E is the second line"]


@pytest.fixture
def load(run_python, tmp_path):
    """Loads what stands in for TensorFlow, in a process of its own."""

    def run(lines, last=""):
        text = TENSORFLOW.format(lines=lines, last=last)
        (tmp_path / "tensorflow.py").write_text(text)
        script = (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
            "from tfsemae import startup\n"
            "startup.load_tensorflow()\n"
            "print('loaded', file=sys.stderr, flush=True)\n"
            "startup.load_tensorflow()\n"
        )
        return run_python("-c", script)

    return run


def test_notes_of_tensorflow_are_not_shown(load):
    assert load(NOTES) == (0, "", ["loaded"])


def test_what_else_is_written_meanwhile_is_shown(load):
    mixed = [NOTES[0], OTHERS[0], NOTES[1], *OTHERS[1:]]
    assert load(mixed) == (0, "", [*OTHERS, "loaded"])


def test_an_import_that_fails_says_why(load):
    ended = load([*NOTES, OTHERS[0]], "raise ImportError('no such library')")
    assert ended.status == 1
    assert ended.messages[0] == OTHERS[0]
    assert ended.messages[-1] == "ImportError: no such library"
