"""Numbers of an audit as its page writes them."""

import pytest

from tfsemae.audit import page
from tfsemae.audit.report import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.0043, "0.00430"),
        (0.104, "0.104"),
        (0.9996, "1.00"),
        (1.0, "1.00"),
        (12.345, "12.3"),
        (-14.04, "\N{MINUS SIGN}14.0"),
        (256.4, "256"),
        (12_345.0, "12,345"),
        (0.000123, "1.23e\N{MINUS SIGN}04"),
    ],
)
def test_three_significant_digits(value, text):
    assert page.estimate_text(Estimate(value=value)) == text


def test_intervals_and_what_is_not_reached():
    assert page.estimate_text(Estimate(value=0.5, low=0.25, high=1.5), "dB") == (
        "0.500 [0.250, 1.50] dB"
    )
    assert page.estimate_text(Estimate(value=0.5, low=0.25)) == "0.500 [0.250, …]"
    assert page.estimate_text(Estimate(value=None)) == "not reached"
    assert page.estimate_text(Estimate(value=None, low=2.0)) == "above 2.00"
