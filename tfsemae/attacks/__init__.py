"""Attacks, as functions on tensors and any Keras models."""

from tfsemae.attacks.lbfgsb import BatchedLBFGSB, Minima
from tfsemae.attacks.lbfgsb_attack import LBFGSB, LBFGSBResult
from tfsemae.attacks.noise import gaussian_noise
from tfsemae.attacks.pgd import PGD
from tfsemae.attacks.result import AttackResult
from tfsemae.attacks.semantic_shift import SemanticShift, semantic_shift
from tfsemae.attacks.singular import SingularTriplets, SingularVectors, StrongPGD

__all__ = [
    "LBFGSB",
    "PGD",
    "AttackResult",
    "BatchedLBFGSB",
    "LBFGSBResult",
    "Minima",
    "SemanticShift",
    "SingularTriplets",
    "SingularVectors",
    "StrongPGD",
    "gaussian_noise",
    "semantic_shift",
]
