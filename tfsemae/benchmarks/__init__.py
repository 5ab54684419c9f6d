"""Comparisons with peers: speed, and an equal outcome beside it.

Each is a command, `python -m tfsemae.benchmarks.<name>`, and lands as
`results/benchmarks/<name>.json`.
"""
