"""Frechet distance of two sets of features, from moments that are summed in batches."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from tfsemae import checks

#: Rounding that a covariance may have, relative to its largest entry.
_ROUNDING = 1e-5


class Moments:
    """Mean and covariance of features that come in batches.

    They are float64, and exact to rounding wherever the features lie: what is summed
    are products of differences from the mean, not of the features themselves.

    Example:
        >>> from tfsemae import metrics
        >>> moments = metrics.Moments()
        >>> moments.update([[0.0, 0.0], [2.0, 0.0]])
        >>> moments.update([[1.0, 3.0]])
        >>> moments.count, moments.mean.tolist(), moments.covariance.tolist()
        (3, [1.0, 1.0], [[1.0, 0.0], [0.0, 3.0]])
    """

    def __init__(self) -> None:
        """Starts with no features."""
        self._count = 0
        # The first row. A mean far from 0 is rounded; from this row it is not.
        self._origin = np.zeros(0)
        self._mean = np.zeros(0)  # from the origin
        self._scatter = np.zeros((0, 0))  # sum of the squares around the mean

    def update(self, features: npt.ArrayLike) -> None:
        """Adds a batch.

        Args:
            features: `[B, D]`, finite; D is that of the first batch.

        Raises:
            ValueError: if the shape is another, or a feature is not finite; then
                nothing is added.
        """
        features = np.asarray(features, dtype=np.float64)
        if features.ndim != 2:
            raise ValueError(
                "`features` must have the shape [B, D]. "
                f"Received: features.shape={features.shape}."
            )
        features = checks.matrix(features, "features")
        self._check_width(len(features[0]))
        origin = self._origin if self._count else features[0]
        moved = features - origin
        mean = moved.mean(axis=0)
        moved -= mean
        self._add(len(features), origin, mean, moved.T @ moved)

    def merge(self, other: "Moments") -> None:
        """Adds the features of other moments, such as those of another process.

        Args:
            other: of equally many features; it is left as it is.

        Raises:
            ValueError: if they have another number of features.
        """
        if other._count:
            self._check_width(len(other._origin))
            self._add(other._count, other._origin, other._mean, other._scatter)

    @property
    def count(self) -> int:
        """The number of rows that were added."""
        return self._count

    @property
    def mean(self) -> np.ndarray:
        """The mean, float64 `[D]`.

        Raises:
            ValueError: if there are fewer than 2 rows.
        """
        self._check_count()
        return self._origin + self._mean

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance (dividing by count - 1), float64 `[D, D]`.

        Raises:
            ValueError: if there are fewer than 2 rows.
        """
        self._check_count()
        return self._scatter / (self._count - 1)

    def frechet_distance(self, other: "Moments") -> float:
        """Squared Frechet distance to other moments; see `metrics.frechet_distance`.

        Args:
            other: of equally many features.

        Raises:
            ValueError: if one has fewer than 2 rows, or they have other numbers of
                features.
        """
        return frechet_distance(
            self.mean, self.covariance, other.mean, other.covariance
        )

    def _check_count(self) -> None:
        if self._count < 2:
            raise ValueError(
                f"Moments need at least 2 rows of features. Received: {self._count}."
            )

    def _check_width(self, width: int) -> None:
        if self._count and width != len(self._origin):
            raise ValueError(
                f"`features` must be {len(self._origin)} in a row, as in the first "
                f"batch. Received: {width}."
            )

    def _add(
        self, count: int, origin: np.ndarray, mean: np.ndarray, scatter: np.ndarray
    ) -> None:
        if not self._count:
            self._count, self._origin, self._mean = count, origin.copy(), mean
            self._scatter = scatter.copy()
            return
        total = self._count + count
        shift = (origin - self._origin) + (mean - self._mean)
        self._mean = self._mean + shift * (count / total)
        self._scatter += scatter
        self._scatter += np.outer(shift, shift * (self._count * count / total))
        self._count = total


def frechet_distance(
    mean_a: npt.ArrayLike,
    covariance_a: npt.ArrayLike,
    mean_b: npt.ArrayLike,
    covariance_b: npt.ArrayLike,
) -> float:
    """Squared Frechet distance of two normal distributions; lower is better.

    Computes `|ma - mb|**2 + tr(A) + tr(B) - 2 tr{ sqrt(sqrt(A) B sqrt(A)) }`, the
    squared 2-Wasserstein distance. The last trace is the sum of the singular values of
    the product of the roots, which keeps twice the digits that the eigenvalues of
    `A B` would leave: equal covariances without full rank have the distance 0.

    Args:
        mean_a: `[D]`, finite.
        covariance_a: `[D, D]`, finite, symmetric, positive semidefinite; it need not
            have full rank.
        mean_b: as `mean_a`.
        covariance_b: as `covariance_a`.

    Returns:
        In squared units of the features, never negative. The time grows with D**3.

    Raises:
        ValueError: if shapes disagree, a number is not finite, or a covariance is not
            symmetric or has a negative eigenvalue.

    Source: Dowson and Landau 1982, "The Frechet distance between multivariate normal
    distributions"; Heusel et al. 2017, "GANs trained by a two time-scale update rule
    converge to a local Nash equilibrium", FID.

    Example:
        >>> from tfsemae import metrics
        >>> a, b = [[4.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]
        >>> round(metrics.frechet_distance([1.0, 0.0], a, [0.0, 0.0], b), 6)
        2.0
    """
    mean_a, covariance_a = _normal(mean_a, covariance_a, "a")
    mean_b, covariance_b = _normal(mean_b, covariance_b, "b")
    if mean_a.shape != mean_b.shape:
        raise ValueError(
            "`mean_a` and `mean_b` must have equally many features. "
            f"Received: {len(mean_a)} and {len(mean_b)}."
        )
    factor_a, factor_b = _factor(covariance_a, "a"), _factor(covariance_b, "b")
    overlap = np.linalg.svd(factor_a.T @ factor_b, compute_uv=False).sum()
    spread = np.trace(covariance_a) + np.trace(covariance_b) - 2 * overlap
    return float(np.sum((mean_a - mean_b) ** 2) + max(spread, 0.0))


