"""The settings of an attack run. Free of TensorFlow."""

import dataclasses
from typing import Any

from tfsemae import settings as all_settings
from tfsemae.evaluation.attack_registry import ATTACKS, Noise, SemanticShift
from tfsemae.evaluation.settings import Data
from tfsemae.settings import setting
from tfsemae.shared_settings import Threads


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(Threads):
    """Which network is attacked, how, and where to."""

    attack: str = setting(
        "semantic_shift",
        "The attack. "
        + "; ".join(f"{name}: {entry.summary}" for name, entry in ATTACKS.items())
        + ".",
        choices=tuple(ATTACKS),
    )
    model_dir: str = setting(help="The victim: the --output_dir of its training.")
    examples: int | None = setting(
        None, "Number of images, drawn at random. Default: all.", lower_bound=1
    )
    batch_size: int = setting(100, "Images at a time.", lower_bound=1)
    seed: int = setting(0, "Of the draw of --examples and of the noise.", lower_bound=0)
    output_dir: str = setting(
        help="Everything of one attack; a second start continues it.", identity=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All of one attack run; each setting is the flag of its name."""

    run: Run
    data: Data = dataclasses.field(default_factory=Data)
    semantic_shift: SemanticShift = dataclasses.field(default_factory=SemanticShift)
    noise: Noise = dataclasses.field(default_factory=Noise)

    def __post_init__(self) -> None:
        """Checks the settings of the chosen attack, and that others are not set.

        Raises:
            ValueError: if one is missing, or belongs to another attack.
        """
        self.chosen.check()
        for name in ATTACKS:
            group = getattr(self, name)
            if name == self.run.attack or group == type(group)():
                continue
            flags = " ".join(all_settings.serialized(group).values())
            raise ValueError(
                f"{flags} belongs to --attack={name}. "
                f"Received: --attack={self.run.attack}."
            )

    @property
    def chosen(self) -> Any:
        """The settings of the attack that is run."""
        return getattr(self, self.run.attack)
