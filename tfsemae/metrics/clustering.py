"""Agreement of clusters that are found without labels with the labels."""

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from threadpoolctl import threadpool_limits

from tfsemae import checks
from tfsemae.metrics import distances

_STARTS = 10


def kmeans_nmi(latents: npt.ArrayLike, labels: npt.ArrayLike, *, seed: int) -> float:
    """Normalised mutual information of k-means clusters and labels; higher is better.

    As many clusters as there are classes, the best of 10 starts by k-means++. With
    the entropies H of the clusters c and the labels y:

        (H(c) + H(y) - H(c, y)) / ((H(c) + H(y)) / 2)

    Unrelated labels give about (classes - 1)**2 / (2 N log(classes)), not exactly 0.

    Args:
        latents: `[N, ...]`, finite.
        labels: int `[N]`, at least 2 classes.
        seed: of the starts, 0 to 2**32 - 1.

    Returns:
        In [0, 1]: 1 if clusters and classes are the same sets, 0 if they are
        independent, or all latents are equal.

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or the labels are
            all equal.

    Source: Strehl and Ghosh 2002, "Cluster ensembles", with the arithmetic mean of
    the entropies.
    """
    latents, labels = checks.labelled(latents, labels)
    classes = checks.class_count(labels, "labels")
    (latents,) = distances.scaled(latents)
    latents = latents - distances.middle(latents)
    # k-means cannot find more clusters than there are distinct latents, and warns.
    clusters = min(classes, len(np.unique(latents, axis=0)))
    model = KMeans(clusters, n_init=_STARTS, random_state=seed)
    # The number of threads changes the order of sums.
    with threadpool_limits(limits=1):
        found = model.fit_predict(latents)
    # Rounding leaves up to 1e-15 beyond either end.
    return float(np.clip(normalized_mutual_info_score(labels, found), 0, 1))
