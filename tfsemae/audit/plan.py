"""How much an audit does in its time."""

import dataclasses
from collections.abc import Iterator

from tfsemae.audit.minimal import ROUNDS

RESTARTS, STEPS = 3, 20
MOST_EXAMPLES = 1000
_LEAST_EXAMPLES = 20
_FEW = 100  # images that are kept as long as a lower effort is enough
#: Restarts, steps and rounds.
_EFFORTS = ((RESTARTS, STEPS, ROUNDS), (2, 15, ROUNDS), (1, 10, 6), (1, 5, 5))
_NAMES = ("Random restarts", "Steps", "Rounds of bisection")
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
        seconds: that all may take; None where nothing was timed.
    """

    examples: int
    restarts: int = RESTARTS
    steps: int = STEPS
    rounds: int = ROUNDS
    cut: tuple[str, ...] = ()
    seconds: float | None = None


def within(
    available: int, seconds_per_image: float, spent: float, budget: float
) -> Plan:
    """What fits a budget.

    Cut are first the images, to 100; then restarts, steps and rounds, as far as 100
    images need it; then the images, to 20.

    Args:
        available: number of images that there are.
        seconds_per_image: of the searches in all spaces, of the full effort.
        spent: seconds so far.
        budget: seconds in all.
    """
    wanted = min(available, MOST_EXAMPLES)
    few = min(wanted, _FEW)
    left = max(0.0, _SHARE * budget - spent)

    def needed(effort: tuple[int, int, int], images: int) -> float:
        share = _cost(*effort) / _cost(*_EFFORTS[0])
        return _WHOLE * seconds_per_image * share * images

    full = _EFFORTS[0]
    if needed(full, few) <= left:
        effort, most = full, wanted
    else:
        enough = (each for each in _EFFORTS if needed(each, few) <= left)
        effort, most = next(enough, _EFFORTS[-1]), few
    examples, late = most, False
    if needed(effort, most) > left:
        fitting, least = int(left / needed(effort, 1)), min(most, _LEAST_EXAMPLES)
        examples, late = max(fitting, least), fitting < least
    restarts, steps, rounds = effort
    return Plan(
        examples=examples,
        restarts=restarts,
        steps=steps,
        rounds=rounds,
        cut=tuple(_cut(examples, available, effort, late)),
        seconds=needed(effort, examples),
    )


def with_effort(found: Plan, *, restarts: int | None, steps: int | None) -> Plan:
    """With the restarts and steps that a user states, which are no cut."""
    stated = dict(zip(_NAMES, (restarts, steps), strict=False))
    names = tuple(f"{name}:" for name, value in stated.items() if value is not None)
    return dataclasses.replace(
        found,
        restarts=found.restarts if restarts is None else restarts,
        steps=found.steps if steps is None else steps,
        cut=tuple(each for each in found.cut if not each.startswith(names)),
    )


def _cut(
    examples: int, available: int, effort: tuple[int, int, int], late: bool
) -> Iterator[str]:
    if examples < available:
        yield f"{examples} of {available} images, drawn at random."
    for name, now, before in zip(_NAMES, effort, _EFFORTS[0], strict=True):
        if now < before:
            yield f"{name}: {now} in place of {before}."
    if late:
        yield "This is the least, and takes longer."


def _cost(restarts: int, steps: int, rounds: int) -> float:
    """Evaluations of gradients, about."""
    return rounds * (2.5 * (2 + restarts) + steps)
