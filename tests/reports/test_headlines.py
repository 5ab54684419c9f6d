import dataclasses

import pytest

from tfsemae.reports import headlines


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("It works", ("It works", "")),
        ("It works (weight 1)", ("It works", "weight 1")),
        ("It works (Fig. 6)", ("It works (Fig. 6)", "")),
        ("It works (Fig. 6) (weight 1)", ("It works (Fig. 6)", "weight 1")),
        ("It works, eq. (7) (weight 1)", ("It works, eq. (7)", "weight 1")),
        ("It works: PSNR", ("It works", "PSNR")),
        ("It works: PSNR (weight 1)", ("It works", "PSNR, weight 1")),
    ],
)
def test_subject_of_a_statement(statement, expected):
    assert headlines.split(statement) == expected


def test_parts_are_no_headlines(ledger, make_ledger):
    part, whole = ledger.claims
    part = dataclasses.replace(part, part_of=whole.id)
    [headline] = headlines.headlines([make_ledger(claims=(whole, part))])
    assert headline.statement == whole.statement
    assert headline.summary() == [("undecided", 1)]


def test_a_single_case_keeps_its_statement(ledger, make_ledger):
    claim = dataclasses.replace(ledger.claims[0], statement="It works: PSNR")
    [headline] = headlines.headlines([make_ledger(claims=(claim,))])
    assert headline.statement == "It works: PSNR"


def test_ledgers_are_grouped_in_their_order(make_ledger):
    names = ["b_1", "a_1", "b_2"]
    groups = headlines.by_source([make_ledger(name) for name in names])
    found = {key: [each.artefact for each in group] for key, group in groups.items()}
    assert list(found.items()) == [("b", ["b_1", "b_2"]), ("a", ["a_1"])]
