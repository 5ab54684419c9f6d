"""k-means NMI of perfect, useless and degenerate latents."""

import numpy as np
import pytest

from tfsemae import metrics

CLASSES = 4


def clusters(count, spread, seed=0):
    labels = np.arange(count) % CLASSES
    noise = np.random.default_rng(seed).normal(scale=spread, size=(count, CLASSES))
    return np.eye(CLASSES)[labels] + noise, labels


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_perfect_latents(spread):
    latents, labels = clusters(200, spread)
    assert metrics.kmeans_nmi(latents, labels, seed=0) == pytest.approx(1, abs=1e-12)
    # Names of classes do not matter.
    renamed = np.array([7, -2, 50, 3])[labels]
    assert metrics.kmeans_nmi(latents, renamed, seed=0) == pytest.approx(1, abs=1e-12)


def test_useless_latents():
    latents = np.random.default_rng(0).normal(size=(2000, 5))
    labels = np.arange(2000) % CLASSES
    found = metrics.kmeans_nmi(latents, labels, seed=0)
    # 2 N log(4) NMI is a chi-squared of 9 degrees of freedom: beyond 33.7 once in
    # 10,000 times.
    assert 0 <= found < 33.7 / (2 * 2000 * np.log(CLASSES))


def test_collapsed_latents():
    labels = np.arange(40) % CLASSES
    assert metrics.kmeans_nmi(np.full((40, 3), 0.1), labels, seed=0) == 0


def test_fewer_places_than_classes_by_hand():
    # Two places, each of two classes: H(c) = log 2, H(y) = H(c, y) = log 4, hence
    # mutual information log 2, over the mean of log 2 and log 4.
    labels = np.arange(40) % CLASSES
    latents = (labels // 2)[:, np.newaxis] * 1.0
    found = metrics.kmeans_nmi(latents, labels, seed=0)
    assert found == pytest.approx(2 / 3, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_scale_and_place_do_not_matter(scale):
    latents, labels = clusters(100, 0.4)
    latents = np.round(latents * 2**10) / 2**10
    expected = metrics.kmeans_nmi(latents, labels, seed=3)
    assert 0.1 < expected < 0.9
    found = metrics.kmeans_nmi(latents * scale, labels, seed=3)
    assert found == pytest.approx(expected, rel=1e-9)
    moved = metrics.kmeans_nmi(latents + 2.0**30, labels, seed=3)
    assert moved == pytest.approx(expected, rel=1e-9)


def test_equal_seeds_give_equal_values():
    latents, labels = clusters(100, 0.6)
    first, second = (metrics.kmeans_nmi(latents, labels, seed=5) for _ in range(2))
    assert first == second


def test_bad_input_is_refused():
    latents, labels = clusters(12, 0.1)
    with pytest.raises(ValueError, match="labels that are all 3"):
        metrics.kmeans_nmi(latents, np.full(12, 3), seed=0)
    with pytest.raises(ValueError, match="`latents` must be finite"):
        metrics.kmeans_nmi(latents * np.nan, labels, seed=0)
