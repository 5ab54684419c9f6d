"""Correction of p-values for the number of tests."""

import numpy as np
import numpy.typing as npt


def holm(p_values: npt.ArrayLike) -> np.ndarray:
    """Adjusts p-values of several tests by Holm's step-down method.

    With the p-values in ascending order, p_1 to p_m, the i-th becomes
    `max{ min(1, (m - j + 1) * p_j) : j <= i }`. Rejecting where it is at most alpha
    keeps the chance of any false rejection at alpha, however the tests depend on
    each other.

    Args:
        p_values: float `[m]`, in [0, 1], m at least 1.

    Returns:
        float64 `[m]`, in the order given, none below its p-value.

    Raises:
        ValueError: if the shape is not `[m]`, or a value is not in [0, 1].

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    if p_values.ndim != 1 or p_values.size == 0:
        raise ValueError(
            "`p_values` must have the shape [m] and not be empty. "
            f"Received: p_values.shape={p_values.shape}."
        )
    if not np.all((p_values >= 0) & (p_values <= 1)):
        raise ValueError(
            f"`p_values` must lie in [0, 1]. Received: p_values={p_values}."
        )
    order = np.argsort(p_values)
    remaining = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.maximum.accumulate(remaining * p_values[order])
    return np.minimum(adjusted, 1.0)
