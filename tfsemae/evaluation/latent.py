"""How the latents of a network separate the classes."""

import concurrent.futures
import math
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tfsemae import metrics
from tfsemae.progress import note
from tfsemae.reports import embeddings, figures

_MAPPED = 1000  # t-SNE of 10,000 latents takes a minute and more
LEAST_MAPPED = 31  # t-SNE needs more than its perplexity, 30


def measure(
    latents: np.ndarray,
    labels: np.ndarray,
    learn_from: Callable[[], tuple[np.ndarray, np.ndarray]],
    *,
    class_names: tuple[str, ...],
    folder: pathlib.Path,
    seed: int,
) -> dict[str, float | None]:
    """Measures class structure and draws a map, side by side on two threads.

    Args:
        latents: `[N, ...]`, measured.
        labels: int `[N]`.
        learn_from: gives the latents `[M, ...]` from which k-NN and linear probe
            learn, and their labels int `[M]`; called while the map is made.
        class_names: of the labels.
        folder: of `tsne.png`, the map of the first 1,000; there is none where all
            latents are equal.
        seed: of t-SNE and k-means.

    Returns:
        `knn_accuracy` (10 neighbours) and `linear_probe_accuracy` in [0, 1],
        `kmeans_nmi`, `silhouette`; `scatter_ratio`, None where that is infinite; and
        `map_silhouette`, None where the map does not exist or shows one class only.
    """
    # The limit is one of the process: set here, not in each thread.
    with (
        threadpool_limits(limits=1),
        concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool,
    ):
        mapped = latents[:_MAPPED], labels[:_MAPPED], class_names
        begun: dict[str, concurrent.futures.Future[Any]] = {
            "t-SNE map": pool.submit(draw_map, *mapped, folder / "tsne.png", seed),
            "k-means": pool.submit(metrics.kmeans_nmi, latents, labels, seed=seed),
            "silhouette": pool.submit(structure, latents, labels),
        }
        learn = (*learn_from(), latents, labels)
        begun |= {
            "nearest neighbours": pool.submit(metrics.knn_accuracy, *learn),
            "linear probe": pool.submit(metrics.linear_probe_accuracy, *learn),
        }
        note(f"Measuring the latents: {', '.join(begun)}.")
        names = {future: name for name, future in begun.items()}
        for future in concurrent.futures.as_completed(names):
            future.result()  # raises what it raised
            note(f"Done: {names[future]}.")
    return {
        "knn_accuracy": begun["nearest neighbours"].result(),
        "linear_probe_accuracy": begun["linear probe"].result(),
        "kmeans_nmi": begun["k-means"].result(),
        "map_silhouette": begun["t-SNE map"].result(),
        **begun["silhouette"].result(),
    }


def structure(latents: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    """How tight the classes of a latent are, as `metrics.json` has it.

    Args:
        latents: `[N, ...]`.
        labels: int `[N]`, of 2 to N - 1 classes.

    Returns:
        `silhouette` and `scatter_ratio`, None where that is infinite.
    """
    ratio = metrics.scatter_ratio(latents, labels)
    return {
        "silhouette": metrics.silhouette(latents, labels),
        "scatter_ratio": ratio if math.isfinite(ratio) else None,
    }


def draw_map(
    latents: np.ndarray,
    labels: np.ndarray,
    class_names: tuple[str, ...],
    path: pathlib.Path,
    seed: int,
) -> float | None:
    """Draws a t-SNE map by class; nothing where all latents are equal.

    Returns:
        The silhouette of the map: how far apart a reader sees the classes. None
        without a map, with a single class, or with as many classes as latents.
    """
    if not np.ptp(latents, axis=0).any():
        return None
    points = embeddings.tsne(latents, seed=seed)
    figures.embedding([("code", points, labels)], class_names, path)
    if not 1 < len(np.unique(labels)) < len(labels):
        return None
    return metrics.silhouette(points, labels)
