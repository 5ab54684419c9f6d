"""How much an audit does in its time."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from tfsemae.audit import attacking, jacobian, minimal

FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0)  # radii of curves, times the median perturbation
_RADII = 1 + len(FACTORS)  # the first is that of the figures
MOST_EXAMPLES = 1000
_LEAST_EXAMPLES = 20
_FEW = 100  # images that are kept as long as a lower effort is enough
_SHARE = 0.9  # of the budget, for what was not foreseen

# In evaluations of a network for an image, about.
_MEASURED = 10  # of the ends of attacks of a radius, and their metrics
_EVERYDAY = 10  # disturbances


@dataclasses.dataclass(frozen=True, kw_only=True)
class Effort:
    """How thoroughly each image is attacked.

    Attributes:
        restarts: random points of the strong attack.
        steps: of the strong attack from its best point.
        rounds: of the bisection.
        queried: images of the query-only attack.
    """

    restarts: int = 3
    steps: int = 20
    rounds: int = minimal.ROUNDS
    queried: int = 32


#: The most first, the least last.
EFFORTS = (
    Effort(),
    Effort(restarts=2, steps=15),
    Effort(restarts=1, steps=10, rounds=6, queried=16),
    Effort(restarts=1, steps=5, rounds=5, queried=8),
)
_NAMES = {
    "restarts": "Random restarts",
    "steps": "Steps",
    "rounds": "Rounds of bisection",
    "queried": "Images of the query-only attack",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan(Effort):
    """The effort of an audit.

    Attributes:
        examples: number of images.
        cut: what was cut, a sentence each.
        seconds: that all may take; None where nothing was timed.
    """

    examples: int
    cut: tuple[str, ...] = ()
    seconds: float | None = None

    @property
    def identity(self) -> str:
        """On which the values of each image depend."""
        names = ["examples", *(field.name for field in dataclasses.fields(Effort))]
        return " ".join(str(getattr(self, name)) for name in names)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pace:
    """What attacks on a space take.

    Attributes:
        seconds: of a search of the least effort, per image.
        batch_seconds: of such a search, per batch, whatever its size.
        batch_size: images at a time.
        query_seconds: of a query-only attack, per image.
        queries: evaluations of the network by a query-only attack, per image.
        differentiable: whether there are other attacks.
        numbers: of a latent; 0 of images.
    """

    seconds: float
    batch_seconds: float
    batch_size: int
    query_seconds: float
    queries: int
    differentiable: bool = True
    numbers: int = 0

    def needed(self, effort: Effort, images: int) -> float:
        """Seconds of an audit of the space without the tracing, about."""
        evaluations = images * (self._search(effort) + self._curves(effort) + _EVERYDAY)
        evaluations += jacobian.evaluations(images, self.numbers)
        search = self.seconds + self.batch_seconds / min(images, self.batch_size)
        queried = min(images, effort.queried) * _RADII
        return (
            search / self._search(EFFORTS[-1]) * evaluations
            + self.query_seconds * queried
        )

    def _search(self, effort: Effort) -> float:
        attack = self.queries
        if self.differentiable:
            attack = attacking.evaluations(effort.restarts, effort.steps)
        return minimal.evaluations(attack, effort.rounds)

    def _curves(self, effort: Effort) -> float:
        if not self.differentiable:
            return _RADII * _MEASURED
        plain = attacking.GRADIENT * attacking.PGD_STEPS
        strong = attacking.evaluations(effort.restarts, effort.steps)
        return _RADII * (_MEASURED + plain + strong)


def within(
    available: int,
    paces: Sequence[Pace],
    stated: Mapping[str, int],
    *,
    tracing: float,
    spent: float,
    budget: float,
) -> Plan:
    """What fits a budget.

    Cut are first the images, to 100; then restarts, steps, rounds and queries, as far
    as 100 images need it; then the images, to 20.

    Args:
        available: number of images that there are.
        paces: of the spaces.
        stated: fields of `Effort` that a user states, which are not cut.
        tracing: seconds that do not depend on images and effort.
        spent: seconds so far.
        budget: seconds in all.
    """
    wanted = min(available, MOST_EXAMPLES)
    few = min(wanted, _FEW)
    left = max(0.0, _SHARE * budget - spent)
    efforts = [dataclasses.replace(each, **stated) for each in EFFORTS]

    def needed(effort: Effort, images: int) -> float:
        return tracing + sum(pace.needed(effort, images) for pace in paces)

    def most_within(effort: Effort, low: int, high: int) -> int:
        """The most images of a range that fit, or the least of it."""
        while low < high:
            middle = (low + high + 1) // 2
            if needed(effort, middle) <= left:
                low = middle
            else:
                high = middle - 1
        return low

    if needed(efforts[0], few) <= left:
        effort, examples = efforts[0], most_within(efforts[0], few, wanted)
    else:
        fitting = (each for each in efforts if needed(each, few) <= left)
        effort = next(fitting, efforts[-1])
        examples = most_within(effort, min(few, _LEAST_EXAMPLES), few)
    seconds = needed(effort, examples)
    whole = spent + seconds
    late = whole if whole > budget else None
    return Plan(
        **dataclasses.asdict(effort),
        examples=examples,
        cut=tuple(_cut(examples, available, effort, efforts[0], late)),
        seconds=seconds,
    )


def _cut(
    examples: int, available: int, effort: Effort, most: Effort, late: float | None
) -> Iterator[str]:
    if examples < available:
        yield f"{examples} of {available} images, drawn at random."
    for field, name in _NAMES.items():
        now, before = (getattr(each, field) for each in (effort, most))
        if now < before:
            yield f"{name}: {now} in place of {before}."
    if late is not None:
        minutes = f"{late / 60:.1f}".removesuffix(".0")
        unit = "minute" if minutes == "1" else "minutes"
        yield f"This is the least, and takes about {minutes} {unit}."
