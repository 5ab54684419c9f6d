"""What the lecture claims of an adversary, whether of a tint or of a speaker."""

from typing import Any, NamedTuple

import numpy as np

from tfsemae.data.nuisance import STATES
from tfsemae.experiments import claims
from tfsemae.experiments.ece417 import bounds
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Above, Below, Rule

PROBE, ADVERSARY = "nuisance/probe_accuracy", "nuisance/adversary_accuracy"
LINEAR_PROBE = "nuisance/linear_probe_accuracy"
CHANCE = 100 / STATES
GUESS = float(np.log(STATES))  # E_adversary, nats
_POINTS = "percentage points"


def quantities(found: str, tested: str) -> dict[str, Quantity]:
    """What is measured of the features, and of the adversary.

    Args:
        found: what classifiers look for, such as "speakers found".
        tested: where, such as "test utterances".
    """
    return {
        PROBE: Quantity(f"{found} by a new classifier", "%", 100),
        LINEAR_PROBE: Quantity(f"{found} by a new linear classifier", "%", 100),
        ADVERSARY: Quantity(f"{found} by the adversary", "%", 100),
        "nuisance/adversary_cross_entropy": Quantity(
            f"E_adversary on {tested}, ln {STATES} = {GUESS:.3f} of a guess", "nats"
        ),
    }


class Comparison(NamedTuple):
    """Trainings against the adversary, and others to compare them with.

    Attributes:
        found: the measurements.
        against: group of the trainings against the adversary.
        beside: group of those that have it beside them.
        contrast: how a reader calls the first minus the second.
    """

    found: Estimates
    against: Any
    beside: Any
    contrast: str

    def claim(
        self, id_: str, statement: str, key: str, rule: Rule, *, note: str = ""
    ) -> Claim:
        """A claim on the difference of a quantity; see `claims.claim`."""
        return claims.claim(
            id_,
            statement,
            f"{self.found.quantities[key].name}, {self.contrast}; {self._over(key)}",
            self.found.difference((self.against, key), (self.beside, key)),
            rule,
            unit=_POINTS,
            note=note,
        )

    def hidden(self, statement: str, kept: Claim, fall: float) -> list[Claim]:
        """The claim of the slide: the nuisance goes, and the rest stays.

        Args:
            statement: of what the features do not tell.
            kept: what must not be lost, a part of the whole.
            fall: of what a new classifier finds, percentage points, at least.
        """
        told = self.claim(
            "1_hidden",
            statement,
            PROBE,
            Below(-fall),
            note=f"{CHANCE:g} % is a guess",
        )
        also = kept.statement[0].lower() + kept.statement[1:]
        return claims.with_parts("1", f"{statement}, and {also}", [told, kept])

    def underrated(self, nuisance: str) -> Claim:
        """Why the adversary is no judge of the features.

        Args:
            nuisance: that it looks for, such as "tint".
        """
        name = self.found.quantities[PROBE].name.removesuffix(" by a new classifier")
        statement = "The adversary of the training finds less than a new classifier"
        return claims.claim(
            "3",
            f"{statement} ({nuisance})",
            f"{name}, new classifier minus adversary; {self._over(PROBE)}",
            self.found.difference((self.against, PROBE), (self.against, ADVERSARY)),
            Above(bounds.UNDERRATED),
            unit=_POINTS,
        )

    def _over(self, key: str) -> str:
        return self.found.interval_over(len(self.found.values(self.against, key)))
