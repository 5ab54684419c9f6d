"""How much examples differ from each other."""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from tfsemae import checks


def mean_pairwise_distance(examples: npt.ArrayLike) -> float:
    """The mean L2 distance over all pairs of two examples.

    It is low where images resemble each other, as samples of a network do that gives
    few different ones.

    Args:
        examples: `[N, ...]`, finite, at least 2.

    Returns:
        In units of the examples; of images in [0, 1] at most the root of their number
        of pixels.

    Raises:
        ValueError: if there are fewer than 2, or a number is not finite.

    Source: "less diverse" of Lu 2023, section 4.1, in numbers.

    Example:
        >>> from tfsemae import metrics
        >>> metrics.mean_pairwise_distance([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
        4.0
    """
    examples = checks.matrix(examples, "examples")
    if len(examples) < 2:
        raise ValueError(
            f"`examples` must be at least 2. Received: {len(examples)} of them."
        )
    return float(np.mean(pdist(examples)))
