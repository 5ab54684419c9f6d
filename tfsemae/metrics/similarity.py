"""Which classes are near to which: similarities of classes, and their comparison."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from tfsemae import checks

_BLOCK = 2**22  # numbers of permuted matrices that are made at once, 32 MB
#: Correlations that differ by less are equal: sums in another order.
_ROUNDING = 1e-12


class MantelTest(NamedTuple):
    """Whether two similarity matrices of the same classes agree."""

    correlation: float  # Spearman's, in [-1, 1], of the pairs of classes
    p_value: float  # one-sided, of a correlation at least as large by chance


def class_similarity(
    features: npt.ArrayLike, labels: npt.ArrayLike, *, centred: bool = False
) -> np.ndarray:
    """Cosines of the mean directions of classes.

    With m_c the mean of `h / |h|` over the features h of class c:

        S_ab = <m_a, m_b> / (|m_a| |m_b|)

    Word vectors, a row per class with the labels 0, 1, ..., are features as well.

    Args:
        features: `[N, ...]`, finite. An example that is zero has no direction, and is
            left out of the mean.
        labels: int `[N]`, at least 2 classes.
        centred: subtract the mean of all examples first. Features of a ReLU are not
            negative, and all their cosines lie near 1.

    Returns:
        float64 `[C, C]`, in [-1, 1], symmetric, by ascending label; NaN for a class
        whose mean is zero.

    Raises:
        ValueError: if shapes disagree, a feature is not finite, or the labels are all
            equal.

    Source: Kuang et al. 2023, Fig. 2; the mean over examples and the centring are our
    choice.

    Example:
        >>> from tfsemae import metrics
        >>> features = [[2.0, 0.0], [1.0, 1.0], [0.0, 5.0]]
        >>> metrics.class_similarity(features, [0, 1, 2])[0].round(4).tolist()
        [1.0, 0.7071, 0.0]
    """
    rows, labels = checks.labelled(features, labels)
    checks.class_count(labels, "labels")
    if centred:
        # From the first row, so that features that are all equal become zero.
        rows = checks.from_first(rows)
        rows = rows - rows.mean(axis=0)
    directions = _unit(rows, at_zero=0.0)
    classes, index = np.unique(labels, return_inverse=True)
    member = np.eye(len(classes))[index]
    means = _unit(member.T @ directions, at_zero=np.nan)
    return np.clip(means @ means.T, -1.0, 1.0)


def mantel_test(
    a: npt.ArrayLike, b: npt.ArrayLike, *, permutations: int = 10_000, seed: int
) -> MantelTest:
    """Compares two similarity matrices by ranks, and with those of permuted classes.

    The correlation is that of Spearman of the C (C - 1) / 2 values above the diagonals.
    Pairs of classes are not independent; the p-value is therefore that of permutations
    of the classes of `a`, rows and columns together, this one counted among them:

        (1 + permutations with at least this correlation) / (1 + permutations)

    Args:
        a: `[C, C]`, symmetric, C at least 3; what is on the diagonal does not matter.
        b: `[C, C]`, likewise.
        permutations: their number, at least 1.
        seed: of the permutations.

    Returns:
        See `MantelTest`; NaN if a value is, or if those of a matrix are all equal.

    Raises:
        ValueError: if a matrix is not symmetric, or a size does not fit.

    Source: Mantel 1967, "The detection of disease clustering and a generalized
    regression approach"; our choice for the comparison in Kuang et al. 2023, Fig. 2.

    Example:
        >>> from tfsemae import metrics
        >>> similarity = [[1.0, 0.8, 0.1], [0.8, 1.0, 0.3], [0.1, 0.3, 1.0]]
        >>> round(metrics.mantel_test(similarity, similarity, seed=0).correlation, 6)
        1.0
    """
    a, b = _similarities("a", a), _similarities("b", b)
    if a.shape != b.shape:
        raise ValueError(
            "`a` and `b` must be of equally many classes. "
            f"Received: {len(a)} and {len(b)}."
        )
    if permutations < 1:
        raise ValueError(
            f"`permutations` must be at least 1. Received: permutations={permutations}."
        )
    ranks_a, ranks_b = _standardized_ranks(a), _standardized_ranks(b)
    observed = np.sum(ranks_a * ranks_b) / 2
    if not np.isfinite(observed):
        return MantelTest(np.nan, np.nan)
    random, as_large = np.random.default_rng(seed), 0
    size = max(1, _BLOCK // a.size)
    for start in range(0, permutations, size):
        count = min(size, permutations - start)
        order = np.tile(np.arange(len(a)), (count, 1))
        order = random.permuted(order, axis=1)
        permuted = ranks_a[order[:, :, np.newaxis], order[:, np.newaxis]]
        found = np.einsum("pij,ij->p", permuted, ranks_b) / 2
        as_large += int(np.sum(found >= observed - _ROUNDING))
    p_value = (1 + as_large) / (1 + permutations)
    return MantelTest(float(np.clip(observed, -1.0, 1.0)), p_value)


def _similarities(name: str, matrix: npt.ArrayLike) -> np.ndarray:
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 3:
        raise ValueError(
            f"`{name}` must have the shape [C, C] with C at least 3. "
            f"Received: {name}.shape={matrix.shape}."
        )
    if not np.allclose(matrix, matrix.T, rtol=1e-9, atol=1e-9, equal_nan=True):
        raise ValueError(f"`{name}` must be symmetric. Received: another matrix.")
    return matrix


def _standardized_ranks(matrix: np.ndarray) -> np.ndarray:
    """Ranks of pairs of classes, symmetric `[C, C]` with 0 on the diagonal.

    Over the pairs their sum is 0 and that of their squares 1; NaN where there are none.
    """
    pairs = np.triu_indices(len(matrix), k=1)
    ranks = stats.rankdata(matrix[pairs], nan_policy="propagate")
    ranks -= ranks.mean()
    length = np.linalg.norm(ranks)
    found = np.zeros_like(matrix)
    found[pairs] = ranks / length if length > 0 else np.nan
    return found + found.T


def _unit(rows: np.ndarray, at_zero: float) -> np.ndarray:
    """Divides rows by their norms; one that is zero becomes `at_zero`."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    found = np.full_like(rows, at_zero)
    return np.divide(rows, norms, out=found, where=norms > 0)
