"""The Frechet distance against closed forms and SciPy's matrix square root."""

import numpy as np
import pytest
import scipy.linalg

from tfsemae import metrics


def _features(rows, columns, seed=0):
    """Correlated features `[rows, columns]`."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns))


def _normal(rows, columns, seed=0):
    features = _features(rows, columns, seed)
    return features.mean(axis=0), np.cov(features, rowvar=False)


def _rotation(columns):
    rng = np.random.default_rng(9)
    return np.linalg.qr(rng.normal(size=(columns, columns)))[0]


def test_known_distance():
    found = metrics.frechet_distance([1, 0], np.diag([4, 1]), [0, 0], np.eye(2))
    assert found == pytest.approx(2, rel=1e-14)


def test_one_feature():
    # (3 - 1)**2 + (2 - 5)**2, of standard deviations.
    assert metrics.frechet_distance([3], [[4]], [1], [[25]]) == pytest.approx(13)


def test_commuting_covariances():
    # Of equal eigenvectors: the sum of the squared differences of the roots.
    rotation = _rotation(6)
    a, b = np.arange(6.0), np.array([9.0, 0.01, 4, 0, 2, 1])
    found = metrics.frechet_distance(
        np.zeros(6), rotation * a @ rotation.T, np.ones(6), rotation * b @ rotation.T
    )
    assert found == pytest.approx(6 + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2))


def test_equals_the_matrix_square_root_of_scipy():
    (mean_a, a), (mean_b, b) = _normal(50, 8, 0), _normal(40, 8, 1)
    root = scipy.linalg.sqrtm(a @ b).real
    expected = np.sum((mean_a - mean_b) ** 2) + np.trace(a + b - 2 * root)
    assert metrics.frechet_distance(mean_a, a, mean_b, b) == pytest.approx(expected)
    assert metrics.frechet_distance(mean_b, b, mean_a, a) == pytest.approx(expected)


def test_equal_distributions_have_no_distance():
    for rows in (50, 5):  # also without full rank
        mean, covariance = _normal(rows, 20)
        found = metrics.frechet_distance(mean, covariance, mean, covariance)
        assert 0 <= found < 1e-12 * np.trace(covariance)
    zero = np.zeros((3, 3))
    assert metrics.frechet_distance([0, 0, 0], zero, [0, 0, 2], zero) == 4


@pytest.mark.parametrize(("rows", "others"), [(5, 7), (5, 200), (2, 2)])
def test_covariances_without_full_rank(rows, others):
    # With X and Y centred: tr sqrt(..) is the sum of the singular values of X Y',
    # which is small, and needs no covariance.
    a, b = _features(rows, 60, 0), _features(others, 60, 1)
    found = metrics.frechet_distance_of(a, b)
    x, y = (f - f.mean(axis=0) for f in (a, b))
    x, y = x / np.sqrt(rows - 1), y / np.sqrt(others - 1)
    expected = (
        np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
        + np.sum(x**2)
        + np.sum(y**2)
        - 2 * np.linalg.svd(x @ y.T, compute_uv=False).sum()
    )
    assert found == pytest.approx(expected, rel=1e-12)
    assert metrics.frechet_distance_of(a, a) == pytest.approx(0, abs=1e-10)
    assert metrics.frechet_distance_of(a, a) >= 0


def test_rotation_shift_and_scale():
    a, b = _features(30, 6, 0), _features(40, 6, 1)
    found = metrics.frechet_distance_of(a, b)
    moved = [10 * (f @ _rotation(6) + 7) for f in (a, b)]
    assert metrics.frechet_distance_of(*moved) == pytest.approx(100 * found)


def test_moments_do_not_depend_on_the_batches():
    features = _features(101, 5)
    moments = metrics.Moments()
    for batch in np.split(features, [1, 3, 50, 51]):
        moments.update(batch)
    assert moments.count == 101
    np.testing.assert_allclose(moments.mean, features.mean(axis=0))
    np.testing.assert_allclose(moments.covariance, np.cov(features, rowvar=False))


def test_moments_keep_their_digits_far_from_the_origin():
    features = np.random.default_rng(0).integers(-8, 9, (64, 3)) / 4
    far = features + 2.0**40  # exact in float64; squares of it are not
    moments = metrics.Moments()
    for batch in np.split(far, 4):
        moments.update(batch)
    np.testing.assert_allclose(
        moments.covariance, np.cov(features, rowvar=False), rtol=1e-12
    )
    # Near 2**40 float64 has steps of 2**-12.
    np.testing.assert_allclose(
        moments.mean - 2.0**40, features.mean(axis=0), atol=2.0**-12
    )
    apart = metrics.Moments()
    apart.update(far[::-1])
    moments.merge(apart)
    np.testing.assert_allclose(
        moments.covariance * 127 / 126, np.cov(features, rowvar=False), rtol=1e-12
    )


def test_moments_of_float32_features_are_summed_in_float64():
    features = _features(1000, 4).astype(np.float32) + np.float32(1000)
    moments = metrics.Moments()
    moments.update(features)
    np.testing.assert_allclose(
        moments.covariance, np.cov(features.astype(float), rowvar=False), rtol=1e-10
    )


def test_merged_moments_are_those_of_all():
    features = _features(40, 3)
    first, second, none = (metrics.Moments() for _ in range(3))
    first.update(features[:15])
    second.update(features[15:])
    kept = second.covariance
    first.merge(second)
    first.merge(none)
    none.merge(first)
    for moments in (first, none):
        assert moments.count == 40
        np.testing.assert_allclose(moments.mean, features.mean(axis=0))
        np.testing.assert_allclose(moments.covariance, np.cov(features, rowvar=False))
    none.update(features)  # a copy: the others are left as they are
    assert first.count == 40
    np.testing.assert_array_equal(second.covariance, kept)
    np.testing.assert_allclose(first.covariance, np.cov(features, rowvar=False))


def test_fid_is_the_distance_of_the_features_of_all_batches():
    rng = np.random.default_rng(0)
    images, others = rng.random((23, 4, 4, 3)), rng.random((17, 4, 4, 3)) ** 2
    sizes = []

    def features(batch):
        sizes.append(len(batch))
        return batch.mean(axis=(1, 2))

    found = metrics.fid(images, others, features, batch_size=10)
    assert sizes == [10, 10, 3, 10, 7]
    expected = metrics.frechet_distance_of(
        images.mean(axis=(1, 2)), others.mean(axis=(1, 2))
    )
    assert found == pytest.approx(expected)
    with pytest.raises(ValueError, match="Received: batch_size=0"):
        metrics.fid(images, others, features, batch_size=0)


def test_features_that_have_no_moments_are_refused():
    moments = metrics.Moments()
    with pytest.raises(ValueError, match=r"at least 2 rows of features\. Received: 0"):
        _ = moments.mean
    moments.update([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"at least 2 rows of features\. Received: 1"):
        _ = moments.covariance
    bad = np.ones((4, 2))
    bad[2, 0] = np.nan
    for wrong, message in (
        ([1.0, 2.0], r"shape \[B, D\]\. Received: features\.shape=\(2,\)"),
        (np.ones((0, 2)), "not be empty"),
        (bad, "`features` must be finite.*1 of 4 rows, first in row 2"),
        (np.ones((2, 3)), "must be 2 in a row, as in the first batch. Received: 3"),
    ):
        with pytest.raises(ValueError, match=message):
            moments.update(wrong)
    wide = metrics.Moments()
    wide.update(np.ones((2, 3)))
    with pytest.raises(ValueError, match="must be 2 in a row"):
        moments.merge(wide)
    assert moments.count == 1  # nothing was added
    with pytest.raises(ValueError, match=r"at least 2 rows of features\. Received: 1"):
        metrics.frechet_distance_of(np.ones((5, 2)), np.ones((1, 2)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ([[0, 0]], np.eye(2)),
            r"`covariance_a` must have .* Received: \(1, 2\) and \(2, 2\)",
        ),
        (([0, 0], np.eye(3)), r"\[D, D\]\. Received: \(2,\) and \(3, 3\)"),
        (([], np.eye(0)), r"Received: \(0,\) and \(0, 0\)"),
        (([0] * 3, np.eye(3)), r"equally many features"),
        (([0, np.inf], np.eye(2)), "`mean_a` must be finite.*1 of 2"),
        (([0, 0], [[1, np.nan], [0, 1]]), "`covariance_a` must be finite.*1 of 4"),
        (([0, 0], [[1, 0.5], [0, 1]]), "`covariance_a` must be symmetric"),
        (([0, 0], [[1, 2], [2, 1]]), "positive semidefinite.*eigenvalue of -1"),
    ],
)
def test_what_is_no_distribution_is_refused(arguments, message):
    good = [0, 0], np.eye(2)
    with pytest.raises(ValueError, match=message):
        metrics.frechet_distance(*arguments, *good)
    with pytest.raises(ValueError, match=message.replace("_a`", "_b`")):
        metrics.frechet_distance(*good, *arguments)
