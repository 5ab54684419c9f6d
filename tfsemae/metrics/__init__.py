"""Quality of a reconstruction and structure of a latent."""

from tfsemae.metrics.clustering import kmeans_nmi
from tfsemae.metrics.image_quality import (
    PSNR,
    SSIM,
    PSNRPooled,
    psnr,
    psnr_pooled,
    ssim,
)
from tfsemae.metrics.linear_probe import (
    linear_probe_accuracy,
    linear_probe_predictions,
)
from tfsemae.metrics.multiscale import MSSSIM, ms_ssim
from tfsemae.metrics.perceptual import LPIPS, LPIPSDistance
from tfsemae.metrics.representation import (
    knn_accuracy,
    knn_predictions,
    scatter_ratio,
    silhouette,
)
from tfsemae.metrics.two_samples import log_variance_ratio, two_sample_accuracy

__all__ = [
    "LPIPS",
    "MSSSIM",
    "PSNR",
    "SSIM",
    "LPIPSDistance",
    "PSNRPooled",
    "kmeans_nmi",
    "knn_accuracy",
    "knn_predictions",
    "linear_probe_accuracy",
    "linear_probe_predictions",
    "log_variance_ratio",
    "ms_ssim",
    "psnr",
    "psnr_pooled",
    "scatter_ratio",
    "silhouette",
    "ssim",
    "two_sample_accuracy",
]
