"""Losses and regularisers of codes: batch statistics, differentiable."""

from tfsemae.objectives.kl import kl_to_standard_normal
from tfsemae.objectives.mmd import mmd
from tfsemae.objectives.moments import moments_regularizer

__all__ = [
    "kl_to_standard_normal",
    "mmd",
    "moments_regularizer",
]
