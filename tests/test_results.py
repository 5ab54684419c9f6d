"""README and results/ say what the ledgers and the code say."""

import pathlib
import re

import pytest

from tfsemae import settings, training
from tfsemae.experiments import reproduction
from tfsemae.reports import Ledger, headlines, page, readme, sentences
from tfsemae.training.settings import Run

_ROOT = pathlib.Path(__file__).parents[1]
_LANDED = sorted(path.parent for path in _ROOT.glob("results/*/ledger.json"))


@pytest.fixture
def ledgers(monkeypatch):
    monkeypatch.chdir(_ROOT)
    return reproduction.landed()


def test_results_in_readme_are_those_of_the_ledgers(ledgers):
    assert readme.is_current(_ROOT / "README.md", ledgers)


def test_pages_of_results_are_those_of_the_ledgers(ledgers, tmp_path):
    page.write(tmp_path, ledgers, pictures_from=_ROOT / "results")
    made = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    landed = {
        path.name: path.read_text("utf-8")
        for path in (_ROOT / "results").glob("*.html")
    }
    assert landed.keys() == made.keys()
    for name, text in made.items():
        assert landed[name] == text, name


def test_pages_are_small(ledgers):
    sources = {ledger.source_key for ledger in ledgers}
    for source in sources:
        assert (_ROOT / "results" / f"{source}.html").stat().st_size < 1_000_000
    assert (_ROOT / "results" / "index.html").stat().st_size < 30_000


def test_each_placeholder_of_a_text_names_something(ledgers):
    known = reproduction.experiments.artefacts().keys()
    for path in sentences.TEXTS.iterdir():
        sentences.text(path.stem, ledgers)  # raises where one names nothing
        text = path.read_text("utf-8")
        # What has not landed is left out, but it is something that may land.
        assert set(re.findall(r"(?:\]\(|\{)([a-z0-9_]+)[/:]", text)) <= known


def test_readme_has_few_lines_per_source(ledgers):
    for group in headlines.by_source(ledgers).values():
        tables = [readme.numbers_table(group), readme.claims_table(group)]
        assert 0 < sum(table.count("ledger.json) ") for table in tables) < 20


def test_texts_choose_few_claims_of_artefacts():
    for path in sentences.TEXTS.iterdir():
        chosen = sentences.chosen(path.stem)
        assert chosen.keys() <= reproduction.experiments.artefacts().keys()
        # Whether they have landed or not; two of one statement share a line.
        assert sum(map(len, chosen.values())) < 20


def test_each_landed_ledger_is_of_a_known_artefact(ledgers):
    assert [ledger.artefact for ledger in ledgers] == [
        artefact
        for artefact in reproduction.experiments.artefacts()
        if _ROOT / "results" / artefact in _LANDED
    ]
    assert len(ledgers) == len(_LANDED)


#: The defaults are for the networks of Ming 2022; others have them in flagfiles.
_OF_DEFAULTS = [folder for folder in _LANDED if folder.name.startswith("ming2022")]


@pytest.mark.parametrize("folder", _OF_DEFAULTS, ids=lambda folder: folder.name)
def test_landed_choices_are_the_defaults(folder):
    defaults = settings.flat(training.Settings(run=Run(output_dir="unused")))
    # The attacker of Ming 2022, section IV, is told so.
    defaults["shuffle_labels"] = True
    if folder.name.startswith("ming2022_cifar10"):
        del defaults["semantic_weight"]  # that of the first attacker is 1
    for choice in Ledger.read(folder).choices:
        assert choice.value == defaults.get(choice.flag, choice.value)


@pytest.mark.parametrize("folder", _LANDED, ids=lambda folder: folder.name)
def test_nothing_of_a_smoke_test_has_landed(folder):
    ledger = Ledger.read(folder)
    assert ledger.scale != "smoke"
    for picture in ledger.pictures:
        assert (folder / picture.file).stat().st_size < 300_000


def test_ci_runs_the_command_of_readme():
    blocks = re.findall(
        r"```bash\n(.+?)\n```", (_ROOT / "README.md").read_text("utf-8")
    )
    (command,) = [block for block in blocks if "pytest" in block]
    assert f"\n{command}\n" in (_ROOT / ".ci" / "run").read_text("utf-8")


def test_pictures_of_readme_are_there():
    text = (_ROOT / "README.md").read_text("utf-8")
    paths = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert paths
    for path in paths:
        assert (_ROOT / path).exists(), path
