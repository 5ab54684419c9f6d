import numpy as np
import pytest

from tfsemae import metrics
from tfsemae.reports import embeddings

CLASSES = 4


def clusters(count, spread, seed=0):
    """Gaussian clusters of standard deviation `spread` around one-hot corners."""
    labels = np.arange(count) % CLASSES
    noise = np.random.default_rng(seed).normal(scale=spread, size=(count, CLASSES))
    return np.eye(CLASSES)[labels] + noise, labels


def test_tsne_keeps_separate_classes_apart_and_repeats():
    latents, labels = clusters(120, spread=0.05)
    plane = embeddings.tsne(latents, seed=3, perplexity=10)
    assert plane.shape == (120, 2)
    assert plane.dtype == np.float32
    assert metrics.knn_accuracy(plane, labels, plane, labels) == 1.0
    np.testing.assert_array_equal(
        plane, embeddings.tsne(latents, seed=3, perplexity=10)
    )


def test_tsne_is_seeded_where_its_start_is_random():
    # So many features that scikit-learn's principal components are randomised.
    latents = np.random.default_rng(0).normal(size=(40, 600))
    plane, again, other = (
        embeddings.tsne(latents, seed=seed, perplexity=5) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(plane, again)
    assert not np.array_equal(plane, other)


@pytest.mark.parametrize("exponent", [-100, 100])
def test_tsne_does_not_depend_on_the_scale_of_latents(exponent):
    latents, _ = clusters(40, spread=0.2)
    plane = embeddings.tsne(latents, seed=0, perplexity=5)
    # A power of two scales without rounding, hence equal bits; 2**-100 would
    # vanish in a float32 square.
    scaled = embeddings.tsne(np.ldexp(latents, exponent), seed=0, perplexity=5)
    np.testing.assert_array_equal(plane, scaled)


@pytest.mark.parametrize(
    "latents",
    [
        np.eye(30, 3, k=-29),  # all but one equal
        np.outer(np.arange(30.0), [1, 2, 3]),  # on a line
        np.repeat(np.eye(3), 10, axis=0),  # ten of each
    ],
)
def test_tsne_of_degenerate_latents_is_finite(latents):
    assert np.all(np.isfinite(embeddings.tsne(latents, seed=0, perplexity=5)))


def test_tsne_refuses_what_it_cannot_map():
    latents, _ = clusters(30, spread=0.1)
    with pytest.raises(ValueError, match=r"30\. Received: perplexity=30"):
        embeddings.tsne(latents, seed=0)
    with pytest.raises(ValueError, match="Received: perplexity=0"):
        embeddings.tsne(latents, seed=0, perplexity=0)
    with pytest.raises(ValueError, match="Received: 50 times the same latent"):
        embeddings.tsne(np.full((50, 3), 0.3), seed=0)
    with pytest.raises(ValueError, match="Received: latents of 1 feature"):
        embeddings.tsne(latents[:, 0], seed=0, perplexity=5)


def test_tsne_flattens_latents_of_any_rank():
    latents, _ = clusters(60, spread=0.3)
    folded = latents.reshape(60, 2, 1, 2)
    np.testing.assert_array_equal(
        embeddings.tsne(folded, seed=0, perplexity=5),
        embeddings.tsne(latents, seed=0, perplexity=5),
    )
