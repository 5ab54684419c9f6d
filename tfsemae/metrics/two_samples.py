"""How two sets of latents differ: by how much they spread, and whether one can tell."""

import math

import numpy as np
import numpy.typing as npt

from tfsemae import checks
from tfsemae.metrics import distances
from tfsemae.metrics.linear_probe import linear_probe_accuracy


def log_variance_ratio(latents: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Whether latents are more dispersed than others.

    The logarithm of the ratio of the total variances, the traces of the covariances:

        log( mean{ |x - mean{x}|**2 } / mean{ |r - mean{r}|**2 } )

    Args:
        latents: `[N, ...]`, finite.
        reference: `[M, ...]`, finite, of as many features.

    Returns:
        In nats: 0 for equal variances, log(2) where the first is twice the second;
        inf, -inf or NaN where the latents of a set, or of both, are all equal.

    Raises:
        ValueError: if shapes disagree, or a latent is not finite.

    Example:
        >>> import numpy as np
        >>> from tfsemae import metrics
        >>> reference = np.random.default_rng(0).normal(size=(100, 2))
        >>> round(metrics.log_variance_ratio(3 * reference, reference), 4)  # log(9)
        2.1972
    """
    latents = checks.matrix(latents, "latents")
    reference = checks.matrix(reference, "reference")
    if latents.shape[1] != reference.shape[1]:
        raise ValueError(
            "`latents` and `reference` must have equally many features. "
            f"Received: {latents.shape[1]} and {reference.shape[1]}."
        )
    latents, reference = distances.scaled(latents, reference)
    first, second = (total_variance(each) for each in (latents, reference))
    if first == 0 or second == 0:
        return math.nan if first == second else math.copysign(math.inf, first - second)
    return math.log(first / second)


def two_sample_accuracy(
    train_latents: npt.ArrayLike,
    train_others: npt.ArrayLike,
    latents: npt.ArrayLike,
    others: npt.ArrayLike,
) -> float:
    """Accuracy of a linear classifier that tells two sets of latents from each other.

    It is `linear_probe_accuracy` with the set in place of the class, and says whether
    an attack moves latents to where clean ones are not.

    Args:
        train_latents: `[N, ...]`, finite, of the first set.
        train_others: `[N, ...]`, finite, of the second.
        latents: `[M, ...]`, finite, of the first set, such as latents of other images.
        others: `[M, ...]`, finite, of the second.

    Returns:
        In [0, 1]; 0.5 is chance.

    Raises:
        ValueError: if shapes disagree, or a latent is not finite.

    Source: Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests".
    """
    train, train_sets = _labelled_by_set(train_latents, train_others, "train_")
    tested, sets = _labelled_by_set(latents, others, "")
    return linear_probe_accuracy(train, train_sets, tested, sets)


def total_variance(latents: np.ndarray) -> float:
    """Trace of the covariance of latents `[N, D]`; exactly 0 where all are equal."""
    # Latents that are all equal have no variance, and not that of a rounded mean.
    moved = checks.from_first(latents)
    return float(np.mean(np.sum((moved - moved.mean(axis=0)) ** 2, axis=1)))


def deviations(latents: np.ndarray) -> np.ndarray:
    """Standard deviation of each number of latents `[N, ...]`, float64 `[...]`.

    Exactly 0 where all are equal; sums of float32 would leave up to 1e-5 of the mean.
    """
    return checks.from_first(np.asarray(latents, np.float64)).std(axis=0)


def _labelled_by_set(
    first: npt.ArrayLike, second: npt.ArrayLike, prefix: str
) -> tuple[np.ndarray, np.ndarray]:
    names = f"{prefix}latents", f"{prefix}others"
    sets = [checks.matrix(*each) for each in zip((first, second), names, strict=True)]
    if sets[0].shape != sets[1].shape:
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have the same shape. "
            f"Received: {sets[0].shape} and {sets[1].shape}."
        )
    return np.concatenate(sets), np.repeat([0, 1], len(sets[0]))
