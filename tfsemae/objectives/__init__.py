"""Losses and regularisers, differentiable: of codes, and of image pairs."""

from tfsemae.objectives.kl import kl_to_standard_normal
from tfsemae.objectives.mmd import mmd
from tfsemae.objectives.moments import moments_regularizer
from tfsemae.objectives.shapiro_wilk import (
    projected_shapiro_wilk_regularizer,
    shapiro_wilk,
    shapiro_wilk_p_value,
    shapiro_wilk_regularizer,
)
from tfsemae.objectives.ssim import ssim
from tfsemae.objectives.total_correlation import KLDecomposition, kl_decomposition

__all__ = [
    "KLDecomposition",
    "kl_decomposition",
    "kl_to_standard_normal",
    "mmd",
    "moments_regularizer",
    "projected_shapiro_wilk_regularizer",
    "shapiro_wilk",
    "shapiro_wilk_p_value",
    "shapiro_wilk_regularizer",
    "ssim",
]
