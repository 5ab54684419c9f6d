"""Names as symbols, and back."""

import numpy as np
import pytest

from tfsemae.models import spelling

NAMES = ("ten", "net", "to")  # e, n, o, t


def test_spellings_end_with_the_end_symbol_and_padding():
    expected = [[4, 1, 2, 0], [2, 1, 4, 0], [4, 3, 0, -1]]
    found = spelling.symbols(NAMES)
    np.testing.assert_array_equal(found, np.int32(expected), strict=True)


def test_a_speller_is_given_the_symbol_before():
    found = spelling.previous(spelling.symbols(NAMES))
    expected = [[0, 4, 1, 2], [0, 2, 1, 4], [0, 4, 3, 0]]
    np.testing.assert_array_equal(found, np.int32(expected), strict=True)


def test_texts_are_the_names_again():
    letters = spelling.alphabet(NAMES)
    assert letters == "enot"
    assert spelling.texts(spelling.symbols(NAMES), letters) == list(NAMES)
    # What stands behind the end does not count; a word may be empty or have no end.
    assert spelling.texts(np.array([[1, 0, 2], [0, 1, 1], [1, 2, 2]]), "ab") == [
        *("a", "", "abb")
    ]


def test_a_class_without_a_name_is_refused():
    with pytest.raises(ValueError, match=r"cannot be spelled.*\('a', ''\)"):
        spelling.symbols(["a", ""])
