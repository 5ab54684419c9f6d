"""The network that is trained. Free of TensorFlow."""

import dataclasses
from typing import Any

from tfsemae.models import registry
from tfsemae.models.settings import Conv, ConvElu, ConvElu28, Dense, Draw, Table1
from tfsemae.settings import Checked, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network(Checked):
    """What is trained: a family of networks, and the options of each."""

    model: str = setting("table1", "The network.", choices=tuple(registry.NETWORKS))
    table1: Table1 = dataclasses.field(default_factory=Table1)
    conv: Conv = dataclasses.field(default_factory=Conv)
    conv_elu: ConvElu = dataclasses.field(default_factory=ConvElu)
    conv_elu28: ConvElu28 = dataclasses.field(default_factory=ConvElu28)
    dense: Dense = dataclasses.field(default_factory=Dense)
    draw: Draw = dataclasses.field(default_factory=Draw)

    def unused(self) -> dict[str, str]:
        """The options of other networks."""
        groups = [f.name for f in dataclasses.fields(self) if "help" not in f.metadata]
        return {name: f"--model={name}" for name in groups if name != self.model}

    @property
    def options(self) -> dict[str, Any]:
        """Those of the family that is trained."""
        group = getattr(self, self.model, None)
        return {} if group is None else dataclasses.asdict(group)

    @property
    def variational(self) -> bool:
        """Whether the encoder gives a distribution."""
        return self.model == "draw" or self.options.get("variational", False)

    @property
    def gives_pixel_variances(self) -> bool:
        """Whether the decoder has a second head, the variance of each pixel."""
        return self.model == "conv_elu" and self.conv_elu.variational

    @property
    def classifies(self) -> bool:
        """Whether it learns from labels; else it is an autoencoder."""
        return registry.NETWORKS[self.model].classifies

    @property
    def drops(self) -> bool:
        """Whether it has dropout."""
        return registry.NETWORKS[self.model].drops

    @property
    def spells(self) -> bool:
        """Whether it learns the letters of the labels' names."""
        return registry.NETWORKS[self.model].spells
