"""Checks of latents and labels."""

import numpy as np
import pytest

from tfsemae import checks


def test_latents_become_rows_of_float64():
    latents, labels = checks.labelled(np.ones((4, 2, 3), np.float32), [0, 1, 1, 0])
    assert latents.shape == (4, 6)
    assert latents.dtype == np.float64
    np.testing.assert_array_equal(labels, [0, 1, 1, 0])
    assert checks.matrix([1, 2, 3], "latents").shape == (3, 1)


def test_from_first_is_exactly_zero_where_all_are_equal():
    np.testing.assert_array_equal(checks.from_first(np.full((9, 3), 0.1)), 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted(bad):
    latents = np.ones((12, 2))
    latents[[5, 7], 1] = bad
    with pytest.raises(ValueError, match=r"`codes`.*in 2 of 12 rows, first in row 5"):
        checks.matrix(latents, "codes")


def test_what_is_not_a_matrix_is_refused():
    for empty in (1.0, [], np.ones((0, 3)), np.ones((3, 0))):
        with pytest.raises(ValueError, match=r"`codes` must have the shape \[N"):
            checks.matrix(empty, "codes")


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`train_labels`.*dtype=float64"):
        checks.labelled(np.ones((3, 2)), [0.0, 1.0, 2.0], "train_")
    with pytest.raises(
        ValueError, match=r"`labels`.*shape \(3,\).*labels.shape=\(2,\)"
    ):
        checks.labelled(np.ones((3, 2)), [0, 1])
