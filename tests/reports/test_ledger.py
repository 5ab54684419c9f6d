import json

import pytest

from tfsemae.reports import Ledger

# The form that readers of `results/` rely on, written out by hand.
EXPECTED = {
    "artefact": "paper_mnist",
    "source": "Ming 2022, Table II",
    "scale": "full",
    "command": "./reproduce.sh paper_mnist",
    "revision": "0123456789abcdef0123456789abcdef01234567+",
    "versions": {"python": "3.11.7", "keras": "3.15.1"},
    "machine": {"processor": "A Processor", "cores": 2},
    "seconds": 9060.0,
    "rows": [
        {
            "id": "psnr",
            "quantity": "PSNR, semantic",
            "unit": "dB",
            "printed": 25.10,
            "measured": 25.35,
            "sd": 0.125,
            "n": 5,
            "difference": 0.25,
            "tag": "as printed",
            "note": "whole test set",
            "values": [],
            "low": None,
            "high": None,
        },
        {
            "id": "silhouette",
            "quantity": "silhouette",
            "unit": "",
            "printed": None,
            "measured": 0.0871,
            "sd": None,
            "n": 1,
            "difference": None,
            "tag": "our choice",
            "note": "",
            "values": [],
            "low": None,
            "high": None,
        },
    ],
    "claims": [
        {
            "id": "1",
            "statement": "Labels cost next to nothing.",
            "measurement": "paired difference of PSNR in dB",
            "effect": -1.044,
            "low": -1.13,
            "high": -0.951,
            "verdict": "does not hold",
            "note": "",
            "part_of": None,
            "unit": "",
            "bounds": [],
            "signed": True,
            "detectable": False,
        },
        {
            "id": "2",
            "statement": "Both at once.",
            "measurement": "does a weight exist",
            "effect": None,
            "low": None,
            "high": None,
            "verdict": "undecided",
            "note": "too few seeds",
            "part_of": None,
            "unit": "",
            "bounds": [],
            "signed": True,
            "detectable": False,
        },
    ],
    "pictures": [{"file": "figure_3.png", "caption": "Fig. 3: digits. Seed 0."}],
    "choices": [{"flag": "loss", "value": "mse", "reason": "leaves the plateau"}],
    "warnings": [{"name": "too_weak", "text": "restarts gain 12 %"}],
}


def change(folder, edit):
    """Applies `edit` to the json of the ledger in `folder`."""
    path = folder / "ledger.json"
    entry = json.loads(path.read_text())
    edit(entry)
    path.write_text(json.dumps(entry))


def test_file_has_the_agreed_form(ledger, tmp_path):
    path = ledger.write(tmp_path / "paper_mnist")
    assert path == tmp_path / "paper_mnist" / "ledger.json"
    found = json.loads(path.read_text())
    expected = json.loads(json.dumps(EXPECTED))
    # 25.35 - 25.10 in binary is 2e-15 off the 0.25 of the decimal system.
    assert found["rows"][0].pop("difference") == pytest.approx(0.25, abs=1e-14)
    assert expected["rows"][0].pop("difference") == 0.25
    assert found == expected
    assert [list(row) for row in json.loads(path.read_text())["rows"]] == [
        list(row) for row in EXPECTED["rows"]
    ]


def test_read_returns_what_was_written(ledger, tmp_path):
    ledger.write(tmp_path)
    assert Ledger.read(tmp_path) == ledger


def test_text_beyond_ascii_is_kept(make_ledger, tmp_path):
    ledger = make_ledger(source="Fr\u00e9chet, \u2212 and \U0001f40d")
    ledger.write(tmp_path)
    assert Ledger.read(tmp_path) == ledger


def test_nothing_but_the_ledger_is_left(ledger, tmp_path):
    ledger.write(tmp_path)
    ledger.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.json"]


def test_claim_without_note_is_read(ledger, tmp_path):
    ledger.write(tmp_path)
    change(tmp_path, lambda entry: entry["claims"][0].pop("note"))
    assert Ledger.read(tmp_path) == ledger


def test_ledger_of_an_earlier_version_is_read(ledger, tmp_path):
    def drop(entry):
        for row in entry["rows"]:
            for name in ("values", "low", "high"):
                del row[name]
        for claim in entry["claims"]:
            for name in ("part_of", "unit", "bounds", "signed", "detectable"):
                del claim[name]

    ledger.write(tmp_path)
    change(tmp_path, drop)
    assert Ledger.read(tmp_path) == ledger


def test_source_key_is_the_first_part_of_the_artefact(make_ledger):
    assert make_ledger("lu2023_tables_vae").source_key == "lu2023"
    assert make_ledger("ece417").source_key == "ece417"


def test_no_file_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"ledger\.json"):
        Ledger.read(tmp_path)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_truncated_file_is_refused(ledger, tmp_path, part):
    path = ledger.write(tmp_path)
    text = path.read_text().rstrip()
    path.write_text(text[: int(part * len(text))])
    with pytest.raises(ValueError, match=r"ledger\.json is cut short or not JSON"):
        Ledger.read(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "ledger.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="cut short or not JSON"):
        Ledger.read(tmp_path)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda entry: entry.pop("scale"), "`scale` is missing"),
        (lambda entry: entry.update(extra=1), "`extra` is no field.*extra=1"),
        (lambda entry: entry.update(rows={}), r"`rows` must be .*rows=\{\}"),
        (lambda entry: entry.update(rows=[3]), r"`rows\[0\]` must be .*3"),
        (lambda entry: entry["rows"][0].pop("difference"), "difference"),
        (lambda entry: entry["rows"][0].update(measured=26.0), "measured - printed"),
        (lambda entry: entry["rows"][1].update(difference=0.0), "measured - printed"),
        (lambda entry: entry["claims"][0].update(verdict="true"), "verdict='true'"),
        (
            lambda entry: entry["rows"][0].update(sd=float("nan")),
            r"`rows\[0\]\.sd` .*sd=nan",
        ),
        (lambda entry: entry["machine"].update(cores=[2]), r"cores=\[2\]"),
        (
            lambda entry: entry["rows"][0].update(low=1),
            r"`rows\[0\]`: `low` and `high`",
        ),
        (
            lambda entry: entry["claims"][0].pop("verdict"),
            r"`claims\[0\].verdict` is m",
        ),
    ],
)
def test_foreign_or_edited_file_is_refused(ledger, tmp_path, edit, message):
    ledger.write(tmp_path)
    change(tmp_path, edit)
    with pytest.raises(
        ValueError, match=rf"ledger\.json is not a ledger: .*{message}"
    ) as caught:
        Ledger.read(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_other_json_is_refused(tmp_path, content):
    (tmp_path / "ledger.json").write_text(content)
    with pytest.raises(ValueError, match="the file must hold an object"):
        Ledger.read(tmp_path)
