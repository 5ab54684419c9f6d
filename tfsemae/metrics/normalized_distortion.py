"""How far a targeted attack gets for its distortion, and the area under that curve.

The plots of Tabacof 2016: the distance of the attacked reconstruction from the target
over the norm of the distortion, both normalised for each pair of original and target.
"""

import numpy as np
import numpy.typing as npt


def normalized_distortions(
    norms: npt.ArrayLike,
    distances: npt.ArrayLike,
    *,
    image_distance: npt.ArrayLike,
    original_distance: npt.ArrayLike,
    target_distance: npt.ArrayLike,
) -> tuple[np.ndarray, np.ndarray]:
    """Distortion of the input and of the output of one attacked pair, normalised.

    With the original x, the target t, the distortion d and reconstructions rec:

        X = |d| / |x - t|
        Y = (|rec(x + d) - t| - |rec(t) - t|) / (|rec(x) - t| - |rec(t) - t|)

    Args:
        norms: `[K]`, |d|.
        distances: `[K]`, |rec(x + d) - t|.
        image_distance: |x - t|; a number, or `[K]`.
        original_distance: |rec(x) - t|; a number, or `[K]` where it is drawn anew.
        target_distance: |rec(t) - t|; a number, or `[K]`.

    Returns:
        X and Y, float64 `[K]`. Y is 1 where the reconstruction is still that of the
        original, and 0 where it is as good as that of the target.

    Raises:
        ValueError: if shapes disagree, a number is not finite, or a pair cannot be
            normalised: original and target are equal, or the original is reconstructed
            no farther from the target than the target itself.

    Source: Tabacof 2016, its distortion-distortion plots.

    Example:
        >>> from tfsemae import metrics
        >>> x, y = metrics.normalized_distortions(
        ...     [0.0, 2.0],
        ...     [9.0, 5.0],
        ...     image_distance=4,
        ...     original_distance=9,
        ...     target_distance=1,
        ... )
        >>> x.tolist(), y.tolist()
        ([0.0, 0.5], [1.0, 0.5])
    """
    norms, distances = checked_pairs(norms, distances, ("norms", "distances"))
    between, original, target = (
        _numbers(value, name, norms.shape)
        for name, value in (
            ("image_distance", image_distance),
            ("original_distance", original_distance),
            ("target_distance", target_distance),
        )
    )
    if np.any(between <= 0):
        raise ValueError(
            "`image_distance` must be above 0. "
            f"Received: a minimum of {between.min():g}."
        )
    if np.any(original <= target):
        raise ValueError(
            "`original_distance` must be above `target_distance`; leave this pair out. "
            f"Received: a difference of {np.min(original - target):g}."
        )
    return norms / between, (distances - target) / (original - target)


def auddc(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Area under the distortion-distortion curve of one pair; higher is more resistant.

    Points outside 0 <= x <= 1 are dropped, the others sorted by x. From the last one
    the curve goes to the minimum of y and stays there up to x = 1. The area is that of
    the trapezoidal rule; nothing is put before the first point, and y is not clipped.

    Args:
        x: `[K]`, norms of the distortion, normalised, in any order.
        y: `[K]`, distances to the target, normalised, see `normalized_distortions`.

    Returns:
        The area of one pair. Its interval over pairs is
        `statistics.bootstrap_interval` of `statistics.mean_statistic`.

    Raises:
        ValueError: if shapes disagree, a number is not finite, or no x is in [0, 1].

    Source: Gondim-Ribeiro 2018, and its published code.

    Example:
        >>> from tfsemae import metrics
        >>> metrics.auddc([0.0, 0.5, 2.0], [1.0, 0.0, 0.0])  # a triangle
        0.25
    """
    x, y = checked_pairs(x, y, ("x", "y"))
    kept = (x >= 0) & (x <= 1)
    if not kept.any():
        raise ValueError(
            f"`x` must have a point in [0, 1]. Received: {len(x)} points from "
            f"{x.min():g} to {x.max():g}."
        )
    x, y = x[kept], y[kept]
    # Of equal x the largest y comes first, so that the order given does not matter.
    order = np.lexsort((-y, x))
    x = np.concatenate([x[order], [x.max(), 1.0]])
    y = np.concatenate([y[order], [y.min(), y.min()]])
    return float(np.trapezoid(y, x))


def checked_pairs(
    x: npt.ArrayLike, y: npt.ArrayLike, names: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors of one length as float64; raises ValueError if they are none."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 1 or not len(x):
        raise ValueError(
            f"`{names[0]}` must have the shape [K] and not be empty. "
            f"Received: {names[0]}.shape={x.shape}."
        )
    if np.shape(y) != x.shape:
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have the same shape. "
            f"Received: {x.shape} and {np.shape(y)}."
        )
    return _numbers(x, names[0], x.shape), _numbers(y, names[1], x.shape)


def _numbers(value: npt.ArrayLike, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Checks finite numbers of a shape, or one number for all."""
    value = np.asarray(value, dtype=np.float64)
    if value.shape not in ((), shape):
        raise ValueError(
            f"`{name}` must be a number or have the shape {shape}. "
            f"Received: {name}.shape={value.shape}."
        )
    finite = np.isfinite(value)
    if not finite.all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in "
            f"{np.sum(~finite)} of {value.size}."
        )
    return value
