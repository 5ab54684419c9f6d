"""Angles between subspaces, such as those of PCA and of a linear autoencoder."""

import numpy as np
import numpy.typing as npt


def principal_angles(a: npt.ArrayLike, b: npt.ArrayLike) -> np.ndarray:
    """Principal angles of the spans of two sets of vectors, the largest first.

    With orthonormal rows A and B of the spans, the larger span A, the sines are the
    singular values of `B - B A^T A`, the cosines those of `B A^T`. Each angle is taken
    from the smaller of the two, since arccos near 1 would lose all below 1e-8.

    Args:
        a: `[..., Q, P]`, finite, Q linearly independent rows of P numbers.
        b: `[..., R, P]`, likewise; leading axes are broadcast.

    Returns:
        float64 `[..., min(Q, R)]`, radians in [0, pi / 2], descending: the first is 0
        where one span contains the other, to about 1e-15.

    Raises:
        ValueError: if the shapes do not fit, a number is not finite, or rows are
            linearly dependent.

    Source: Bjorck and Golub 1973, "Numerical methods for computing angles between
    linear subspaces"; Knyazev and Argentati 2002 for the choice. ECE 417, lecture 22,
    needs them since the optimum of a linear autoencoder is unique as a span only.

    Example:
        >>> from tfsemae import metrics
        >>> metrics.principal_angles([[1, 0, 0]], [[1, 1, 0]]).round(4).tolist()
        [0.7854]
    """
    a, b = _orthonormal("a", a), _orthonormal("b", b)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(
            "`a` and `b` must have rows of equally many numbers. "
            f"Received: {a.shape[-1]} and {b.shape[-1]}."
        )
    if a.shape[-2] < b.shape[-2]:
        a, b = b, a
    products = b @ np.swapaxes(a, -1, -2)
    cosines = np.linalg.svd(products, compute_uv=False)
    # Ascending, as the cosines of the same angles descend.
    sines = np.linalg.svd(b - products @ a, compute_uv=False)[..., ::-1]
    by_sine = np.arcsin(np.clip(sines, 0, 1))
    by_cosine = np.arccos(np.clip(cosines, 0, 1))
    return np.where(cosines**2 > 0.5, by_sine, by_cosine)[..., ::-1]


def _orthonormal(name: str, rows: npt.ArrayLike) -> np.ndarray:
    """Orthonormal rows of the same span."""
    rows = np.asarray(rows, np.float64)
    if rows.ndim < 2 or not 0 < rows.shape[-2] <= rows.shape[-1]:
        raise ValueError(
            f"`{name}` must have the shape [..., Q, P], at least 1 and at most P rows. "
            f"Received: {name}.shape={rows.shape}."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"`{name}` must be finite. Received: NaN or infinity.")
    _, values, basis = np.linalg.svd(rows, full_matrices=False)
    rounding = np.finfo(np.float64).eps * rows.shape[-1]
    if np.any(values[..., -1] <= rounding * values[..., 0]):
        raise ValueError(
            f"`{name}` must have linearly independent rows. Received: rows of which "
            "one is a sum of multiples of the others, up to rounding."
        )
    return basis
