"""Checks of robust accuracies; a violation hints at masked gradients."""

import itertools
import re
from collections.abc import Iterator, Mapping

_POINT = 0.01  # of accuracy, which a stronger attack may gain
_HUGE = 0.01  # accuracy that may be left at a radius of 64/255


def warnings(
    accuracies: Mapping[str, float], checks: Mapping[str, float]
) -> dict[str, str]:
    """Names what speaks against robust accuracies.

    Args:
        accuracies: condition -> accuracy of all images: `clean`, `noise` and attacks.
        checks: further attack -> accuracy of the first images, with those of `clean`,
            `pgd20` and others that they are compared with; empty without checks.

    Returns:
        Name of a check -> sentence.

    Source: Carlini et al. 2019, "On evaluating adversarial robustness"; the bounds are
    our choice.
    """
    found: dict[str, str] = {}
    for name, sentence in _warnings(accuracies, checks):
        found.setdefault(name, sentence)
    return found


def _warnings(
    accuracies: Mapping[str, float], checks: Mapping[str, float]
) -> Iterator[tuple[str, str]]:
    for stronger, weaker in itertools.pairwise(_in_order(accuracies)):
        more, less = accuracies[stronger], accuracies[weaker]
        if less > more:
            yield (
                "not_in_order",
                f"{weaker} leaves {_percent(less)}, and {stronger}, which is weaker, "
                f"{_percent(more)}.",
            )
    if not checks:
        return
    pgd = checks["pgd20"]
    if checks["epsilon0"] != checks["clean"]:
        yield "not_clean", "an attack of radius 0 changes answers."
    if checks["huge"] > _HUGE:
        yield (
            "huge_radius",
            f"a radius of 64/255 leaves {_percent(checks['huge'])}.",
        )
    for name, what in (
        ("pgd100", "100 steps in place of 20 gain"),
        ("restarts", "5 restarts gain"),
        ("adaptive", "an attack that knows the heads gains"),
    ):
        if name in checks and pgd - checks[name] > _POINT:
            yield f"{name}_gains", f"{what} {_percent(pgd - checks[name])}."
    if "transfer" in checks and checks["transfer"] < pgd:
        yield (
            "transfer_is_stronger",
            f"images of another network leave {_percent(checks['transfer'])}, its own "
            f"gradients {_percent(pgd)}.",
        )


def _in_order(accuracies: Mapping[str, float]) -> list[str]:
    """Conditions from the weakest to the strongest, as far as that is known."""
    steps = {
        name: int(match[1])
        for name in accuracies
        if (match := re.fullmatch(r"pgd([0-9]+)", name))
    }
    first = [name for name in ("clean", "noise", "fgsm") if name in accuracies]
    return [*first, *sorted(steps, key=lambda name: steps[name])]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
