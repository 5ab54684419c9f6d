"""Quality of a reconstruction and structure of a latent."""

from tfsemae.metrics.clustering import kmeans_nmi
from tfsemae.metrics.image_quality import PSNR, SSIM, psnr, ssim
from tfsemae.metrics.linear_probe import (
    linear_probe_accuracy,
    linear_probe_predictions,
)
from tfsemae.metrics.representation import (
    knn_accuracy,
    knn_predictions,
    scatter_ratio,
    silhouette,
)
from tfsemae.metrics.resampled import scatter_ratio_statistic, silhouette_statistic

__all__ = [
    "PSNR",
    "SSIM",
    "kmeans_nmi",
    "knn_accuracy",
    "knn_predictions",
    "linear_probe_accuracy",
    "linear_probe_predictions",
    "psnr",
    "scatter_ratio",
    "scatter_ratio_statistic",
    "silhouette",
    "silhouette_statistic",
    "ssim",
]
