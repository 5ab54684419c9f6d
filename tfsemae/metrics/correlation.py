"""Canonical correlations of features with vectors of their classes.

With a vector per class, the second set of variables has few different rows. Ten
vectors that are affinely independent span the same nine dimensions as any ten others:
correlations are equal for all of them, and their squares are the eigenvalues of
T^-1 B, of total and between-class scatter. They measure how separable the classes are
(linear discriminant analysis), and not what the vectors mean.

On the sample that they are fitted to, they are large for any labels: 1 where there are
no more examples than features. Beside them belong `permuted_correlations`, or the
correlations of directions on examples that they were not fitted to.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tfsemae import checks

#: Singular values below this share of the largest are rounding error.
_ROUNDING = 1e-6
#: Deviations below this share of the largest value are rounding error.
_CONSTANT = 1e-12


class CanonicalDirections(NamedTuple):
    """Pairs of directions, by descending correlation; all float64.

    `(features - feature_mean) @ feature_weights` are their canonical variables; those
    of the targets likewise. R is the rank of the centred targets.
    """

    correlations: np.ndarray  # [R], in [0, 1], 0 where features have too few axes
    feature_mean: np.ndarray  # [D]
    feature_weights: np.ndarray  # [D, R]
    target_mean: np.ndarray  # [E]
    target_weights: np.ndarray  # [E, R]


def canonical_directions(
    features: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    components: int | None = 50,
    ridge: float = 0.0,
) -> CanonicalDirections:
    """Finds the directions of features and targets that are correlated most.

    Both are centred and decomposed, `X = U_x S_x V_x^T`. The correlations are the
    singular values of `U_x^T U_y`; with a ridge r, the rows of this matrix are
    multiplied by `s / sqrt(s**2 + n r)`, as if r were added to the variances.

    Args:
        features: `[N, ...]`, finite.
        targets: `[N, ...]`, finite, such as the word vectors of the labels.
        components: principal axes of the features that are kept; None: all.
        ridge: at least 0, in units of the mean variance of a feature; 0.1 with
            `components=None` for many features. The correlations are then too small
            on purpose.

    Returns:
        See `CanonicalDirections`.

    Raises:
        ValueError: if numbers of examples differ, a number is not finite, or
            `components` or `ridge` is out of its range.

    Source: Hotelling 1936, "Relations between two sets of variates"; Bjorck and Golub
    1973, "Numerical methods for computing angles between linear subspaces"; Kuang et
    al. 2023, Fig. 1, with our choice of 50 axes.

    Example:
        >>> import numpy as np
        >>> from tfsemae import metrics
        >>> labels = np.arange(12) % 3
        >>> features = np.eye(3)[labels] @ [[1.0, 2.0], [3.0, 1.0], [0.0, 0.0]]
        >>> found = metrics.canonical_directions(features, np.eye(3)[labels])
        >>> found.correlations.round(6).tolist()
        [1.0, 1.0]
    """
    x, y = _decomposed_pair(features, targets, components, ridge)
    left, correlations, right = np.linalg.svd(_crossed(x, y), full_matrices=False)
    rank = len(y.values)
    feature_weights = np.zeros((len(x.mean), rank))
    feature_weights[:, : left.shape[1]] = x.whitening @ left
    target_weights = np.zeros((len(y.mean), rank))
    target_weights[:, : len(right)] = y.whitening @ right.T
    return CanonicalDirections(
        _padded(correlations, rank), x.mean, feature_weights, y.mean, target_weights
    )


def canonical_correlations(
    features: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    components: int | None = 50,
    ridge: float = 0.0,
) -> np.ndarray:
    """The correlations alone, see `canonical_directions`.

    Returns:
        float64 `[R]`, in [0, 1], descending; higher is better.

    Raises:
        ValueError: as `canonical_directions`.
    """
    return canonical_directions(
        features, targets, components=components, ridge=ridge
    ).correlations


def correlations_along(
    directions: CanonicalDirections, features: npt.ArrayLike, targets: npt.ArrayLike
) -> np.ndarray:
    """Correlations of other examples along directions that are known.

    With directions of training images they have no floor of overfitting; with
    directions of clean images, those of adversarial images tell whether features still
    mean what they meant. An attack that always shows one class as the same other one
    leaves the classes separable, and changes the sign here.

    Args:
        directions: of `canonical_directions`.
        features: `[N, ...]`, finite.
        targets: `[N, ...]`, finite.

    Returns:
        float64 `[R]`, in [-1, 1]; 0 where a variable is constant.

    Raises:
        ValueError: if numbers of examples differ, a number is not finite, or there
            are other numbers of features or targets than those of the directions.

    Source: our choice beside Kuang et al. 2023, Fig. 1.
    """
    features, targets = _checked(features, targets)
    for name, values, mean in (
        ("features", features, directions.feature_mean),
        ("targets", targets, directions.target_mean),
    ):
        if values.shape[1] != len(mean):
            raise ValueError(
                f"`{name}` must have {len(mean)} numbers per example, as those of the "
                f"directions. Received: {values.shape[1]}."
            )
    a = _standardized((features - directions.feature_mean) @ directions.feature_weights)
    b = _standardized((targets - directions.target_mean) @ directions.target_weights)
    return np.clip(np.mean(a * b, axis=0), -1.0, 1.0)


def permuted_correlations(
    features: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    permutations: int = 20,
    seed: int,
    components: int | None = 50,
    ridge: float = 0.0,
) -> np.ndarray:
    """Canonical correlations that are there by chance: of permuted examples.

    Args:
        features: as of `canonical_directions`.
        targets: as of `canonical_directions`; their rows are permuted.
        permutations: P, at least 1.
        seed: of the permutations.
        components: as of `canonical_directions`.
        ridge: as of `canonical_directions`.

    Returns:
        float64 `[P, R]`, in [0, 1], each row descending. Without a ridge, the mean
        square of K axes of features is expected to be `K / (N - 1)`.

    Raises:
        ValueError: as `canonical_directions`, and if there is no permutation.

    Source: as `canonical_directions`.
    """
    if permutations < 1:
        raise ValueError(
            f"`permutations` must be at least 1. Received: permutations={permutations}."
        )
    x, y = _decomposed_pair(features, targets, components, ridge)
    random = np.random.default_rng(seed)
    found = np.zeros((permutations, len(y.values)))
    for row in found:
        shuffled = y._replace(left=random.permutation(y.left))
        correlations = np.linalg.svd(_crossed(x, shuffled), compute_uv=False)
        row[:] = _padded(correlations, len(row))
    return found


class _Decomposition(NamedTuple):
    """Of centred data, `left * values @ right.T`, without what is rounding error."""

    mean: np.ndarray  # [D]
    left: np.ndarray  # [N, K], orthonormal columns
    values: np.ndarray  # [K], above 0, descending
    shrunk: np.ndarray  # [K], what a ridge leaves of each axis, in (0, 1]
    whitening: np.ndarray  # [D, K]; of it the variables have a variance of at most 1


def _decomposed_pair(
    features: npt.ArrayLike,
    targets: npt.ArrayLike,
    components: int | None,
    ridge: float,
) -> tuple[_Decomposition, _Decomposition]:
    features, targets = _checked(features, targets)
    if components is not None and components < 1:
        raise ValueError(
            f"`components` must be at least 1. Received: components={components}."
        )
    if not 0 <= ridge < np.inf:
        raise ValueError(
            f"`ridge` must be finite and at least 0. Received: ridge={ridge}."
        )
    y = _decomposed(targets)
    if not len(y.values):
        raise ValueError(
            "`targets` must differ between examples. Received: rows that are all equal."
        )
    return _decomposed(features, components, ridge), y


def _checked(
    features: npt.ArrayLike, targets: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    features = checks.matrix(features, "features")
    targets = checks.matrix(targets, "targets")
    if len(features) != len(targets) or len(features) < 2:
        raise ValueError(
            "`features` and `targets` must have equally many rows, at least 2. "
            f"Received: {len(features)} and {len(targets)}."
        )
    return features, targets


def _decomposed(
    data: np.ndarray, components: int | None = None, ridge: float = 0.0
) -> _Decomposition:
    # From the first row, so that data that are all equal have no variance at all.
    moved = checks.from_first(data)
    offset = moved.mean(axis=0)
    left, values, right = np.linalg.svd(moved - offset, full_matrices=False)
    mean_square = np.sum(values**2) / data.shape[1]  # N times the mean variance
    kept = values > _ROUNDING * values[0]
    kept[len(kept) if components is None else components :] = False
    left, values, right = left[:, kept], values[kept], right[kept]
    lengths = np.sqrt(values**2 + ridge * mean_square)
    return _Decomposition(
        data[0] + offset,
        left,
        values,
        values / lengths,
        right.T * (np.sqrt(len(data)) / lengths),
    )


def _crossed(x: _Decomposition, y: _Decomposition) -> np.ndarray:
    """Correlations of all pairs of principal axes, `[K_x, K_y]`."""
    return x.shrunk[:, np.newaxis] * (x.left.T @ y.left)


def _padded(correlations: np.ndarray, size: int) -> np.ndarray:
    found = np.zeros(size)
    found[: len(correlations)] = np.clip(correlations, 0.0, 1.0)
    return found


def _standardized(variables: np.ndarray) -> np.ndarray:
    """Of each column the mean 0 and the variance 1, or 0 where it is constant."""
    moved = checks.from_first(variables)
    moved = moved - moved.mean(axis=0)
    deviations = moved.std(axis=0)
    defined = deviations > _CONSTANT * np.abs(variables).max(axis=0)
    return np.divide(moved, deviations, out=np.zeros_like(moved), where=defined)
