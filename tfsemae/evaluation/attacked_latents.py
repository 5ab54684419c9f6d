"""What an attack does to the latents: spread, classes, and whether it shows."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfsemae import metrics
from tfsemae.evaluation import latent
from tfsemae.evaluation.arrays import Shards
from tfsemae.evaluation.attacking import CONDITIONS
from tfsemae.progress import note

_PREDICTIONS = {
    "knn_accuracy": metrics.knn_predictions,
    "linear_probe_accuracy": metrics.linear_probe_predictions,
}
_Measured = tuple[str, dict[str, Any], dict[str, np.ndarray]]


def measure(
    attacked: Shards,
    labels: np.ndarray,
    learnt: Shards,
    reference_labels: np.ndarray,
) -> Iterator[_Measured]:
    """Measures the latents of each condition.

    Args:
        attacked: of the images.
        labels: int `[N]`, theirs.
        learnt: of the images that classifiers learn from, in `CONDITIONS`.
        reference_labels: int `[M]`, theirs.

    Yields:
        Condition, what is measured, and whether each answer of a classifier is right,
        bool `[N]` by name. See `evaluation.attack_run`.
    """
    note("Neighbours and linear probe of the clean latents.")
    latents = {
        name: attacked.read(name, "latent")
        for name, quantity in attacked.quantities()
        if quantity == "latent" and name != "target"
    }
    clean = learnt.read("clean", "latent")
    of_clean = _answers(clean, reference_labels, latents)
    for name in latents:
        note(f"Spread and classes of the latents: {name}.")
        correct = {key: of_clean[key][name] == labels for key in _PREDICTIONS}
        measured: dict[str, Any] = {}
        if name in CONDITIONS:
            measured |= latent.structure(latents[name], labels)
            reference = clean if name == "clean" else learnt.read(name, "latent")
            anew = of_clean
            if name != "clean":
                anew = _answers(reference, reference_labels, {name: latents[name]})
                measured["two_sample_accuracy"] = metrics.two_sample_accuracy(
                    clean, reference, latents["clean"], latents[name]
                )
            correct |= {f"{key}_anew": anew[key][name] == labels for key in anew}
        if name != "clean":
            ratio = metrics.log_variance_ratio(latents[name], latents["clean"])
            measured["log_variance_ratio"] = ratio if np.isfinite(ratio) else None
        measured |= {key: float(np.mean(each)) for key, each in correct.items()}
        yield name, measured, {f"{name}/{key}": each for key, each in correct.items()}


def _answers(
    reference: np.ndarray, labels: np.ndarray, latents: dict[str, np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """Classifier -> condition -> its answers; each learns once for all conditions."""
    every = np.concatenate(list(latents.values()))
    return {
        key: dict(
            zip(
                latents,
                np.split(predict(reference, labels, every), len(latents)),
                strict=True,
            )
        )
        for key, predict in _PREDICTIONS.items()
    }
