"""How long attacks take on a model, by trial."""

import time
from collections.abc import Callable

import numpy as np

from tfsemae.audit import attacking
from tfsemae.audit.plan import EFFORTS, Pace
from tfsemae.audit.stages import RADIUS
from tfsemae.audit.steps import Steps
from tfsemae.audit.subject import Subject

_FEW, _MOST = 4, 16  # images of the batches that are timed


def pace(audited: Subject, steps: Steps) -> tuple[Pace, float]:
    """Times attacks on a space.

    Args:
        audited: whose first images are attacked.
        steps: of the space, with the least effort.

    Returns:
        What they take; the seconds of their tracing.
    """
    space, of_latents = steps.space, steps.space.name == "latent"
    points = audited.latents if of_latents else audited.probe
    size = audited.request.batch_size
    most = min(_MOST, len(points), size)
    few = min(_FEW, most)
    starts, normal = steps.numbers(EFFORTS[-1].restarts)(most)
    radius = np.float32(RADIUS * space.spread)

    def search(count: int) -> Callable[[], object]:
        return lambda: steps.smallest(points[:count], starts[:, :count], normal[:count])

    short, traced = _timed(search(few))
    long, _ = _timed(search(most))
    query, traced_query = _timed(
        lambda: steps.queried(points[:few], starts[:, :few], radius)
    )
    batch_seconds, seconds = fixed_and_per_image((few, short), (most, long))
    found = Pace(
        seconds=seconds,
        batch_seconds=batch_seconds,
        batch_size=size,
        query_seconds=query / few,
        queries=attacking.queries(space),
        differentiable=space.differentiable,
        numbers=space.size if of_latents else 0,
    )
    return found, traced + traced_query


def fixed_and_per_image(
    short: tuple[int, float], long: tuple[int, float]
) -> tuple[float, float]:
    """Splits the time of a batch into a part of its own and one of each image.

    Args:
        short: images of a batch, and its seconds.
        long: the same of a larger one, or of the same.

    Returns:
        Seconds per batch and per image, neither below 0.
    """
    (few, less), (most, more) = short, long
    if few == most:
        return 0.0, more / most
    each = max(0.0, (more - less) / (most - few))
    fixed = max(0.0, more - most * each)
    return fixed, (more - fixed) / most


def _timed(step: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a compiled step, and of its tracing."""
    spent = []
    for _ in range(2):
        begun = time.monotonic()
        step()
        spent.append(time.monotonic() - begun)
    return min(spent), max(0.0, spent[0] - spent[1])
