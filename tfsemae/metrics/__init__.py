"""Quality of a reconstruction, structure of a latent, and what it says of words."""

from tfsemae.metrics.classifier_score import (
    ClassifierScore,
    Score,
    classifier_score,
)
from tfsemae.metrics.clustering import kmeans_nmi
from tfsemae.metrics.correlation import (
    CanonicalDirections,
    canonical_correlations,
    canonical_directions,
    correlations_along,
    permuted_correlations,
)
from tfsemae.metrics.curves import (
    Area,
    Curve,
    area_difference_interval,
    area_interval,
    area_to_base_line,
    base_line,
    curve_band,
    distortion_curve,
)
from tfsemae.metrics.diversity import mean_pairwise_distance
from tfsemae.metrics.edit_distance import character_error_rate, edit_distances
from tfsemae.metrics.frechet import (
    Moments,
    fid,
    frechet_distance,
    frechet_distance_of,
)
from tfsemae.metrics.hinge import (
    Hinge,
    fit_hinge,
    logistic_rmse,
    steepest_slope,
)
from tfsemae.metrics.image_quality import (
    PSNR,
    SSIM,
    PSNRPooled,
    psnr,
    psnr_pooled,
    ssim,
)
from tfsemae.metrics.inception import InceptionFeatures
from tfsemae.metrics.linear_probe import (
    linear_probe_accuracy,
    linear_probe_predictions,
)
from tfsemae.metrics.mlp_probe import mlp_probe_accuracy
from tfsemae.metrics.multiscale import MSSSIM, ms_ssim
from tfsemae.metrics.normalized_distortion import auddc, normalized_distortions
from tfsemae.metrics.perceptual import LPIPS, LPIPSDistance
from tfsemae.metrics.principal_angles import principal_angles
from tfsemae.metrics.representation import (
    knn_accuracy,
    knn_predictions,
    scatter_ratio,
    silhouette,
)
from tfsemae.metrics.similarity import MantelTest, class_similarity, mantel_test
from tfsemae.metrics.two_samples import log_variance_ratio, two_sample_accuracy
from tfsemae.metrics.zero_shot import two_way_zero_shot_accuracy

__all__ = [
    "LPIPS",
    "MSSSIM",
    "PSNR",
    "SSIM",
    "Area",
    "CanonicalDirections",
    "ClassifierScore",
    "Curve",
    "Hinge",
    "InceptionFeatures",
    "LPIPSDistance",
    "MantelTest",
    "Moments",
    "PSNRPooled",
    "Score",
    "area_difference_interval",
    "area_interval",
    "area_to_base_line",
    "auddc",
    "base_line",
    "canonical_correlations",
    "canonical_directions",
    "character_error_rate",
    "class_similarity",
    "classifier_score",
    "correlations_along",
    "curve_band",
    "distortion_curve",
    "edit_distances",
    "fid",
    "fit_hinge",
    "frechet_distance",
    "frechet_distance_of",
    "kmeans_nmi",
    "knn_accuracy",
    "knn_predictions",
    "linear_probe_accuracy",
    "linear_probe_predictions",
    "log_variance_ratio",
    "logistic_rmse",
    "mantel_test",
    "mean_pairwise_distance",
    "mlp_probe_accuracy",
    "ms_ssim",
    "normalized_distortions",
    "permuted_correlations",
    "principal_angles",
    "psnr",
    "psnr_pooled",
    "scatter_ratio",
    "silhouette",
    "ssim",
    "steepest_slope",
    "two_sample_accuracy",
    "two_way_zero_shot_accuracy",
]
