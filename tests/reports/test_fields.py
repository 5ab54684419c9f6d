"""What the fields of a ledger accept; each refusal names field and value."""

import dataclasses

import numpy as np
import pytest

from tfsemae.reports import Choice, Picture, Row


def refuses(make, message):
    """Asserts a ValueError of a single line."""
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ""}, "`id` must consist of letters.*id=''"),
        ({"id": "a b"}, "id='a b'"),
        ({"id": None}, "id=None"),
        ({"quantity": None}, "`quantity` must be a valid string.*quantity=None"),
        ({"note": 3}, "note=3"),
        ({"tag": "measured"}, "`tag` must be 'as printed', .*tag='measured'"),
        ({"measured": None}, "only where, `tag` is 'not run'.*measured=None, n=5"),
        ({"n": None}, "only where, `tag` is 'not run'.*n=None"),
        ({"tag": "not run"}, "None where.*measured=25.35, n=5, tag='not run'"),
        ({"measured": float("nan")}, "measured=nan"),
        ({"measured": True}, "measured=True"),
        ({"printed": float("inf")}, "printed=inf"),
        ({"printed": "24.89"}, "printed='24.89'"),
        ({"sd": -0.1}, "`sd` must be greater than or equal to 0.*sd=-0.1"),
        ({"n": 0}, "`n` must be a whole number of at least 1.*n=0"),
        ({"n": 2.5}, "n=2.5"),
        ({"low": 1.0}, "both be given.*high=None"),
        ({"low": 1.0, "high": 0.5}, "`low` must not be above `high`"),
        ({"values": (1.0, 2.0)}, "`values` must be `n` numbers.*2 values of n=5"),
        ({"values": (1.0, float("nan")), "n": 2}, r"`values\[1\]` must be a finite"),
    ],
)
def test_row_refuses(ledger, changes, message):
    refuses(lambda: dataclasses.replace(ledger.rows[0], **changes), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "yes"}, "`verdict` must be 'holds', .*verdict='yes'"),
        ({"low": None}, "both be given.*low=None"),
        ({"low": 0.0}, "`low` must not be above `high`.*low=0.0"),
        ({"effect": float("nan")}, "effect=nan"),
        ({"statement": b""}, "statement=b''"),
        ({"bounds": ("0",)}, r"`bounds\[0\]` must be a finite number.*'0'"),
        ({"part_of": "a b"}, "part_of='a b'"),
    ],
)
def test_claim_refuses(ledger, changes, message):
    refuses(lambda: dataclasses.replace(ledger.claims[0], **changes), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"artefact": "../results"}, "artefact='../results'"),
        ({"scale": "big"}, "`scale` must be 'full', .*scale='big'"),
        ({"seconds": -1}, "`seconds` must be greater than or equal to 0"),
        ({"seconds": None}, "seconds=None"),
        ({"versions": ["3.11"]}, "`versions` must be a valid dictionary"),
        ({"machine": {"cores": 2.0}}, "`machine.cores` must be a text.*cores=2.0"),
        ({"rows": ({},)}, r"`rows\[0\].id` is missing"),
        ({"rows": 3}, "`rows` must be a valid tuple. Received: rows=3"),
        ({"revision": None}, "revision=None"),
        ({"colour": "red"}, "`colour` is no field of a ledger.*colour='red'"),
    ],
)
def test_ledger_refuses(make_ledger, changes, message):
    refuses(lambda: make_ledger(**changes), message)


def test_missing_field_is_named():
    refuses(lambda: Picture(file="a.png"), "`caption` is missing")


@pytest.mark.parametrize("whole", ["3", "1", "2"])
def test_a_part_belongs_to_a_claim_that_is_there_and_no_part(ledger, whole):
    first, second = ledger.claims
    claims = (
        dataclasses.replace(first, part_of=whole),
        dataclasses.replace(second, part_of="1"),
    )
    refuses(
        lambda: dataclasses.replace(ledger, claims=claims),
        "`part_of` must be the id of a claim",
    )


@pytest.mark.parametrize("part", ["rows", "claims"])
def test_ids_are_unique(make_ledger, part):
    entry = getattr(make_ledger(), part)[0]
    refuses(
        lambda: make_ledger(**{part: (entry, entry)}),
        f"`{part}` must have unique ids.*{entry.id}",
    )


def test_picture_lies_in_the_folder_of_its_ledger():
    refuses(lambda: Picture(file="../a.png", caption=""), r"file='\.\./a\.png'")


@pytest.mark.parametrize("value", [[1], float("inf")])
def test_choice_is_a_scalar(value):
    refuses(
        lambda: Choice(flag="steps", value=value, reason=""),
        r"`value` must be a text, a finite number, a truth value or None",
    )


@pytest.mark.parametrize("value", ["mse", 1, 0.001, True, None])
def test_choice_keeps_the_type_of_its_value(value):
    assert type(Choice(flag="f", value=value, reason="").value) is type(value)


def test_numbers_of_numpy_become_floats(ledger):
    row = dataclasses.replace(
        ledger.rows[0],
        measured=np.float32(0.5),
        n=np.int64(2),
        values=np.array([0.25, 0.75]),
    )
    assert type(row.measured) is float
    assert type(row.n) is int
    assert (row.measured, row.n, row.values) == (0.5, 2, (0.25, 0.75))


def test_fields_cannot_be_set(ledger):
    with pytest.raises(dataclasses.FrozenInstanceError):
        ledger.rows[0].measured = 1.0


def test_difference_is_measured_minus_printed():
    row = Row(id="a", quantity="", unit="", printed=2.0, measured=0.5, tag="as printed")
    assert row.difference == -1.5
    assert dataclasses.replace(row, measured=3).difference == 1.0
    assert dataclasses.replace(row, printed=None).difference is None


def test_difference_cannot_be_given():
    fields = {"id": "a", "quantity": "", "unit": "", "printed": 2, "measured": 1}
    refuses(
        lambda: Row(**fields, tag="as printed", difference=-1),
        "`difference` is no field",
    )
