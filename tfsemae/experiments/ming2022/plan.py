"""Section III: which runs each artefact needs, at full length and as a smoke test."""

import dataclasses
import itertools

from tfsemae.experiments.runs import Run
from tfsemae.models.registry import INITIALIZERS

#: What `ming2022_plateau` and `ming2022_weight` choose; the flags' defaults.
LOSS, INITIALIZER, WEIGHT = "binary_crossentropy", "wide_normal", 0.001

#: (loss, initializer) that `ming2022_plateau` compares, at classification weight 1.
FORMS = tuple(
    itertools.product(
        ("binary_crossentropy", "mean_squared_error"),
        INITIALIZERS,
    )
)


@dataclasses.dataclass(frozen=True)
class Scale:
    """Data set, lengths and numbers of seeds."""

    dataset: str
    steps: int
    seeds: int
    plateau_steps: int
    weights: tuple[float, ...]
    weight_steps: int
    weight_seeds: int


SCALES = {
    "full": Scale(
        dataset="mnist",
        steps=10_000,
        seeds=5,
        plateau_steps=1_500,
        weights=(0.00025, 0.001, 0.004, 0.016, 0.063, 0.25, 1),
        weight_steps=3_000,
        weight_seeds=3,
    ),
    "smoke": Scale(
        dataset="digits",
        steps=20,
        seeds=2,
        plateau_steps=10,
        weights=(WEIGHT, 1),
        weight_steps=15,
        weight_seeds=2,
    ),
}


def runs(artefact: str, scale: str) -> dict[str, Run]:
    """The training runs of an artefact.

    Args:
        artefact: such as `ming2022_mnist`.
        scale: `full` or `smoke`.

    Returns:
        Name of the run -> the run. Artefacts share runs.
    """
    s = SCALES[scale]
    if artefact == "ming2022_plateau":
        forms = itertools.product(range(s.seeds), FORMS, (None, 1))
        found = [plateau_run(s, form, weight, seed) for seed, form, weight in forms]
    elif artefact == "ming2022_weight":
        grid = itertools.product(range(s.weight_seeds), (None, *s.weights))
        found = [weight_run(s, weight, seed) for seed, weight in grid]
    else:
        grid = itertools.product(range(s.seeds), (None, WEIGHT))
        found = [run(s, weight, seed) for seed, weight in grid]
    return dict(found)


def ledger_scale(artefact: str, scale: str) -> str:
    """What the ledger says of its scale: the frontier has shorter and fewer runs."""
    if scale == "full" and artefact == "ming2022_weight":
        return "reduced"
    return scale


def tag(artefact: str, scale: str) -> str:
    """How the rows of an artefact relate to the paper's."""
    if SCALES[scale].dataset != "mnist":
        return "stand-in"
    return {"ming2022_mnist": "as printed", "ming2022_weight": "reduced"}.get(
        artefact, "our choice"
    )


def run(s: Scale, weight: float | None, seed: int) -> tuple[str, Run]:
    """A run of full length behind its name; weight None is the vanilla network."""
    return _run(s, weight, seed, s.steps, LOSS, INITIALIZER)


def weight_run(s: Scale, weight: float | None, seed: int) -> tuple[str, Run]:
    """A run of `ming2022_weight` behind its name."""
    return _run(s, weight, seed, s.weight_steps, LOSS, INITIALIZER)


def plateau_run(
    s: Scale, form: tuple[str, str], weight: float | None, seed: int
) -> tuple[str, Run]:
    """A run of `ming2022_plateau` behind its name."""
    return _run(s, weight, seed, s.plateau_steps, *form)


def _run(s, weight, seed, steps, loss, initializer) -> tuple[str, Run]:
    network = "vanilla" if weight is None else "semantic"
    label = network if weight is None else f"{network}{weight:g}"
    name = f"{s.dataset}_{label}_{loss}_{initializer}_{steps}_seed{seed}"
    flags = {
        "flagfile": f"flags/ming2022_mnist_{network}.flags",
        "dataset": s.dataset,
        "loss": loss,
        "initializer": initializer,
        "steps": steps,
        "seed": seed,
    }
    if weight is not None:
        flags["semantic_weight"] = weight
    return name, Run(flags=[f"--{flag}={value}" for flag, value in flags.items()])
