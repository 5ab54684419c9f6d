"""The settings of an attack run. Free of TensorFlow."""

import dataclasses
import math
from typing import Any

from tfsemae import settings as all_settings
from tfsemae.evaluation.attack_registry import (
    ATTACKS,
    Lbfgsb,
    Noise,
    Pgd,
    RobustAccuracy,
    SemanticShift,
    number,
)
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
        None,
        "Number of images, of --attack=lbfgsb of pairs, drawn at random. Default: all.",
        lower_bound=1,
    )
    batch_size: int = setting(100, "Images at a time.", lower_bound=1)
    controls: bool = setting(
        True,
        "Measure changes of the norm of the attack as well: Gaussian noise, the "
        "negated change, that of another image, and a gradient attack towards the "
        "target latent, if there is one.",
    )
    scales: tuple[str, ...] | None = setting(
        None,
        "Factors by which the change is multiplied, each measured besides the attack "
        "itself; 0.01 shows the linear limit.",
    )
    seed: int = setting(0, "Of the draw of --examples and of the noise.", lower_bound=0)
    output_dir: str = setting(
        help="Everything of one attack; a second start continues it.", identity=False
    )

    def unused(self) -> dict[str, str]:
        """What only some attacks have."""
        if ATTACKS[self.attack].module == "attack":
            return {}
        unused = dict.fromkeys(("controls", "scales"), "--attack=semantic_shift")
        if self.attack == "lbfgsb":
            unused["batch_size"] = "--attack=pgd"
        return unused

    def __post_init__(self) -> None:
        """Checks the scales.

        Raises:
            ValueError: if one is not a finite number other than 0 and 1, or if two
                are equal.
        """
        super().__post_init__()
        if self.scales is None:
            return
        found = [number(scale) for scale in self.scales]
        if not all(map(math.isfinite, found)) or {0.0, 1.0} & {*found}:
            raise ValueError(
                f"--scales={','.join(self.scales)} must be finite numbers other than 0 "
                "and 1, such as 0.01,0.5,2."
            )
        if len({*found}) < len(found):
            raise ValueError(f"--scales={','.join(self.scales)} names a number twice.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All of one attack run; each setting is the flag of its name."""

    run: Run
    data: Data = dataclasses.field(default_factory=Data)
    semantic_shift: SemanticShift = dataclasses.field(default_factory=SemanticShift)
    noise: Noise = dataclasses.field(default_factory=Noise)
    pgd: Pgd = dataclasses.field(default_factory=Pgd)
    lbfgsb: Lbfgsb = dataclasses.field(default_factory=Lbfgsb)
    robust_accuracy: RobustAccuracy = dataclasses.field(default_factory=RobustAccuracy)

    def __post_init__(self) -> None:
        """Checks the settings of the chosen attack, and that others are not set.

        Raises:
            ValueError: if one is missing, belongs to another attack, or does not go
                with another one.
        """
        all_settings.refuse_unused(self)
        self.chosen.check()
        per_class, examples = self.robust_accuracy.per_class, self.run.examples
        if per_class is not None and examples is not None:
            raise ValueError(
                f"--per_class={per_class} and --examples={examples} both choose the "
                "images. Leave one of them out."
            )

    def unused(self) -> dict[str, str]:
        """The settings of other attacks."""
        return {k: f"--attack={k}" for k in ATTACKS if k != self.run.attack}

    @property
    def chosen(self) -> Any:
        """The settings of the attack that is run."""
        return getattr(self, self.run.attack)
