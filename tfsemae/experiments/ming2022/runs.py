"""Section III: the networks of each artefact, at full length and as a smoke test."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from tfsemae.experiments.runs import Run
from tfsemae.models.registry import INITIALIZERS

#: What `ming2022_plateau` and `ming2022_weight` choose; the flags' defaults.
LOSS, INITIALIZER, WEIGHT = "binary_crossentropy", "wide_normal", 0.001


class Scale(NamedTuple):
    """Data set, and length and number of trainings."""

    dataset: str
    steps: int
    seeds: int


def network(
    scale: Scale,
    weight: float | None,
    seed: int,
    *,
    loss: str = LOSS,
    initializer: str = INITIALIZER,
) -> Run:
    """The training of a network; weight None is the vanilla one."""
    kind = "vanilla" if weight is None else "semantic"
    label = kind if weight is None else f"{kind}{weight:g}"
    flags = {
        "flagfile": f"flags/ming2022_mnist_{kind}.flags",
        "dataset": scale.dataset,
        "loss": loss,
        "initializer": initializer,
        "steps": scale.steps,
        "seed": seed,
    }
    if weight is not None:
        flags["semantic_weight"] = weight
    return Run(
        f"{scale.dataset}_{label}_{scale.steps}_seed{seed}",
        tuple(f"--{flag}={value}" for flag, value in flags.items()),
    )


TABLE_2 = {"full": Scale("mnist", 10_000, 5), "smoke": Scale("digits", 20, 2)}

PLATEAU = {"full": Scale("mnist", 1_500, 5), "smoke": Scale("digits", 10, 2)}
_LOSSES = ("binary_crossentropy", "mean_squared_error")
_FORMS = {
    "full": tuple(itertools.product(_LOSSES, INITIALIZERS)),
    "smoke": tuple(itertools.product(_LOSSES, INITIALIZERS[-1:])),
}
_PLATEAU_WEIGHTS = {"vanilla": None, "semantic": 1}

WEIGHT_SCALES = {"full": Scale("mnist", 3_000, 3), "smoke": Scale("digits", 15, 2)}
WEIGHTS: dict[str, tuple[float, ...]] = {
    "full": (0.00025, 0.001, 0.004, 0.016, 0.063, 0.25, 1),
    "smoke": (WEIGHT, 1),
}

_ByWeight = dict[float | None, list[Run]]


def table_2(scale: str) -> _ByWeight:
    """Weight -> trainings of `ming2022_mnist`."""
    return _by_weight(TABLE_2[scale], (None, WEIGHT))


def weight(scale: str) -> _ByWeight:
    """Weight -> trainings of `ming2022_weight`."""
    return _by_weight(WEIGHT_SCALES[scale], (None, *WEIGHTS[scale]))


def plateau(scale: str) -> dict[tuple[str, str], dict[str, list[Run]]]:
    """(loss, initializer) -> network -> trainings of `ming2022_plateau`."""
    s = PLATEAU[scale]
    return {
        form: {
            name: [
                network(s, w, seed, loss=form[0], initializer=form[1])
                for seed in range(s.seeds)
            ]
            for name, w in _PLATEAU_WEIGHTS.items()
        }
        for form in _FORMS[scale]
    }


def _by_weight(s: Scale, weights: Sequence[float | None]) -> _ByWeight:
    return {w: [network(s, w, seed) for seed in range(s.seeds)] for w in weights}