def frechet_distance_of(features: npt.ArrayLike, others: npt.ArrayLike) -> float:
    """Squared Frechet distance of two sets of features; lower is better.

    It is biased upwards for finite sets, the more the fewer they are: compare only
    distances of equally many rows. With fewer than D + 1 rows, 2049 for the 2048
    features of FID, the covariances have no full rank, and the bias is large.

    Args:
        features: `[N, D]`, finite, N at least 2.
        others: `[M, D]`, finite, M at least 2.

    Returns:
        As `frechet_distance`, of the means and unbiased covariances.

    Raises:
        ValueError: if a shape is another, a feature is not finite, or a set has fewer
            than 2 rows.

    Example:
        >>> import numpy as np
        >>> from tfsemae import metrics
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> round(metrics.frechet_distance_of(features, features + 2), 6)  # 3 * 2**2
        12.0
    """
    return _moments([features]).frechet_distance(_moments([others]))


def fid(
    images: np.ndarray,
    others: np.ndarray,
    features: Callable[[np.ndarray], npt.ArrayLike],
    *,
    batch_size: int = 50,
) -> float:
    """Frechet distance of two sets of images in the features of a network.

    With `InceptionFeatures` it is the Frechet inception distance, FID. It is biased for
    finite sets as `frechet_distance_of`, which says more of it: use equally many images
    for all that is compared, and at least 2049 for its 2048 features.

    Args:
        images: `[N, H, W, C]`, as `features` takes them.
        others: `[M, H, W, C]`, such as their reconstructions.
        features: images `[B, H, W, C]` -> features `[B, D]`.
        batch_size: images for which features are computed at once.

    Returns:
        As `frechet_distance`.

    Raises:
        ValueError: if a set has fewer than 2 images, a feature is not finite, or what
            `features` raises.

    Source: Heusel et al. 2017; Lu 2023, section 4.2.

    Example:
        >>> import numpy as np
        >>> from tfsemae import metrics
        >>> images = np.random.default_rng(0).random((20, 4, 4, 3))
        >>> colours = lambda batch: batch.mean(axis=(1, 2))
        >>> round(metrics.fid(images, images + 0.5, colours), 6)  # 3 * 0.5**2
        0.75
    """
    if batch_size < 1:
        raise ValueError(
            f"`batch_size` must be at least 1. Received: batch_size={batch_size}."
        )
    of_images, of_others = (
        _moments(
            features(each[start : start + batch_size])
            for start in range(0, len(each), batch_size)
        )
        for each in (images, others)
    )
    return of_images.frechet_distance(of_others)


def _moments(batches: Iterable[npt.ArrayLike]) -> Moments:
    moments = Moments()
    for batch in batches:
        moments.update(batch)
    return moments


def _normal(
    mean: npt.ArrayLike, covariance: npt.ArrayLike, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Checks a mean `[D]` and a covariance `[D, D]`, and returns them in float64."""
    mean = np.asarray(mean, dtype=np.float64)
    covariance = np.asarray(covariance, dtype=np.float64)
    if mean.ndim != 1 or not len(mean) or covariance.shape != 2 * mean.shape:
        raise ValueError(
            f"`mean_{name}` and `covariance_{name}` must have the shapes [D] and "
            f"[D, D]. Received: {mean.shape} and {covariance.shape}."
        )
    for kind, value in ("mean", mean), ("covariance", covariance):
        if not np.isfinite(value).all():
            raise ValueError(
                f"`{kind}_{name}` must be finite. Received: NaN or infinity in "
                f"{np.sum(~np.isfinite(value))} of {value.size}."
            )
    asymmetry = np.abs(covariance - covariance.T).max()
    if asymmetry > _ROUNDING * np.abs(covariance).max():
        raise ValueError(
            f"`covariance_{name}` must be symmetric. "
            f"Received: entries that differ by {asymmetry:g}."
        )
    return mean, covariance


def _factor(covariance: np.ndarray, name: str) -> np.ndarray:
    """F `[D, R]` with `F F' = covariance`, of rank R, by its eigenvectors."""
    values, vectors = np.linalg.eigh(covariance)
    if values[0] < -_ROUNDING * np.abs(values).max():
        raise ValueError(
            f"`covariance_{name}` must be positive semidefinite. "
            f"Received: an eigenvalue of {values[0]:g}."
        )
    # Eigenvalues that are rounding errors would leave their roots, which are larger.
    kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
    return vectors[:, kept] * np.sqrt(values[kept])
