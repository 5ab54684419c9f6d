"""Attacks, as functions on tensors and any Keras models."""

from tfsemae.attacks.adam import BatchedAdam
from tfsemae.attacks.adam_attack import Adam
from tfsemae.attacks.apgd import APGD
from tfsemae.attacks.lbfgsb import BatchedLBFGSB, Minima
from tfsemae.attacks.lbfgsb_attack import LBFGSB
from tfsemae.attacks.noise import gaussian_noise
from tfsemae.attacks.penalized import PenalizedResult
from tfsemae.attacks.pgd import PGD
from tfsemae.attacks.result import AttackResult
from tfsemae.attacks.semantic_shift import SemanticShift, semantic_shift
from tfsemae.attacks.single_step import (
    SingleStep,
    step_fake,
    step_plain,
    step_sign,
)
from tfsemae.attacks.singular import SingularTriplets, SingularVectors, StrongPGD
from tfsemae.attacks.square import Square

__all__ = [
    "APGD",
    "LBFGSB",
    "PGD",
    "Adam",
    "AttackResult",
    "BatchedAdam",
    "BatchedLBFGSB",
    "Minima",
    "PenalizedResult",
    "SemanticShift",
    "SingleStep",
    "SingularTriplets",
    "SingularVectors",
    "Square",
    "StrongPGD",
    "gaussian_noise",
    "semantic_shift",
    "step_fake",
    "step_plain",
    "step_sign",
]
