"""The attacks by name: their settings, and how they are made of them.

A new attack is a module in `tfsemae/attacks/`, which is usable without this one, a
group of settings here, and one line in `ATTACKS`. Free of TensorFlow until an attack
is made.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tfsemae.settings import Checked, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class SemanticShift(Checked):
    """I_a = I + I_s - I_v (Ming 2022, eq. (6))."""

    attacker_dir: str | None = setting(
        None,
        "Of --attack=semantic_shift: the attacker, a training run with "
        "--decoder_from=<model_dir>.",
    )
    equal_norm_dir: str | None = setting(
        None,
        "Of --attack=semantic_shift: another attacker; each change is scaled to the L2 "
        "norm that this one's has, which makes a control of equal size.",
    )

    def check(self) -> None:
        """Raises ValueError if something is missing."""
        self.model_dirs()

    def model_dirs(self) -> dict[str, str]:
        """Name -> folder of the networks that it takes besides the victim."""
        if self.attacker_dir is None:
            raise ValueError(
                "--attack=semantic_shift needs --attacker_dir, a training run with "
                "--decoder_from=<model_dir>. Received: no --attacker_dir."
            )
        others = {}
        if self.equal_norm_dir is not None:
            others["equal_norm"] = self.equal_norm_dir
        return {"attacker": self.attacker_dir, **others}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Noise(Checked):
    """Gaussian noise of a given L2 norm."""

    epsilon: float | None = setting(
        None,
        "Of --attack=noise: L2 norm of the change of an image, pixels in [0, 1].",
        lower_bound=0.0,
    )

    def check(self) -> None:
        """Raises ValueError if something is missing."""
        if self.epsilon is None:
            raise ValueError(
                "--attack=noise needs --epsilon, the L2 norm of the change. "
                "Received: no --epsilon."
            )
        if not math.isfinite(self.epsilon):
            raise ValueError(f"--epsilon={self.epsilon} is not a finite number.")

    def model_dirs(self) -> dict[str, str]:
        """Takes no networks besides the victim."""
        return {}


class Attack(NamedTuple):
    """An attack by its name."""

    summary: str
    settings: type  # a group of settings with the methods `check` and `model_dirs`
    make: Callable[..., Any]  # (victim, settings) -> `attack.Attacking`


def _semantic_shift(victim, settings):
    from tfsemae.evaluation.semantic_shift import SemanticShiftAttack

    return SemanticShiftAttack(victim, settings)


def _noise(victim, settings):
    from tfsemae.evaluation.noise import NoiseAttack

    return NoiseAttack(victim, settings)


ATTACKS = {
    "semantic_shift": Attack(
        "I_a = I + I_s - I_v (Ming 2022, eq. (6))", SemanticShift, _semantic_shift
    ),
    "noise": Attack("Gaussian noise of L2 norm --epsilon", Noise, _noise),
}
