"""Procedures: what one training step does, one module each."""
