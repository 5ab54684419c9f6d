"""Checks of an attack by its own results; what they find stands beside the numbers."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tfsemae.evaluation.attack_registry import Pgd

_GAIN = 0.05  # share that a stronger attack gains where the plain one is too weak
_ROUNDING = 1e-3  # by which a mean may differ without a reason
_REACHED = 0.5  # share of the distance to a target that a huge radius may leave


def warnings(found: Mapping[str, Any], settings: Pgd) -> list[str]:
    """Names what speaks against the numbers of an attack.

    Args:
        found: condition -> quantity -> mean, of `robustness`; `huge` is the attack
            of a radius beyond all of interest.
        settings: of the attack.

    Returns:
        A sentence each, the name of the check before a colon.
    """
    return list(_warnings(found, settings))


def _warnings(found: Mapping[str, Any], settings: Pgd) -> Iterator[str]:
    names = list(settings.radii())
    sign = 1 if settings.target is None else -1

    def objective(condition: str) -> float:
        """NaN, which no check finds fault with, where it was finite for no example."""
        value = found[condition]["objective"]
        return math.nan if value is None else value

    start = objective("clean")

    def damage(condition: str) -> float:
        """How far the objective went where the attack wants it to go."""
        return sign * (objective(condition) - start)

    if not found["spread"] and settings.relative_epsilon:
        yield "no_spread: all latents are equal, and so relative radii are 0."
    yield from _not_finite(found, "clean", "without an attack")
    for attack in ["pgd", "strong"] if settings.strong else ["pgd"]:
        yield from _along_the_grids(names, attack, damage)
        yield from _of_numbers(found, names, attack)
    for name in names:
        yield from _not_finite(found, f"noise_{name}", f"by noise at {name}")
        if not found[f"pgd_{name}"]["radius"]:
            continue
        plain = damage(f"pgd_{name}")
        if plain <= damage(f"noise_{name}"):
            yield f"weaker_than_noise: PGD does no more than noise at {name}."
        gain = damage(f"strong_{name}") / plain - 1 if settings.strong and plain else 0
        if gain > _GAIN:
            yield (
                "too_weak: singular starts and restarts gain "
                f"{100 * gain:.0f} % at {name}."
            )
    left = objective("huge")
    if settings.target is not None and left > _REACHED * start:
        yield (
            f"target_not_reached: a radius of {found['huge']['radius']:.3g} leaves "
            f"{100 * left / start:.0f} % of the distance to the target."
        )


def _along_the_grids(
    names: list[str], attack: str, damage: Callable[[str], float]
) -> Iterator[str]:
    for flag in ("epsilon", "relative_epsilon"):
        of_grid = [name for name in names if name.startswith(flag)]
        for before, name in itertools.pairwise(of_grid):
            least = damage(f"{attack}_{before}") * (1 - _ROUNDING)
            if damage(f"{attack}_{name}") < least:
                yield f"not_monotone: {attack} does less at {name} than at {before}."


def _of_numbers(
    found: Mapping[str, Any], names: list[str], attack: str
) -> Iterator[str]:
    for name in names:
        values = found[f"{attack}_{name}"]
        if not values["radius"] and (values["mse"] or 0) > 0:
            yield f"not_clean: {attack} changes the output at {name}."
        if values["flat"] and values["radius"]:
            share = 100 * values["flat"]
            yield f"flat: {attack} found no gradient for {share:.1f} % at {name}."
        yield from _not_finite(found, f"{attack}_{name}", f"by {attack} at {name}")


def _not_finite(found: Mapping[str, Any], condition: str, how: str) -> Iterator[str]:
    share = 1 - found[condition]["finite"]
    if share > 0:
        yield (
            f"not_finite: the objective or its gradient was not finite {how} for "
            f"{100 * share:.1f} %; means are over finite values."
        )
