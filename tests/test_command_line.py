import pytest

#: A command of one flag that does what it says; it needs no TensorFlow.
SCRIPT = '''"""Does one thing."""
import sys
from absl import flags
from tfsemae import command_line
flags.DEFINE_string("do", "nothing", "What to do.")
flags.DEFINE_list("some", None, "Some things.")
flags.adopt_module_key_flags(command_line)
def main(*words):
    do = flags.FLAGS.do
    if do == "words":
        print(words)
    if do == "log":
        from absl import logging
        logging.info("information")
        logging.warning("warning")
    if do in ("ValueError", "OSError", "FloatingPointError", "KeyError"):
        raise {"ValueError": ValueError, "OSError": OSError, "KeyError": KeyError,
               "FloatingPointError": FloatingPointError}[do]("what is wrong")
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
    return lambda *arguments: run_python(path, *arguments)


def test_success(command):
    assert command() == (0, "", [])


@pytest.mark.parametrize("kind", ["ValueError", "OSError", "FloatingPointError"])
def test_what_a_user_can_mend_is_one_line(command, kind):
    assert command(f"--do={kind}") == (1, "", ["Error: what is wrong"])


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
    assert ended.messages[-1].endswith("continues from the last checkpoint.")
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


def test_flag_that_doors_share_is_in_the_short_help(command):
    ended = command("--helpshort")
    assert "--data_dir" in ended.out
    assert "--manual_dir" in ended.out


@pytest.mark.parametrize(
    "module",
    [
        "tfsemae",
        "tfsemae.command_line",
        "tfsemae.files",
        "tfsemae.data.catalogue",
        "tfsemae.models.registry",
        *(
            f"tfsemae.{door}"
            for door in ("train", "attack", "evaluate", "export", "reproduce")
        ),
    ],
)
def test_import_costs_nothing(run_python, module):
    heavy = ("tensorflow", "keras", "numpy", "sklearn", "matplotlib", "snakemake")
    script = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    assert run_python("-c", script) == (0, "[]\n", [])
