"""Attacks, as functions on tensors and any Keras models."""

from tfsemae.attacks.noise import gaussian_noise
from tfsemae.attacks.pgd import PGD
from tfsemae.attacks.result import AttackResult
from tfsemae.attacks.semantic_shift import SemanticShift, semantic_shift

__all__ = [
    "PGD",
    "AttackResult",
    "SemanticShift",
    "gaussian_noise",
    "semantic_shift",
]
