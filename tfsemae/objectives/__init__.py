"""Losses and regularisers, differentiable: of codes, image pairs, and logits."""

from tfsemae.objectives.gan import gan_discriminator_loss, gan_generator_loss
from tfsemae.objectives.kl import kl_to_standard_normal
from tfsemae.objectives.mmd import mmd
from tfsemae.objectives.moments import moments_regularizer
from tfsemae.objectives.shapiro_wilk import (
    projected_shapiro_wilk_regularizer,
    shapiro_wilk,
    shapiro_wilk_p_value,
    shapiro_wilk_regularizer,
)
from tfsemae.objectives.squared_error import half_squared_error
from tfsemae.objectives.ssim import ssim
from tfsemae.objectives.total_correlation import KLDecomposition, kl_decomposition

__all__ = [
    "KLDecomposition",
    "gan_discriminator_loss",
    "gan_generator_loss",
    "half_squared_error",
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
