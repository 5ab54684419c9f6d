"""PCA of images, and the reconstruction from principal components."""

import numpy as np

from tfsemae.experiments.ece417.measures import Reconstruct
from tfsemae.models import linear


def find(images: np.ndarray, latent: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of images and their principal components.

    Args:
        images: `[N, H, W, C]`.
        latent: number of components.

    Returns:
        float64 `[P]` and, orthonormal rows, `[latent, P]`.
    """
    flat = images.reshape(len(images), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    centred = flat - mean
    covariance = centred.T @ centred / len(flat)
    covariance = (covariance + covariance.T) / 2  # exactly symmetric
    return mean, linear.principal(covariance, latent).encoder


def projection(mean: np.ndarray, components: np.ndarray) -> Reconstruct:
    """The reconstruction of PCA: `x^ = u_0 + U^T U (x - u_0)`."""

    def reconstruct(images: np.ndarray) -> np.ndarray:
        centred = images.reshape(len(images), -1) - mean
        return (mean + centred @ components.T @ components).reshape(images.shape)

    return reconstruct
