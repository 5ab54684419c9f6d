"""Random numbers of each example, equal ones whatever the batches are."""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

#: Number of examples -> float32 `[number, ...]`, those of the following examples.
Stream: TypeAlias = Callable[[int], np.ndarray]


def normal(seed: Sequence[int], shape: Sequence[int]) -> Stream:
    """Standard normal numbers of a shape per example."""
    random = np.random.default_rng(seed)
    return lambda count: random.standard_normal((count, *shape), dtype=np.float32)


def uniform(seed: Sequence[int], shape: Sequence[int]) -> Stream:
    """Numbers of the shape per example, uniform in [0, 1)."""
    random = np.random.default_rng(seed)
    return lambda count: random.random((count, *shape), dtype=np.float32)


def in_unit_ball(seed: Sequence[int], shape: Sequence[int], norm: str) -> Stream:
    """A point of the unit ball per example.

    L2: of a uniform direction and a length U(0, 1), as `attacks.PGD` begins; Linf:
    uniform in the ball.
    """
    size = math.prod(shape)
    if norm == "linf":
        numbers = uniform(seed, shape)
        return lambda count: 2 * numbers(count) - 1
    directions, lengths = normal([*seed, 0], [size]), uniform([*seed, 1], [1])

    def draw(count: int) -> np.ndarray:
        found = directions(count)
        found *= lengths(count) / np.linalg.norm(found, axis=1, keepdims=True)
        return found.reshape(count, *shape)

    return draw
