"""Similarities of classes by hand, and their comparison beside SciPy."""

import itertools

import numpy as np
import pytest
from scipy import stats

from tfsemae import metrics

PAIRS = np.triu_indices(10, k=1)


def _symmetric(seed, size=10):
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    return matrix + matrix.T


def test_means_are_of_directions_by_hand():
    # Class 3: (1, 0) and (0, 1), whatever their norms; class 7: (0, 1) alone.
    features = [[100.0, 0.0], [0.0, 1.0], [0.0, 5.0], [0.0, 0.0]]
    found = metrics.class_similarity(features, [3, 3, 7, 7])
    np.testing.assert_allclose(found, [[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]])


def test_one_row_per_class_has_its_cosines():
    words = np.random.default_rng(0).normal(size=(10, 50))
    found = metrics.class_similarity(words, np.arange(10))
    norms = np.linalg.norm(words, axis=1)
    np.testing.assert_allclose(found, words @ words.T / np.outer(norms, norms))
    centred = metrics.class_similarity(words, np.arange(10), centred=True)
    np.testing.assert_allclose(centred, np.corrcoef(words - words.mean(0)), atol=0.2)
    moved = metrics.class_similarity(words + 50, np.arange(10), centred=True)
    np.testing.assert_allclose(moved, centred, atol=1e-12)
    assert metrics.class_similarity(words + 50, np.arange(10)).min() > 0.99


def test_opposite_classes():
    features = [[3.0, 1.0], [1.0, 1.0]]
    found = metrics.class_similarity(features, [0, 1], centred=True)
    np.testing.assert_allclose(found, [[1, -1], [-1, 1]], rtol=1e-12)


@pytest.mark.parametrize("centred", [False, True])
def test_class_without_a_direction_has_no_similarity(centred):
    features = [[0.5, 0.5], [0.5, 0.5], [0.0, 0.0], [1.0, 1.0]]
    if not centred:
        features[:2] = [[1.0, 0.0], [-1.0, 0.0]]
    found = metrics.class_similarity(features, [0, 0, 1, 2], centred=centred)
    assert np.all(np.isnan(found[0]))
    assert np.isfinite(found[1:, 1:]).sum() == (4 if centred else 1)


@pytest.mark.parametrize("ties", [False, True])
def test_correlation_is_that_of_scipy(ties):
    for seed in range(5):
        a, b = _symmetric(seed), _symmetric(seed + 100)
        if ties:
            a, b = np.round(a), np.round(b)
        expected = stats.spearmanr(a[PAIRS], b[PAIRS]).statistic
        found = metrics.mantel_test(a, b, permutations=1, seed=0).correlation
        assert found == pytest.approx(expected, abs=1e-12)


def test_p_value_is_that_of_all_permutations():
    a, b = _symmetric(0, 5), _symmetric(2, 5)
    pairs = np.triu_indices(5, k=1)

    def correlation(order):
        permuted = a[np.ix_(order, order)]
        return stats.spearmanr(permuted[pairs], b[pairs]).statistic

    found = [correlation(order) for order in itertools.permutations(range(5))]
    exact = np.mean(np.array(found) >= found[0] - 1e-12)
    assert 0.05 < exact < 0.95
    test = metrics.mantel_test(a, b, seed=0)
    # Four deviations of the share among 10,000.
    assert test.p_value == pytest.approx(exact, abs=0.02)


def test_equal_matrices_agree_and_opposite_ones_do_not():
    a = _symmetric(0)
    same = metrics.mantel_test(a, np.exp(a), seed=0)  # ranks alone count
    assert same.correlation == pytest.approx(1)
    assert same.p_value < 2e-4
    opposite = metrics.mantel_test(a, -a, seed=0)
    assert opposite.correlation == pytest.approx(-1)
    assert opposite.p_value == 1


def test_p_values_are_uniform_under_the_null():
    found = [
        metrics.mantel_test(
            _symmetric(seed, 6), _symmetric(seed + 500, 6), permutations=99, seed=seed
        ).p_value
        for seed in range(300)
    ]
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def test_blocks_and_seeds(monkeypatch):
    a, b = _symmetric(0), _symmetric(2)
    first = metrics.mantel_test(a, b, permutations=999, seed=1)
    assert metrics.mantel_test(a, b, permutations=999, seed=1) == first
    assert metrics.mantel_test(a, b, permutations=999, seed=2) != first
    monkeypatch.setattr("tfsemae.metrics.similarity._BLOCK", 1000)
    assert metrics.mantel_test(a, b, permutations=999, seed=1) == first


def test_the_diagonal_does_not_matter():
    a, b = _symmetric(0), _symmetric(2)
    expected = metrics.mantel_test(a, b, seed=0)
    assert metrics.mantel_test(a + 100 * np.eye(10), b, seed=0) == expected


@pytest.mark.parametrize("matrix", [np.ones((4, 4)), np.full((4, 4), np.nan)])
def test_where_nothing_can_be_compared_there_is_no_number(matrix):
    found = metrics.mantel_test(matrix, _symmetric(0, 4), seed=0)
    assert np.all(np.isnan(found))


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.eye(2), np.eye(2), r"C at least 3. Received: a.shape=\(2, 2\)"),
        (np.eye(3), np.ones((3, 4)), r"Received: b.shape=\(3, 4\)"),
        (np.eye(3), np.eye(4), "equally many classes. Received: 3 and 4"),
        (np.eye(3), np.arange(9).reshape(3, 3), "`b` must be symmetric"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        metrics.mantel_test(a, b, seed=0)


def test_bad_features_and_permutations_are_refused():
    with pytest.raises(ValueError, match="at least 2 classes"):
        metrics.class_similarity(np.eye(3), [1, 1, 1])
    with pytest.raises(ValueError, match="permutations=0"):
        metrics.mantel_test(np.eye(3), np.eye(3), permutations=0, seed=0)
