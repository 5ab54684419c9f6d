"""Numbers as a reader sees them, alike in README and page."""

import decimal
import math

MINUS = "\u2212"
_FINEST = 6


def decimals(
    *values: float | None, printed: float | None = None, sd: float | None = None
) -> int:
    """Decimal places for numbers that stand in one line.

    As many as show four digits of the largest number, within four places (more
    only for what would else show less than two digits); never fewer than the
    source prints; up to two more where the standard deviation would otherwise
    read as zero. None where all numbers are whole.

    Args:
        *values: finite numbers; None is passed over.
        printed: the source's number among them, or None.
        sd: their standard deviation, or None.
    """
    known = [value for value in (*values, printed) if value is not None]
    if all(value.is_integer() for value in known) and sd is None:
        return 0
    magnitude = _magnitude(max(map(abs, known), default=0.0))
    places = max(min(3 - magnitude, 4), 1 - magnitude, 0)
    if printed is not None:
        exponent = decimal.Decimal(repr(printed)).as_tuple().exponent
        places = max(places, -int(exponent))
    if sd:
        places = max(places, min(places + 2, -_magnitude(sd)))
    return places


def fixed(value: float, places: int) -> str:
    """`value` with `places` decimals, a true minus and thousands apart.

    What six decimals cannot show is written with an exponent.
    """
    if places > _FINEST:
        return f"{value:.2e}".replace("-", MINUS)
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def signed(value: float, places: int) -> str:
    """As `fixed`, with "+" before what is above zero as shown."""
    text = fixed(value, places)
    shown = any(digit in text for digit in "123456789")
    return f"+{text}" if value > 0 and shown else text


def duration(seconds: float) -> str:
    """Time in its two largest units: `2 h 31 min`, `1 min 5 s`, `0.4 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    # Each bound is where the smaller unit would round up to a whole larger one.
    if seconds < 3600 - 0.5:
        larger, smaller, factor, size = "min", "s", 60, 1
    elif seconds < 86400 - 30:
        larger, smaller, factor, size = "h", "min", 60, 60
    else:
        larger, smaller, factor, size = "d", "h", 24, 3600
    whole, rest = divmod(round(seconds / size), factor)
    units = ((whole, larger), (rest, smaller))
    return " ".join(f"{count} {unit}" for count, unit in units if count)


def _magnitude(value):
    """Position of the first digit: 1 for 24.9, 0 for 2.49, -1 for 0.249."""
    return math.floor(math.log10(value)) if value else 1
