"""Euclidean distances that are exact wherever the latents lie.

Squared norms and one matrix product give all distances quickly, and lose the digits
of those that are small beside the norms: two latents at distance 1 that are 1e9 from
the origin come out as equal. Latents are therefore moved so that the median of each
feature is 0, which neither a common offset nor a few outliers disturb. Rows where a
distance is still small beside the norm are computed again from differences.

All functions take finite float64 `[N, D]` and scale it by a power of two, so that no
square leaves the range of float64. Distances come in that unit.
"""

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

#: Least squared distance, relative to the squared norm, that is trusted: it leaves
#: 1e-16 / 1e-5 as relative error, times a small factor for the length of the sums.
_TRUSTED = 1e-5
_BLOCK = 2**23  # distances that are computed at once, 64 MB


def scaled(*arrays: np.ndarray) -> list[np.ndarray]:
    """Divides arrays by one power of two, without rounding, to lie in [-1, 1]."""
    largest = max(np.abs(array).max() for array in arrays)
    return [np.ldexp(array, -np.frexp(largest)[1]) for array in arrays]


def middle(latents: np.ndarray) -> np.ndarray:
    """The upper median of each feature `[D]`; of equal latents exactly their value."""
    half = len(latents) // 2
    return np.partition(latents, half, axis=0)[half]


def blocks(latents: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """All distances between latents, some rows at a time.

    Args:
        latents: float64 `[N, D]`, finite.

    Yields:
        Rows, and the distances `[n, N]` from those latents to all.
    """
    (latents,) = scaled(latents)
    centred = latents - middle(latents)
    norms = _squared_norms(centred)
    for rows in _row_blocks(len(latents), len(latents)):
        distances = centred[rows] @ centred.T
        distances *= -2
        distances += norms[rows, np.newaxis]
        distances += norms
        itself = np.arange(len(distances)), np.arange(rows.start, rows.stop)
        distances[itself] = np.inf
        doubtful = distances.min(axis=1) < _TRUSTED * norms[rows]
        distances[itself] = 0
        np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
        if doubtful.any():
            distances[doubtful] = cdist(latents[rows][doubtful], latents)
        yield rows, distances


def nearest(latents: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """Which latents are the nearest ones.

    Args:
        latents: float64 `[N, D]`, finite.
        queries: float64 `[M, D]`, finite.
        k: 1 to N.

    Returns:
        int `[M, k]`, rows of `latents` in no particular order. Among equally distant
        ones the choice is arbitrary.
    """
    latents, queries = scaled(latents, queries)
    centre = middle(latents)
    finder = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(latents - centre)
    farthest, indices = finder.kneighbors(queries - centre)
    norms = _squared_norms(queries - centre)
    # If the k-th is trusted, so is its order among those farther away.
    doubtful = np.flatnonzero(farthest.max(axis=1) ** 2 < _TRUSTED * norms)
    for block in _row_blocks(len(doubtful), len(latents)):
        exact = cdist(queries[doubtful[block]], latents)
        indices[doubtful[block]] = np.argpartition(exact, k - 1, axis=1)[:, :k]
    return indices


def _squared_norms(latents: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", latents, latents)


def _row_blocks(rows: int, columns: int) -> Iterator[slice]:
    size = max(1, _BLOCK // columns)
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
