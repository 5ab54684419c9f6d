"""The options of each family of networks, the only place where they are defined.

A field's metadata say what a command line needs: `help`, and where they apply
`choices`, `lower_bound` and `upper_bound`. This module imports neither Keras nor
TensorFlow, so that `--help` is quick.
"""

import dataclasses

INITIALIZERS = ("glorot_uniform", "he_normal", "lecun_normal", "wide_normal")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options that are checked against the metadata of their fields.

    Raises:
        ValueError: if a value is none of its choices or out of its bounds.
    """

    def __post_init__(self) -> None:
        """Refuses what the metadata exclude."""
        for field in dataclasses.fields(self):
            value, meta = getattr(self, field.name), field.metadata
            if "choices" in meta and value not in meta["choices"]:
                raise ValueError(
                    f"`{field.name}` must be one of {', '.join(meta['choices'])}. "
                    f"Received: {field.name}={value!r}."
                )
            # NaN fails every comparison.
            if "lower_bound" in meta and not value >= meta["lower_bound"]:
                raise ValueError(
                    f"`{field.name}` must be at least {meta['lower_bound']}. "
                    f"Received: {field.name}={value!r}."
                )
            if "upper_bound" in meta and not value <= meta["upper_bound"]:
                raise ValueError(
                    f"`{field.name}` must be at most {meta['upper_bound']}. "
                    f"Received: {field.name}={value!r}."
                )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table1(Options):
    """Of `table1`, the networks of Ming 2022."""

    initializer: str = dataclasses.field(
        default="wide_normal",
        metadata={
            "help": "Initial kernels: Keras' own, or wide_normal, a truncated normal "
            "of 2/sqrt(inputs of the layer).",
            "choices": INITIALIZERS,
        },
    )
