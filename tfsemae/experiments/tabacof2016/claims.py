"""The claims of section 3, and the rules that decide them.

A claim on one group holds if the interval over pairs of every seed is beyond the
bound; a comparison is made pair by pair, with as many penalties on both sides.
"""

from collections.abc import Iterator
from typing import Any

from tfsemae.experiments.claims import claim, with_parts
from tfsemae.experiments.tabacof2016 import printed
from tfsemae.experiments.tabacof2016.runs import (
    AE,
    KL,
    KL_FEW,
    L2,
    MAIN,
    MEANS,
    OUTPUT,
    RELEASED,
    VAE,
    Group,
)
from tfsemae.experiments.tabacof2016.trade_offs import QUANTITIES, TradeOffs
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Above, Below, Interval, Rule

_OVER = "of each seed the 95 % bootstrap interval over pairs, joined"
_LINEAR = "Distortion and distance to the target trade off linearly up to a hinge"
_NO_DROP = "The distance to the target falls without a sudden drop"
_SATURATES = "Beyond the hinge the output is as near as the target's own"
_TOLERABLE = "Attacks of half the distance reach half the way for most pairs"


def claims(found: TradeOffs) -> Iterator[Claim]:
    """Claims 1 to 4, 6, and 8 to 11 of an artefact.

    Args:
        found: of `runs.MAIN` and `runs.FURTHER`.
    """
    for group in MAIN:
        yield from _shape(found, group)
        yield _claim(
            f"6_{group.id}",
            f"{_TOLERABLE} ({group})",
            QUANTITIES["tolerable"].name,
            found.value(group, "tolerable"),
            Above(printed.MOST_PAIRS),
            unit="%",
            signed=False,
        )
    yield from _comparisons(found)
    yield from _linf(found)


def _shape(found: TradeOffs, group: Group) -> Iterator[Claim]:
    """Claims 1 to 3; of the deterministic autoencoder they are claim 11."""

    def part(
        id_: str, statement: str, quantity: str, effect: Interval, rule: Rule
    ) -> Claim:
        return _claim(
            f"{id_}_{group.id}",
            f"{statement} ({group})",
            QUANTITIES[quantity].name,
            effect,
            rule,
            unit=QUANTITIES[quantity].unit,
            signed=False,
        )

    mean, worst = (each(group, "correlation") for each in (found.value, found.worst))
    linear = [
        part("1_mean", _LINEAR, "correlation", mean, Below(printed.CORRELATION)),
        part(
            "1_worst",
            f"{_LINEAR}: the worst pair of each seed",
            "correlation",
            worst,
            Below(printed.WORST_CORRELATION),
        ),
        part(
            "1_rmse", _LINEAR, "rmse", found.value(group, "rmse"), Below(printed.RMSE)
        ),
    ]
    yield from with_parts(f"1_{group.id}", f"{_LINEAR} ({group})", linear)
    no_drop = [
        part(
            "2_logistic",
            _NO_DROP,
            "beats_logistic",
            found.value(group, "beats_logistic"),
            Above(printed.MOST_PAIRS),
        ),
        part(
            "2_steepness",
            _NO_DROP,
            "steepness",
            found.value(group, "steepness"),
            Below(printed.STEEPEST),
        ),
    ]
    yield from with_parts(f"2_{group.id}", f"{_NO_DROP} ({group})", no_drop)
    level = printed.LEVEL_RELEASED if group.attack == RELEASED else printed.LEVEL
    yield part("3", _SATURATES, "level", found.value(group, "level"), Below(level))


def _comparisons(found: TradeOffs) -> Iterator[Claim]:
    for id_, statement, first, second in (
        (
            "4",
            "The VAE is more resistant than the AE",
            Group(VAE, KL),
            Group(AE, L2),
        ),
        (
            "4_released",
            "The VAE is more resistant than the AE, by the released distance",
            Group(VAE, RELEASED),
            Group(AE, L2),
        ),
        (
            "8",
            "An attack on the output of the VAE does less than one on its latent",
            Group(VAE, OUTPUT),
            Group(VAE, KL_FEW),
        ),
        (
            "9",
            "An attack by KL does more on the VAE than one by the distance of means",
            Group(VAE, MEANS),
            Group(VAE, KL_FEW),
        ),
    ):
        yield _claim(
            id_,
            statement,
            f"AUDDC, {first} minus {second}",
            found.difference(first, second, "auddc"),
            Above(printed.AREA),
        )


def _linf(found: TradeOffs) -> Iterator[Claim]:
    """Claim 10."""
    statement = "A bound on the L-inf norm is too restrictive for an attack"
    for group in (Group(VAE, KL), Group(AE, L2)):
        parts = [
            _claim(
                f"10_linf{radius:g}_{group.id}",
                f"{statement} ({group}): {radius:g}",
                "pairs with Z above 0.5 after 200 signed steps",
                found.beyond(group, radius),
                Above(printed.MOST_PAIRS),
                unit="%",
                signed=False,
            )
            for radius in printed.LINF
        ]
        yield from with_parts(f"10_{group.id}", f"{statement} ({group})", parts)


def _claim(
    id_: str,
    statement: str,
    measurement: str,
    effect: Interval,
    rule: Rule,
    **options: Any,
) -> Claim:
    over = f"{measurement}; {_OVER}"
    return claim(id_, statement, over, effect, rule, **options)
