"""How much an audit does in its time."""

import dataclasses

from tfsemae.audit.minimal import ROUNDS

RESTARTS, STEPS = 3, 20
_LEAST_RESTARTS, _LEAST_STEPS, _LEAST_ROUNDS = 1, 5, 5
MOST_EXAMPLES = 1000
_FEW = 100  # images below which the effort for each is lowered
_LEAST_EXAMPLES = 20
#: Of the time of a search: attacks of all radii, and the rest of an audit.
_WHOLE = 2.5
_SHARE = 0.8  # of the budget, for what was not foreseen


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """The effort of an audit.

    Attributes:
        examples: number of images.
        restarts: random points of the strong attack.
        steps: of the strong attack from its best point.
        rounds: of the bisection.
        cut: what was cut, a sentence each.
    """

    examples: int
    restarts: int = RESTARTS
    steps: int = STEPS
    rounds: int = ROUNDS
    cut: tuple[str, ...] = ()


def within(
    available: int, seconds_per_image: float, spent: float, budget: float
) -> Plan:
    """What fits a budget.

    Args:
        available: number of images that there are.
        seconds_per_image: of the searches in all spaces, of the full effort.
        spent: seconds so far.
        budget: seconds in all.
    """
    wanted = min(available, MOST_EXAMPLES)
    left = max(0.0, _SHARE * budget - spent)

    def fitting(restarts: int, steps: int, rounds: int) -> int:
        share = _cost(restarts, steps, rounds) / _cost(RESTARTS, STEPS, ROUNDS)
        each = _WHOLE * seconds_per_image * share
        return wanted if each * wanted <= left else int(left / each)

    full = RESTARTS, STEPS, ROUNDS
    effort = full
    if fitting(*full) < min(wanted, _FEW):
        effort = _LEAST_RESTARTS, _LEAST_STEPS, _LEAST_ROUNDS
    examples = max(min(wanted, _LEAST_EXAMPLES), fitting(*effort))
    cut = []
    if examples < available:
        cut.append(f"{examples} of {available} images, drawn at random.")
    names = ("random restarts", "steps", "rounds of bisection")
    for name, now, before in zip(names, effort, full, strict=True):
        if now < before:
            cut.append(f"{now} {name} in place of {before}.")
    restarts, steps, rounds = effort
    return Plan(
        examples=examples,
        restarts=restarts,
        steps=steps,
        rounds=rounds,
        cut=tuple(cut),
    )


def _cost(restarts: int, steps: int, rounds: int) -> float:
    """Evaluations of gradients, about."""
    return rounds * (2.5 * (2 + restarts) + steps)
