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


def _ids(found):
    return [[case.claim.id for case in headline.cases] for headline in found]


def test_a_statement_is_chosen_by_one_of_its_cases(ledger, make_ledger):
    claims = [
        dataclasses.replace(ledger.claims[0], id=id_, statement=statement)
        for id_, statement in (("1_a", "One: a"), ("1_b", "One: b"), ("2", "Two"))
    ]
    named, other = (make_ledger(name, claims=claims) for name in ("p_a", "p_b"))
    found = headlines.headlines([named])
    assert _ids(headlines.chosen(found, {"p_a": ["1_b"]})) == [["1_a", "1_b"]]
    assert headlines.chosen(found, {"p_b": ["1_b"]}) == found
    both = headlines.headlines([named, other])
    # An artefact that is not named shows all.
    assert _ids(headlines.chosen(both, {"p_a": ["2"]})) == _ids(both)
    with pytest.raises(ValueError, match=r"the claim 3 of p_a, which has no such"):
        headlines.chosen(found, {"p_a": ["3"]})


def test_a_part_cannot_be_chosen(ledger, make_ledger):
    part, whole = ledger.claims
    part = dataclasses.replace(part, part_of=whole.id)
    found = headlines.headlines([make_ledger(claims=(whole, part))])
    with pytest.raises(ValueError, match="a part of another"):
        headlines.chosen(found, {"paper_mnist": [part.id]})


def test_a_single_case_keeps_its_statement(ledger, make_ledger):
    claim = dataclasses.replace(ledger.claims[0], statement="It works: PSNR")
    [headline] = headlines.headlines([make_ledger(claims=(claim,))])
    assert headline.statement == "It works: PSNR"


def test_ledgers_are_grouped_in_their_order(make_ledger):
    names = ["b_1", "a_1", "b_2"]
    groups = headlines.by_source([make_ledger(name) for name in names])
    found = {key: [each.artefact for each in group] for key, group in groups.items()}
    assert list(found.items()) == [("b", ["b_1", "b_2"]), ("a", ["a_1"])]
