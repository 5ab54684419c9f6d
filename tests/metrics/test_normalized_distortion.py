"""The area under normalised distortions, against closed forms."""

import numpy as np
import pytest

from tfsemae import metrics


def test_ends_of_the_normalised_axes():
    x, y = metrics.normalized_distortions(
        [0, 2, 4],
        [9, 5, 1],
        image_distance=4,
        original_distance=[9, 9, 9],
        target_distance=1,
    )
    np.testing.assert_array_equal(x, [0, 0.5, 1])
    np.testing.assert_array_equal(y, [1, 0.5, 0])


def test_units_of_input_and_output_cancel():
    norms, distances = np.array([1.0, 3.0]), np.array([8.0, 4.0])

    def normalized(input_unit, output_unit):
        return metrics.normalized_distortions(
            input_unit * norms,
            output_unit * distances,
            image_distance=input_unit * 5,
            original_distance=output_unit * 9,
            target_distance=output_unit * 2,
        )

    np.testing.assert_allclose(normalized(50.8, 255), normalized(1, 1))


@pytest.mark.parametrize(
    ("x", "y", "area"),
    [
        ([0, 1], [1, 0], 0.5),
        ([0, 0.5], [1, 0], 0.25),  # stays at 0
        ([0, 0.5], [1, 0.2], 0.3 + 0.1),  # stays at 0.2
        ([0, 0.5, 1], [1, 0.2, 0.6], 0.3 + 0.2 + 0),  # falls to 0.2 at x = 1
        ([0, 0.4, 0.6], [1, 0, 0.5], 0.2 + 0.05 + 0),  # falls to 0 at x = 0.6
        ([0.2], [0.5], 0.4),  # nothing is put before the first point
        ([0, 1], [1.5, -0.5], 0.5),  # not clipped
        ([1], [0.5], 0),
    ],
)
def test_areas(x, y, area):
    assert metrics.auddc(x, y) == pytest.approx(area)


def test_order_does_not_matter_and_points_outside_are_dropped():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=20), rng.uniform(size=20)
    x[3] = x[7]
    expected = metrics.auddc(x, y)
    outside = np.concatenate([x, [1.01, 5]]), np.concatenate([y, [-9, 9]])
    order = rng.permutation(22)
    assert metrics.auddc(outside[0][order], outside[1][order]) == expected


def test_interpolated_points_do_not_change_the_area():
    x, y = np.array([0, 0.3, 0.7]), np.array([1, 0.4, 0.1])
    fine = np.union1d(np.linspace(0, 0.7, 50), x)
    assert metrics.auddc(fine, np.interp(fine, x, y)) == pytest.approx(
        metrics.auddc(x, y)
    )


def test_what_has_no_area_is_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\]\. Received: 2 points from 2 to"):
        metrics.auddc([2, 3], [0, 0])
    with pytest.raises(ValueError, match=r"not be empty\. Received: x\.shape=\(0,\)"):
        metrics.auddc([], [])
    with pytest.raises(ValueError, match=r"same shape\. Received: \(2,\) and \(3,\)"):
        metrics.auddc([0, 1], [0, 0, 0])
    with pytest.raises(ValueError, match=r"`y` must be finite.*infinity in 1 of 2"):
        metrics.auddc([0, 1], [0, np.nan])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image_distance": 0}, "`image_distance` must be above 0"),
        ({"target_distance": 9}, r"leave this pair out\. Received: a difference of 0"),
        ({"target_distance": [1, 10]}, "Received: a difference of -1"),
        ({"original_distance": [9, 9, 9]}, r"or have the shape \(2,\)"),
        ({"target_distance": np.nan}, "`target_distance` must be finite"),
    ],
)
def test_pairs_that_cannot_be_normalised_are_refused(changed, message):
    good = {"image_distance": 4, "original_distance": 9, "target_distance": 1}
    with pytest.raises(ValueError, match=message):
        metrics.normalized_distortions([0, 2], [9, 5], **good | changed)
