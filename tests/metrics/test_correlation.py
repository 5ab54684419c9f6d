"""Canonical correlations: scikit-learn, discriminant analysis, and what they hide."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from sklearn.cross_decomposition import CCA

from tfsemae import metrics

LABELS = np.arange(500) % 10


def _features(width=64, separation=0.5, seed=0, count=500):
    """Normal features around a centre for each class."""
    random = np.random.default_rng(seed)
    centres = separation * np.random.default_rng(99).normal(size=(10, width))
    return centres[np.arange(count) % 10] + random.normal(size=(count, width))


def _words(seed=5):
    return np.random.default_rng(seed).normal(size=(10, 50))


CODES = {
    "words": _words(),
    "permuted": np.roll(_words(), 1, axis=0),
    "others": 100 * _words(6),
    "onehot": np.eye(10),
}


def test_known_correlation():
    # y = (x_0 + e) in orthogonal samples: exactly 1 / sqrt(2).
    basis = scipy.linalg.hadamard(16)[:, 1:]
    x, noise = basis[:, :3], basis[:, 3:]
    y = x[:, :1] + noise[:, :1]
    found = metrics.canonical_directions(x, y)
    np.testing.assert_allclose(found.correlations, [np.sqrt(0.5)], rtol=1e-12)
    weights = found.feature_weights[:, 0]
    np.testing.assert_allclose(np.abs(weights), [1, 0, 0], atol=1e-12)


def test_correlations_equal_those_of_scikit_learn():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(200, 6)), random.normal(size=(200, 4))
    y[:, :2] += x[:, :2]
    peer = CCA(n_components=4, max_iter=10_000, tol=1e-12).fit(x, y)
    a, b = peer.transform(x, y)
    expected = [np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(4)]
    found = metrics.canonical_directions(x, y)
    # It iterates each pair of directions to a tolerance of its own.
    np.testing.assert_allclose(found.correlations, expected, atol=1e-5)
    ours = (x - found.feature_mean) @ found.feature_weights
    for k in range(4):
        assert abs(np.corrcoef(ours[:, k], a[:, k])[0, 1]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_correlations_equal_their_closed_form(ridge):
    # Eigenvalues of (Cxx + r)^-1 Cxy Cyy^-1 Cyx.
    x, y = _features(12), _words()[:4, :3][LABELS % 4]
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    xx = x.T @ x + ridge * np.trace(x.T @ x) / 12 * np.eye(12)
    squares = scipy.linalg.eigvals(
        np.linalg.solve(xx, x.T @ y) @ np.linalg.solve(y.T @ y, y.T @ x)
    )
    expected = np.sqrt(np.sort(squares.real)[::-1][:3])
    found = metrics.canonical_correlations(x, y, components=None, ridge=ridge)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


# The two facts of the specification of Kuang et al. 2023.


def test_any_labels_are_perfect_without_more_examples_than_features():
    x = np.random.default_rng(0).normal(size=(60, 64))
    y = _words()[np.random.default_rng(1).permutation(60) % 10]
    found = metrics.canonical_correlations(x, y, components=None)
    np.testing.assert_allclose(found, np.ones(9), atol=1e-12)
    found = metrics.permuted_correlations(x, y, components=None, seed=0)
    np.testing.assert_allclose(found, np.ones((20, 9)), atol=1e-12)


def test_floor_of_500_examples_and_50_axes():
    x = np.random.default_rng(0).normal(size=(500, 512))
    found = metrics.permuted_correlations(x, _words()[LABELS], seed=0)
    assert found.shape == (20, 9)
    assert found.mean() == pytest.approx(0.30, abs=0.015)
    assert found.max(axis=1).mean() == pytest.approx(0.42, abs=0.02)
    # The mean square cosine of 9 and 50 random dimensions of 499.
    assert np.mean(found**2) == pytest.approx(50 / 499, rel=0.05)


@pytest.mark.parametrize("components", [None, 50])
@pytest.mark.parametrize("words", CODES.values(), ids=CODES)
def test_correlations_are_equal_for_all_codes(words, components):
    x = _features()
    expected = metrics.canonical_correlations(
        x, CODES["words"][LABELS], components=components
    )
    assert 0.3 < expected.min() < expected.max() < 0.99
    found = metrics.canonical_correlations(x, words[LABELS], components=components)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_squares_are_eigenvalues_of_discriminant_analysis():
    x = _features()
    centred = x - x.mean(axis=0)
    total = centred.T @ centred
    means = np.stack([centred[label == LABELS].mean(axis=0) for label in range(10)])
    between = 50 * means.T @ means
    expected = scipy.linalg.eigh(between, total, eigvals_only=True)[::-1][:9]
    found = metrics.canonical_correlations(x, _words()[LABELS], components=None)
    np.testing.assert_allclose(found**2, expected, rtol=1e-10)


def test_ridge_on_the_features_keeps_the_identity_of_codes():
    x = _features()
    found = [
        metrics.canonical_correlations(x, words[LABELS], components=None, ridge=0.1)
        for words in CODES.values()
    ]
    np.testing.assert_allclose(found, [found[0]] * 4, rtol=0, atol=1e-10)
    plain = metrics.canonical_correlations(x, _words()[LABELS], components=None)
    assert np.all(found[0] < plain)


def test_features_may_be_turned_moved_and_scaled():
    x, y = _features(), _words()[LABELS]
    rotation = scipy.stats.ortho_group.rvs(64, random_state=0)
    expected = metrics.canonical_correlations(x, y)
    found = metrics.canonical_correlations(1e3 * x @ rotation + 7, y)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_along_its_own_examples_directions_have_their_correlations():
    x, y = _features(), _words()[LABELS]
    for options in ({}, {"components": None}, {"components": 5}):
        directions = metrics.canonical_directions(x, y, **options)
        found = metrics.correlations_along(directions, x, y)
        np.testing.assert_allclose(found, directions.correlations, atol=1e-12)


def test_correlations_of_other_examples_have_no_floor():
    y = _words()[LABELS]
    noise = [np.random.default_rng(seed).normal(size=(500, 64)) for seed in (0, 1)]
    directions = metrics.canonical_directions(noise[0], y)
    assert directions.correlations.mean() > 0.25
    found = metrics.correlations_along(directions, noise[1], y)
    # Of 500 independent pairs the deviation is 0.045, of their mean 0.015.
    assert abs(found.mean()) < 0.06
    directions = metrics.canonical_directions(_features(seed=1), y)
    found = metrics.correlations_along(directions, _features(seed=2), y)
    assert found.mean() > 0.6


def test_a_permutation_of_classes_shows_where_directions_are_transferred():
    # Features of each example as of the class opposite: separable as before.
    y = np.eye(2)[LABELS % 2]
    x = _features(8, seed=1)
    x[:, 0] = 5.0 * (LABELS % 2) + x[:, 0]
    swapped = x.copy()
    swapped[:, 0] = 5.0 * (1 - LABELS % 2) + (x[:, 0] - 5.0 * (LABELS % 2))
    directions = metrics.canonical_directions(x, y)
    assert directions.correlations[0] > 0.8
    refitted = metrics.canonical_correlations(swapped, y)
    assert refitted[0] > 0.8
    assert metrics.correlations_along(directions, swapped, y)[0] < -0.6


def test_features_of_few_axes_have_few_correlations():
    x = np.eye(10)[LABELS][:, :2]
    found = metrics.canonical_directions(x, _words()[LABELS])
    np.testing.assert_allclose(found.correlations, [1, 1, *[0] * 7], atol=1e-12)
    along = metrics.correlations_along(found, x, _words()[LABELS])
    np.testing.assert_allclose(along, found.correlations, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_a_collapsed_network_has_no_correlation(value):
    x, y = np.full((500, 64), value), _words()[LABELS]
    found = metrics.canonical_directions(x, y)
    assert found.correlations.tolist() == [0] * 9
    assert metrics.correlations_along(found, x, y).tolist() == [0] * 9
    assert not metrics.permuted_correlations(x, y, seed=0).any()
    directions = metrics.canonical_directions(_features(), y)
    assert metrics.correlations_along(directions, x, y).tolist() == [0] * 9


def test_permutations_are_seeded():
    x, y = _features(), _words()[LABELS]
    first, again, other = (
        metrics.permuted_correlations(x, y, permutations=2, seed=seed)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.ones((3, 2)), np.eye(4)), {}, "equally many rows.*Received: 3 and 4"),
        ((np.ones((1, 2)), np.eye(1)), {}, "at least 2. Received: 1 and 1"),
        ((np.eye(3) * np.nan, np.eye(3)), {}, "`features` must be finite"),
        ((np.eye(3), np.ones((3, 2))), {}, "`targets` must differ"),
        ((np.eye(3), np.eye(3)), {"components": 0}, "Received: components=0"),
        ((np.eye(3), np.eye(3)), {"ridge": -1.0}, "at least 0. Received: ridge=-1.0"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, options, message):
    for function in (metrics.canonical_directions, metrics.canonical_correlations):
        with pytest.raises(ValueError, match=message):
            function(*arguments, **options)
    with pytest.raises(ValueError, match=message):
        metrics.permuted_correlations(*arguments, seed=0, **options)


def test_examples_of_another_width_are_refused():
    directions = metrics.canonical_directions(np.eye(4)[:, :3], np.eye(4))
    with pytest.raises(ValueError, match=r"`features` must have 3 numbers.*ived: 2"):
        metrics.correlations_along(directions, np.ones((4, 2)), np.eye(4))
    with pytest.raises(ValueError, match=r"`targets` must have 4 numbers.*ived: 3"):
        metrics.correlations_along(directions, np.ones((4, 3)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="permutations=0"):
        metrics.permuted_correlations(np.eye(3), np.eye(3), permutations=0, seed=0)
