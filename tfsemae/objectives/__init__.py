"""Losses and regularisers, differentiable: of codes, image pairs, and logits."""

from tfsemae.objectives.class_memory import gaussian_ramp_up, update_class_memory
from tfsemae.objectives.class_structure import (
    ClassMeans,
    class_means,
    gram_structure,
    rkd_angle,
    rkd_distance,
    rkd_structure,
)
from tfsemae.objectives.gan import gan_discriminator_loss, gan_generator_loss
from tfsemae.objectives.kl import kl_to_standard_normal
from tfsemae.objectives.likelihood import bernoulli_nll, normal_nll
from tfsemae.objectives.logits import cw_margin, dlr, kl_of_logits, targeted_dlr
from tfsemae.objectives.mmd import mmd
from tfsemae.objectives.moments import moments_regularizer
from tfsemae.objectives.shapiro_wilk import (
    projected_shapiro_wilk_regularizer,
    shapiro_wilk,
    shapiro_wilk_p_value,
    shapiro_wilk_regularizer,
)
from tfsemae.objectives.spelling import spelling_nll
from tfsemae.objectives.squared_error import half_squared_error
from tfsemae.objectives.ssim import ssim
from tfsemae.objectives.total_correlation import KLDecomposition, kl_decomposition
from tfsemae.objectives.word_information import word_ba, word_information, word_nce

__all__ = [
    "ClassMeans",
    "KLDecomposition",
    "bernoulli_nll",
    "class_means",
    "cw_margin",
    "dlr",
    "gan_discriminator_loss",
    "gan_generator_loss",
    "gaussian_ramp_up",
    "gram_structure",
    "half_squared_error",
    "kl_decomposition",
    "kl_of_logits",
    "kl_to_standard_normal",
    "mmd",
    "moments_regularizer",
    "normal_nll",
    "projected_shapiro_wilk_regularizer",
    "rkd_angle",
    "rkd_distance",
    "rkd_structure",
    "shapiro_wilk",
    "shapiro_wilk_p_value",
    "shapiro_wilk_regularizer",
    "spelling_nll",
    "ssim",
    "targeted_dlr",
    "update_class_memory",
    "word_ba",
    "word_information",
    "word_nce",
]
