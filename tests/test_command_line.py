import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]

#: A command that does what its flag says; it needs no TensorFlow.
SCRIPT = '''"""Does one thing."""
import dataclasses, sys
from tfsemae import command_line
from tfsemae.settings import setting

@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    do: str = setting("nothing", "What to do.")
    some: tuple[str, ...] | None = setting(None, "Some things.")

class ResourceExhaustedError(Exception):
    """Named as that of TensorFlow, as is the next one."""

class InvalidArgumentError(Exception):
    pass

command_line.define(Settings)

def main(*words):
    do = command_line.read(Settings).do
    if do == "words":
        print(words)
    if do == "log":
        from absl import logging
        logging.info("information")
        logging.warning("warning")
    if do == "show":
        command_line.show({"all": 100, "part": {"tail": 0.1 + 0.2, "third": -2 / 3},
                           "none": None, "tiny": 1.23456789e-7, "count": 123456789,
                           "list": [0.1 + 0.2, "text", {"in": (1 / 3,)}]})
    if do == "environment":
        import os
        print(*(os.environ[name] for name in sorted(os.environ)
                if name.startswith(("TF_ENABLE", "TF_CPP", "KERAS_B"))))
    if do.endswith("Error"):
        kind = globals().get(do) or getattr(__builtins__, do)
        raise kind(sys.stdin.read() or "what is wrong")
    if do == "warn":
        import warnings
        warnings.warn("what is odd")
    if do == "interrupt":
        raise KeyboardInterrupt

if __name__ == "__main__":
    command_line.run(main, arguments="words" in "".join(sys.argv))
    raise AssertionError("absl ends the process")
'''


@pytest.fixture(scope="module")
def command(run_python, tmp_path_factory):
    path = tmp_path_factory.mktemp("command") / "command.py"
    path.write_text(SCRIPT)
    return lambda *arguments, text="": run_python(path, *arguments, input=text)


def test_success(command):
    assert command() == (0, "", [])


@pytest.mark.parametrize("kind", ["ValueError", "OSError", "FloatingPointError"])
def test_what_a_user_can_mend_is_one_line(command, kind):
    assert command(f"--do={kind}") == (1, "", ["Error: what is wrong"])


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        # As NumPy and TensorFlow say it.
        (
            "MemoryError",
            "Unable to allocate 29.2 GiB for an array with shape (10000000, 28, 28)",
            " (Unable to allocate 29.2 GiB for an array with shape (10000000, 28, 28))",
        ),
        (
            "ResourceExhaustedError",
            'Graph execution error:\n\nDetected at node MatMul\n  File "a.py", line 1\n'
            "OOM when allocating tensor with shape[100,28] and type float on CPU\n",
            " (OOM when allocating tensor with shape[100,28])",
        ),
        (
            "InvalidArgumentError",
            "Graph execution error:\n\nCannot parse tensor from proto: dtype: DT_FL\n",
            "",
        ),
        ("MemoryError", "", ""),
    ],
)
def test_memory_that_does_not_suffice_is_one_line_with_the_remedy(
    command, kind, text, wanted
):
    message = (
        "Error: The memory does not suffice. Lower --batch_size, or use smaller or "
        f"fewer images{wanted}."
    )
    assert command(f"--do={kind}", text=text) == (1, "", [message])


def test_verbosity_shows_its_traceback(command):
    ended = command("--do=ValueError", "--verbosity=1")
    assert ended.status == 1
    assert ended.messages[0].startswith("Traceback")
    assert ended.messages[-1] == "ValueError: what is wrong"


def test_what_no_user_can_mend_keeps_its_traceback(command):
    ended = command("--do=KeyError")
    assert ended.status == 1
    assert ended.messages[-1] == "KeyError: 'what is wrong'"


def test_interrupt_says_how_to_go_on(command):
    ended = command("--do=interrupt")
    assert ended.status == 1
    assert (
        ended.messages[-1] == "Stopped. The same command continues what it has begun."
    )
    assert not any("Traceback" in line for line in ended.messages)


def test_information_is_shown_when_it_is_asked_for(command):
    assert "warning" in command("--do=log").messages[-1]
    assert not any("information" in line for line in command("--do=log").messages)
    verbose = command("--do=log", "--verbosity=0").messages
    assert any("information" in line for line in verbose)


def test_a_warning_is_one_line(command):
    assert command("--do=warn") == (0, "", ["Warning: what is odd"])


@pytest.mark.parametrize("name", ["do", "some"])
def test_an_empty_value_is_refused(command, name):
    # As of a variable that is not set, which as a folder would be the current one
    # and as a list, where it selects, everything.
    message = f"Error: --{name}= is empty. Give it a value."
    assert command(f"--{name}=") == (1, "", [message])


def test_words_are_refused_where_there_are_none(command):
    ended = command("digits")
    assert ended.status == 1
    (message,) = ended.messages
    assert message == "Error: unexpected 'digits'; --helpshort lists the flags."


def test_words_and_flags_come_in_any_order(command):
    ended = command("a", "--do=words", "b")
    assert (ended.status, ended.out) == (0, "(['a', 'b'],)\n")


def test_unknown_flag_is_refused(command):
    ended = command("--dos=nothing")
    assert ended.status == 1
    assert "Unknown command line flag 'dos'" in " ".join(ended.messages)
    assert not any("Traceback" in line for line in ended.messages)


def test_numbers_are_shown_with_six_digits(command):
    ended = command("--do=show")
    assert (ended.status, ended.messages) == (0, [])
    assert json.loads(ended.out) == {
        "all": 100,
        "part": {"tail": 0.3, "third": -0.666667},
        "none": None,
        "tiny": 1.23457e-7,
        "count": 123456789,
        "list": [0.3, "text", {"in": [0.333333]}],
    }


def test_environment_of_tensorflow_is_set_where_the_user_has_not(command, monkeypatch):
    names = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert command("--do=environment").out == "tensorflow 2 1\n"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert command("--do=environment").out == "tensorflow 2 0\n"


@pytest.mark.parametrize("flag", ["--help", "--helpshort", "-h", "-?", "--helpfull"])
def test_help_is_no_error(command, flag):
    ended = command(flag)
    assert (ended.status, ended.messages) == (0, [])
    assert "Does one thing." in ended.out
    assert "--do: What to do." in ended.out


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_help_may_be_read_in_part(flag):
    # As by `| head`: no one reads what is written.
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tfsemae.export", flag],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "module",
    [
        "tfsemae",
        "tfsemae.command_line",
        "tfsemae.files",
        "tfsemae.data.catalogue",
        "tfsemae.models.registry",
        "tfsemae.models.verification",
        "tfsemae.progress",
        "tfsemae.run_folder",
        "tfsemae.settings",
        "tfsemae.startup",
        "tfsemae.training",
        *(
            f"tfsemae.{command}"
            for command in (
                "train",
                "attack",
                "evaluate",
                "export",
                "reproduce",
                "audit",
            )
        ),
        *(
            f"tfsemae.benchmarks.{name}"
            for name in ("attacks", "audit", "lbfgsb", "training")
        ),
    ],
)
def test_import_costs_nothing(run_python, module):
    heavy = ("tensorflow", "keras", "numpy", "sklearn", "matplotlib", "snakemake")
    script = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    assert run_python("-c", script) == (0, "[]\n", [])
