"""How good a reconstruction is, how a code is structured, what may be concluded."""

from tfsemae.metrics.image_quality import PSNR, SSIM, psnr, ssim
from tfsemae.metrics.intervals import (
    Interval,
    Verdict,
    above,
    all_hold,
    paired_t_interval,
    within,
)
from tfsemae.metrics.representation import (
    knn_accuracy,
    linear_probe_accuracy,
    scatter_ratio,
    silhouette,
    tsne,
)

__all__ = [
    "PSNR",
    "SSIM",
    "Interval",
    "Verdict",
    "above",
    "all_hold",
    "knn_accuracy",
    "linear_probe_accuracy",
    "paired_t_interval",
    "psnr",
    "scatter_ratio",
    "silhouette",
    "ssim",
    "tsne",
    "within",
]
