"""Attacks, as functions on tensors and any Keras models."""

from tfsemae.attacks.semantic_shift import SemanticShift, semantic_shift

__all__ = ["SemanticShift", "semantic_shift"]
