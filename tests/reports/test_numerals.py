import pytest

from tfsemae.reports import numerals


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        ({"values": [24.8912]}, 2),
        ({"values": [0.0871]}, 4),
        ({"values": [0.991]}, 4),
        ({"values": [9.8712]}, 3),
        ({"values": [-120.31]}, 1),
        ({"values": [0.00032]}, 5),
        ({"values": [24.9, None, 0.1]}, 2),
        ({"values": [26.2314], "printed": 24.89, "sd": 0.0412}, 2),
        # The source prints more places than four digits would show.
        ({"values": [100.0], "printed": 99.99}, 2),
        # The deviation would read 0.00 in two places.
        ({"values": [24.8912], "sd": 0.003}, 3),
        ({"values": [24.8912], "sd": 1e-9}, 4),
        ({"values": [666948.0], "printed": 666948.0}, 0),
        ({"values": [25.0], "printed": 25.1}, 2),
        ({"values": []}, 0),
    ],
)
def test_decimals(numbers, places):
    assert numerals.decimals(*numbers.pop("values"), **numbers) == places


@pytest.mark.parametrize(
    ("value", "places", "shown", "with_sign"),
    [
        (25.1, 2, "25.10", "+25.10"),
        (-0.57, 2, "\u22120.57", "\u22120.57"),
        (666948.0, 0, "666,948", "+666,948"),
        (0.0, 2, "0.00", "0.00"),
        (0.004, 2, "0.00", "0.00"),
        (-0.004, 2, "0.00", "0.00"),
        (3.2e-7, 8, "3.20e\u221207", "+3.20e\u221207"),
    ],
)
def test_fixed_and_signed(value, places, shown, with_sign):
    assert numerals.fixed(value, places) == shown
    assert numerals.signed(value, places) == with_sign


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (45, "45 s"),
        (59.6, "1 min"),
        (65, "1 min 5 s"),
        (3599.4, "59 min 59 s"),
        (3599.7, "1 h"),
        (3600, "1 h"),
        (9060, "2 h 31 min"),
        (86369, "23 h 59 min"),
        (86399, "1 d"),
        (86400, "1 d"),
        (93600, "1 d 2 h"),
    ],
)
def test_duration(seconds, shown):
    assert numerals.duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "SSIM (%): -0.00, interval -0.12 to +0.11",
            "SSIM (%): 0.00, interval \u22120.12 to +0.11",
        ),
        ("[-1, +0.0]", "[\u22121, 0.0]"),
        ("-0.05 and +0.050", "\u22120.05 and +0.050"),
        ("10-NN accuracy, Figs. 3-4, --steps=-1, 1e-5", None),
        ("between- / within-class, a - b, x-0.5", None),
        ("\u22120.00 dB", "0.00 dB"),
    ],
)
def test_prose_has_one_minus_and_none_before_zero(text, shown):
    assert numerals.prose(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("value", "places"), [(35.0, 0), (0.5, 1), (-0.01, 2), (120.0, 0), (1e-7, 7)]
)
def test_shortest(value, places):
    assert numerals.shortest(value) == places


@pytest.mark.parametrize(
    ("numbers", "with_sign", "shown"),
    [
        ((28.509, 28.4, 28.61), False, "28.51 [28.40, 28.61]"),
        ((0.5, -0.25, 1.0), True, "+0.500 [\u22120.250, +1.000]"),
        ((0.5, None, None), True, "+0.5000"),
        ((None, None, None), True, ""),
        ((-0.0001, -0.001, 0.0), True, "\u22120.0001 [\u22120.0010, 0.0000]"),
    ],
)
def test_effect(numbers, with_sign, shown):
    assert numerals.effect(*numbers, with_sign=with_sign) == shown
