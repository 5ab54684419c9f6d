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
    knn_predictions,
    linear_probe_accuracy,
    linear_probe_predictions,
    scatter_ratio,
    silhouette,
    tsne,
)
from tfsemae.metrics.resampling import (
    Statistic,
    bootstrap_interval,
    mean_statistic,
    scatter_ratio_statistic,
    silhouette_statistic,
)

__all__ = [
    "PSNR",
    "SSIM",
    "Interval",
    "Statistic",
    "Verdict",
    "above",
    "all_hold",
    "bootstrap_interval",
    "knn_accuracy",
    "knn_predictions",
    "linear_probe_accuracy",
    "linear_probe_predictions",
    "mean_statistic",
    "paired_t_interval",
    "psnr",
    "scatter_ratio",
    "scatter_ratio_statistic",
    "silhouette",
    "silhouette_statistic",
    "ssim",
    "tsne",
    "within",
]
