import dataclasses

import numpy as np
import pytest

from tfsemae.reports import Choice, Picture


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ""}, "`id` must be of letters.*id=''"),
        ({"id": "a b"}, "id='a b'"),
        ({"id": None}, "id=None"),
        ({"quantity": None}, "`quantity` must be a text.*quantity=None"),
        ({"note": 3}, "note=3"),
        ({"tag": "measured"}, "`tag` must be one of 'as printed'.*tag='measured'"),
        ({"measured": None}, "`measured` must be a finite number.*measured=None"),
        ({"measured": float("nan")}, "measured=nan"),
        ({"measured": True}, "measured=True"),
        ({"printed": float("inf")}, "printed=inf"),
        ({"printed": "24.89"}, "printed='24.89'"),
        ({"sd": -0.1}, "`sd` must not be negative.*sd=-0.1"),
        ({"n": 0}, "`n` must be a whole number of at least 1.*n=0"),
        ({"n": 2.5}, "n=2.5"),
    ],
)
def test_row_refuses(ledger, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(ledger.rows[0], **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "yes"}, "`verdict` must be one of 'holds'.*verdict='yes'"),
        ({"low": None}, "both be given.*low=None"),
        ({"low": 0.0}, "`low` must not be above `high`.*low=0.0"),
        ({"effect": float("nan")}, "effect=nan"),
        ({"statement": b""}, "statement=b''"),
    ],
)
def test_claim_refuses(ledger, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(ledger.claims[0], **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"artefact": "../results"}, "artefact='../results'"),
        ({"scale": "big"}, "`scale` must be one of 'full'.*scale='big'"),
        ({"seconds": -1}, "`seconds` must not be negative"),
        ({"seconds": None}, "seconds=None"),
        ({"versions": ["3.11"]}, "`versions` must map texts"),
        ({"machine": {"cores": 2.0}}, "`machine` must map texts"),
        ({"rows": ({},)}, "`rows` must hold Row objects"),
        ({"revision": None}, "revision=None"),
    ],
)
def test_ledger_refuses(make_ledger, changes, message):
    with pytest.raises(ValueError, match=message):
        make_ledger(**changes)


@pytest.mark.parametrize("whole", ["3", "1", "2"])
def test_a_part_belongs_to_a_claim_that_is_there_and_no_part(ledger, whole):
    first, second = ledger.claims
    claims = (
        dataclasses.replace(first, part_of=whole),
        dataclasses.replace(second, part_of="1"),
    )
    with pytest.raises(ValueError, match="`part_of` must be the id of a claim"):
        dataclasses.replace(ledger, claims=claims)


@pytest.mark.parametrize("part", ["rows", "claims"])
def test_ids_stand_once(make_ledger, part):
    entry = getattr(make_ledger(), part)[0]
    with pytest.raises(ValueError, match=f"`{part}` must have unique ids.*{entry.id}"):
        make_ledger(**{part: (entry, entry)})


def test_picture_lies_in_the_folder_of_its_ledger():
    with pytest.raises(ValueError, match=r"file='\.\./a\.png'"):
        Picture(file="../a.png", caption="")


def test_choice_is_a_scalar():
    with pytest.raises(ValueError, match=r"value=\[1\]"):
        Choice(flag="steps", value=[1], reason="")


def test_numbers_of_numpy_become_floats(ledger):
    row = dataclasses.replace(ledger.rows[0], measured=np.float32(0.5), n=np.int64(3))
    assert type(row.measured) is float
    assert type(row.n) is int
    assert (row.measured, row.n) == (0.5, 3)
