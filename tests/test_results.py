"""README and results/ say what the ledgers and the code say."""

import pathlib
import re

import pytest

from tfsemae.experiments import reproduction
from tfsemae.experiments.ming2022 import plan
from tfsemae.reports import Ledger, page, readme

_ROOT = pathlib.Path(__file__).parents[1]
_LANDED = sorted(path.parent for path in _ROOT.glob("results/*/ledger.json"))


@pytest.fixture
def ledgers(monkeypatch):
    monkeypatch.chdir(_ROOT)
    return reproduction.landed()


def test_table_of_results_is_that_of_the_ledgers(ledgers):
    assert readme.is_current(_ROOT / "README.md", ledgers)


def test_page_of_results_is_that_of_the_ledgers(ledgers, tmp_path):
    page.write(tmp_path / "index.html", ledgers, pictures_from=_ROOT / "results")
    landed = (_ROOT / "results" / "index.html").read_text("utf-8")
    assert landed == (tmp_path / "index.html").read_text("utf-8")


def test_each_landed_ledger_is_of_a_known_artefact(ledgers):
    assert [ledger.artefact for ledger in ledgers] == [
        artefact
        for artefact in reproduction.experiments.artefacts()
        if _ROOT / "results" / artefact in _LANDED
    ]
    assert len(ledgers) == len(_LANDED)


@pytest.mark.parametrize("folder", _LANDED, ids=lambda folder: folder.name)
def test_landed_choices_are_the_defaults(folder):
    defaults = {
        "loss": plan.LOSS,
        "initializer": plan.INITIALIZER,
        "semantic_weight": plan.WEIGHT,
        # Those that Ming 2022, section IV, leaves open.
        "train_decoder": False,
        "encoder_from": None,
        "shuffle_labels": True,
    }
    for choice in Ledger.read(folder).choices:
        assert choice.value == defaults[choice.flag]


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
