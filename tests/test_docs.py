"""What README and the site show runs as it is shown."""

import collections
import doctest
import functools
import hashlib
import importlib
import json
import pathlib
import re
import shlex
import textwrap
from typing import NamedTuple

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_PAGES = [_ROOT / "README.md", _ROOT / "docs/index.md", *_ROOT.glob("docs/guide/*.md")]
_FENCE = re.compile(r"^( *)```(python|bash)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(
    r"^    (?:python -m tfsemae\.|\./reproduce\.sh).*(?:\n {8}--.*)*", re.MULTILINE
)
_BUILT_IN = ("digits", "synthetic")
_FOLDERS_READ = ("model", "model_dir", "attacker_dir", "decoder_from", "encoder_from")
#: In place of the full length.
_SHORT = {
    "tfsemae.train": ["--steps=10"],
    "tfsemae.audit": ["--examples=2"],
}

#: Parses each command line with the flags of its module.
_PARSE = """
import copy, importlib.util, json, sys
from absl import flags
name = sys.argv[1]
if importlib.util.find_spec(name).submodule_search_locations:  # a package
    name += ".__main__"
importlib.import_module(name)
flags.FLAGS.set_gnu_getopt(True)
for words in json.loads(sys.argv[2]):
    try:
        copy.deepcopy(flags.FLAGS)(["command", *words])
    except flags.Error as error:
        sys.exit(f"{words}: {error}")
"""


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    line: int  # of its first line, from 0
    text: str


class Command(NamedTuple):
    """A call of one of our commands."""

    module: str
    words: list[str]

    def flag(self, name):
        prefix = f"--{name}="
        values = [word for word in self.words if word.startswith(prefix)]
        return values[-1].removeprefix(prefix) if values else None


def _blocks(page):
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start(3))
        yield Block(found[2], line, textwrap.dedent(found[3]))


def _commands(text):
    for line in text.replace("\\\n", " ").splitlines():
        for part in line.split(" && "):
            words = shlex.split(part, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words[:1] == ["./reproduce.sh"]:
                end = words.index("--") if "--" in words else None
                yield Command("tfsemae.reproduce", words[1:end])
            elif words[:2] == ["python", "-m"] and words[2].startswith("tfsemae."):
                yield Command(words[2], words[3:])


def _all_commands():
    by_module = collections.defaultdict(list)
    for page in _PAGES:
        for block in _blocks(page):
            if block.language == "bash":
                for command in _commands(block.text):
                    by_module[command.module].append(command.words)
    return by_module


def _docstring_commands():
    """Calls in docstrings; a flag behind a line break is set in by 8 spaces."""
    by_module = collections.defaultdict(list)
    for path in sorted(_ROOT.glob("tfsemae/**/*.py")):
        for call in _CALL.findall(path.read_text("utf-8")):
            lines = (re.split(" {2,}", line.strip())[0] for line in call.splitlines())
            for command in _commands(" ".join(lines)):
                words = [w for w in command.words if not w.startswith("--flagfile=")]
                by_module[command.module].append(words)
    return by_module


def _runs_here(command, not_made):
    """Whether a command needs neither the network nor what needs it."""
    if command.module == "tfsemae.reproduce":
        return False
    if not_made.intersection(map(command.flag, _FOLDERS_READ)):
        return False
    if (command.flag("flagfile") or "").startswith("flags/"):
        return False
    dataset = command.flag("dataset")
    if dataset is None:
        return command.module != "tfsemae.train"
    return dataset in _BUILT_IN or dataset.endswith(".npz")


def _shortened(command):
    return [*command.words, *_SHORT.get(command.module, [])]  # the last one counts


def _key(command):
    """Name of a training run that is the same on all pages, or None."""
    own = [command.flag(name) for name in (*_FOLDERS_READ, "flagfile")]
    if command.module != "tfsemae.train" or any(own):
        return None
    if command.flag("dataset") not in _BUILT_IN:
        return None
    return hashlib.sha256(shlex.join(command.words).encode()).hexdigest()


def _parts(page):
    """What of a page is run, in order."""
    not_made = set()
    for block in _blocks(page):
        if block.language == "python":
            yield {"python": block.text, "line": block.line}
            continue
        for command in _commands(block.text):
            if not _runs_here(command, not_made):
                not_made.add(command.flag("output_dir"))
                continue
            yield {
                "words": [command.module, *_shortened(command)],
                "key": _key(command),
                "folder": command.flag("output_dir"),
            }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of training runs that several pages show."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture(scope="module")
def run_page(preload):
    """Runs the parts of a page, see page.py.

    The process has not imported tfsemae: a page that lacks an import is found.
    """
    return functools.partial(preload(), pathlib.Path(__file__).with_name("page.py"))


@pytest.mark.parametrize(
    "page",
    [page for page in _PAGES if list(_parts(page))],
    ids=lambda page: page.stem,
)
def test_page_runs_as_it_is_shown(page, run_page, trained, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    parts = json.dumps(list(_parts(page)))
    ended = run_page(page, trained, parts, cwd=tmp_path)
    assert ended.status == 0, "\n".join(ended.messages)


@pytest.mark.parametrize("module", list(_all_commands()))
def test_commands_parse(module, run_python):
    words = json.dumps(_all_commands()[module])
    ended = run_python("-c", _PARSE, module, words, cwd=_ROOT)
    assert ended.status == 0, "\n".join(ended.messages)


@pytest.mark.parametrize("module", list(_docstring_commands()))
def test_commands_of_docstrings_parse(module, run_python):
    words = json.dumps(_docstring_commands()[module])
    ended = run_python("-c", _PARSE, module, words, cwd=_ROOT)
    assert ended.status == 0, "\n".join(ended.messages)


def test_each_command_is_shown():
    paths = [*_ROOT.glob("tfsemae/*.py"), *_ROOT.glob("tfsemae/*/__main__.py")]
    commands = {
        f"tfsemae.{path.parent.name if path.stem == '__main__' else path.stem}"
        for path in paths
        if "command_line.run(main" in path.read_text("utf-8")
    }
    assert commands <= set(_all_commands())


def test_unknown_flag_of_a_page_is_found(run_python):
    words = json.dumps([["--datasett=digits", "--output_dir=runs/digits"]])
    ended = run_python("-c", _PARSE, "tfsemae.train", words)
    assert "Unknown command line flag 'datasett'" in ended.messages[-1]


def test_guide_lists_the_warnings_of_an_audit():
    checks = importlib.import_module("tfsemae.audit.checks")
    guide = (_ROOT / "docs/guide/audit.md").read_text("utf-8")
    table = guide.partition("\n## Warnings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.MULTILINE)
    assert rows == [(name, each.condition) for name, each in checks.CAUSES.items()]


def test_paths_of_readme_exist():
    text = (_ROOT / "README.md").read_text("utf-8")
    paths = re.findall(r"`((?:docs|flags|results|tfsemae)/[\w./]*)`", text)
    assert paths
    for path in paths:
        assert (_ROOT / path).exists(), path


def _modules_with_examples():
    for path in sorted(_ROOT.glob("tfsemae/**/*.py")):
        if re.search(r"^ *>>> ", path.read_text("utf-8"), re.MULTILINE):
            yield ".".join(path.relative_to(_ROOT).with_suffix("").parts)


@pytest.mark.parametrize("name", list(_modules_with_examples()))
def test_examples_of_docstrings_run(name):
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert found.attempted
    assert not found.failed
