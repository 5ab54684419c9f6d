"""Principal angles against SciPy, known angles, and what must hold for any spans."""

import numpy as np
import pytest
import scipy.linalg

from tfsemae import metrics


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 3), (2, 5), (5, 2), (7, 7)])
def test_equal_those_of_scipy(sizes):
    a, b = (_random(size, 7, seed=k) for k, size in enumerate(sizes))
    expected = scipy.linalg.subspace_angles(a.T, b.T)
    found = metrics.principal_angles(a, b)
    assert found.shape == (min(sizes),)
    # SciPy's own rounding, of angles that are 0.
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("angle", [0, 1e-12, 1e-9, 1e-4, 0.5, np.pi / 4, np.pi / 2])
def test_a_known_angle_keeps_its_digits(angle):
    # The second row is turned out of the span; all is rotated and mixed.
    rotation = np.linalg.qr(_random(6, 6))[0]
    a = np.eye(6)[:2]
    b = np.array([a[0], np.cos(angle) * a[1] + np.sin(angle) * np.eye(6)[4]])
    found = metrics.principal_angles(
        _random(2, 2, seed=1) @ a @ rotation, _random(2, 2, seed=2) @ b @ rotation
    )
    np.testing.assert_allclose(found, [angle, 0], rtol=1e-9, atol=2e-15)


def test_best_and_worst():
    a = _random(3, 8)
    mixed = _random(3, 3, seed=1) @ a  # the same span
    np.testing.assert_allclose(metrics.principal_angles(a, mixed), 0, atol=1e-14)
    rest = scipy.linalg.null_space(a).T[:3]
    np.testing.assert_allclose(metrics.principal_angles(a, rest), np.pi / 2)
    np.testing.assert_allclose(  # a plane contains a line
        metrics.principal_angles(a, a[1:2] - a[0]), [0], atol=1e-14
    )


def test_batches_are_broadcast():
    a, b = _random(4, 2, 5), _random(2, 5, seed=1)
    found = metrics.principal_angles(a, b)
    assert found.shape == (4, 2)
    for alone, rows in zip(found, a, strict=True):
        np.testing.assert_allclose(alone, metrics.principal_angles(b, rows))
    assert np.all(np.diff(found, axis=1) <= 0)


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (np.ones(3), r"`a` must have the shape \[..., Q, P\].*\(3,\)"),
        (np.ones((4, 3)), r"`a` must have .*at most P rows.*\(4, 3\)"),
        (np.ones((2, 3)), "`a` must have linearly independent rows"),
        (np.zeros((1, 3)), "`a` must have linearly independent rows"),
        (np.full((1, 3), np.nan), "`a` must be finite"),
        (np.ones((1, 4)), "rows of equally many numbers. Received: 4 and 3"),
    ],
)
def test_what_does_not_fit_is_one_line(a, message):
    with pytest.raises(ValueError, match=message) as error:
        metrics.principal_angles(a, np.eye(3)[:2])
    assert "\n" not in str(error.value)
