"""Maps of latents to the plane."""

import numpy as np
import numpy.typing as npt
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from tfsemae import checks


def tsne(latents: npt.ArrayLike, *, seed: int, perplexity: float = 30.0) -> np.ndarray:
    """Plane map of the latents by t-SNE, to be looked at, not measured.

    Starts from the first two principal components and runs on one thread, as the
    order of a parallel sum is not fixed: equal latents and seed give equal maps,
    whatever the number of cores. 2,000 latents take some seconds.

    Args:
        latents: `[N, ...]`, finite, not all equal; at least 2 features.
        seed: 0 to 2**32 - 1; has an effect only where the principal components
            are found by a randomised method (many latents of many features).
        perplexity: effective number of neighbours, in (0, N).

    Returns:
        float32 `[N, 2]`, without units; a uniform scaling of the latents does not
        change it beyond rounding.

    Raises:
        ValueError: if a latent is not finite, all latents are equal, there are fewer
            than 2 features, or `perplexity` is not in (0, N).

    Source: Ming 2022, Figs. 4 and 6; perplexity 30 is our choice.
    """
    latents = checks.matrix(latents, "latents")
    if latents.shape[1] < 2:
        raise ValueError(
            "`latents` must have at least 2 features to be mapped to the plane. "
            f"Received: latents of {latents.shape[1]} feature."
        )
    if not 0 < perplexity < len(latents):
        raise ValueError(
            "`perplexity` must be positive and below the number of latents, "
            f"{len(latents)}. Received: perplexity={perplexity}."
        )
    latents = checks.from_first(latents)
    span = np.abs(latents).max()
    if span == 0:
        raise ValueError(
            "`latents` must not be all equal; there is nothing to map. "
            f"Received: {len(latents)} times the same latent."
        )
    model = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    with threadpool_limits(limits=1):
        # scikit-learn crashes where latents are so small that they vanish in the
        # float32 of its start; the map does not depend on their scale.
        return model.fit_transform(latents / span)
