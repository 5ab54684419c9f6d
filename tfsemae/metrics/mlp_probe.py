"""Accuracy of a classifier with a hidden layer: what features tell at all."""

import warnings

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from tfsemae import checks


def mlp_probe_accuracy(
    train_latents: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    latents: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    seed: int,
    hidden: int = 64,
    passes: int = 30,
) -> float:
    """Accuracy of a new network with one hidden layer, trained on frozen latents.

    It finds what is not linearly separable, which `linear_probe_accuracy` does not.
    scikit-learn's network with ReLU, trained by Adam on latents standardised by the
    training latents; 30 passes are no full convergence.

    Args:
        train_latents: `[N, ...]`, finite.
        train_labels: int `[N]`, at least 2 classes.
        latents: `[M, ...]`, finite.
        labels: int `[M]`; one that no training latent bears counts as an error.
        seed: of initial weights and order.
        hidden: units.
        passes: over the training latents, at most.

    Returns:
        Share of `latents` classified as labelled, in [0, 1].

    Raises:
        ValueError: if shapes disagree, a latent is not finite, or the training labels
            are all equal.

    Source: ECE 417, lecture 22, domain-adversarial training: a judge that the features
    have not been trained against (our choice).

    Example:
        >>> import numpy as np
        >>> from tfsemae import metrics
        >>> x = np.random.default_rng(0).uniform(-1, 1, (4000, 2))
        >>> y = (x[:, 0] * x[:, 1] > 0).astype(int)  # no line separates them
        >>> sets = x[:3000], y[:3000], x[3000:], y[3000:]
        >>> metrics.mlp_probe_accuracy(*sets, seed=0) > 0.9
        True
    """
    train_latents, train_labels = checks.labelled(train_latents, train_labels, "train_")
    latents, labels = checks.labelled(latents, labels)
    checks.equal_width(train_latents, latents)
    checks.class_count(train_labels, "train_labels")
    network = MLPClassifier((hidden,), random_state=seed, max_iter=passes)
    probe = make_pipeline(StandardScaler(), network)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(train_latents, train_labels)
        return float(np.mean(probe.predict(latents) == labels))
