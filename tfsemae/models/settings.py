"""The options of each family of networks, the only place where they are defined.

This module imports neither Keras nor TensorFlow, so that `--help` is quick.
"""

import dataclasses

from tfsemae.settings import Checked, setting

#: Of `hidden`; the command line takes no empty list.
NO_LAYERS = "none"
INITIALIZERS = ("glorot_uniform", "he_normal", "lecun_normal", "wide_normal")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table1(Checked):
    """Of `table1`, the networks of Ming 2022."""

    initializer: str = setting(
        "wide_normal",
        "Initial kernels: Keras' own, or wide_normal, a truncated normal of "
        "2/sqrt(inputs of the layer).",
        choices=INITIALIZERS,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vector(Checked):
    """Of families whose latent is a vector of any size, variational or not."""

    latent: int = setting(
        10,
        "Of --model=conv, conv_elu, conv_elu28 and dense: number of entries of the "
        "latent.",
        lower_bound=1,
    )
    variational: bool = setting(
        False,
        "Of --model=conv, conv_elu, conv_elu28 and dense: the encoder gives a "
        "distribution, mean and variance, from which the latent is drawn in training.",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conv(Vector):
    """Of `conv`, the networks of Lu and Chen 2023."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvElu(Vector):
    """Of `conv_elu`, the convolutional networks of Tabacof 2016."""

    # Of the training images of SVHN, by the released code.
    pixel_mean: float = setting(
        115.11177966923525 / 255,
        "Of --model=conv_elu: what is subtracted from pixels in [0, 1]. Default: the "
        "mean of SVHN.",
    )
    pixel_deviation: float = setting(
        50.819267906232888 / 255,
        "Of --model=conv_elu: what pixels are then divided by. Default: the standard "
        "deviation of SVHN.",
        lower_bound=0.0,
    )

    def __post_init__(self) -> None:
        """Checks what pixels are divided by.

        Raises:
            ValueError: if it is 0.
        """
        super().__post_init__()
        if not self.pixel_deviation:
            raise ValueError(
                "--pixel_deviation=0.0 divides the pixels. Give the standard deviation "
                "of the data set, or 1 for pixels as they are."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvElu28(Vector):
    """Of `conv_elu28`, the convolutional networks of Gondim-Ribeiro 2018 on MNIST."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dense(Vector):
    """Of `dense`, those of the ECE 417 lecture and of Tabacof 2016 on MNIST."""

    hidden: tuple[str, ...] = setting(
        ("256", "64"),
        "Of --model=dense: units of the hidden layers of the encoder, which the "
        "decoder mirrors; none for a linear encoder.",
    )
    # None and not "sigmoid", which would be in the flags of all runs.
    output_activation: str | None = setting(
        None,
        "Of --model=dense: the end of the decoder. Default: sigmoid.",
        choices=("linear", "sigmoid"),
    )
    # None and not "relu", which would be in the flags of all runs.
    activation: str | None = setting(
        None,
        "Of --model=dense: activation of the hidden layers. Default: relu.",
        choices=("relu", "softplus"),
    )

    def __post_init__(self) -> None:
        """Checks the numbers of units.

        Raises:
            ValueError: if one is no whole number of at least 1.
        """
        super().__post_init__()
        units = [str(number) for number in self.hidden]
        if units == [NO_LAYERS]:
            return
        if not all(number.isdecimal() and int(number) for number in units):
            raise ValueError(
                f"--hidden={','.join(units)} must be whole numbers of at least 1, such "
                "as 256,64, or none."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draw(Checked):
    """Of `draw`, DRAW with the sizes of Gondim-Ribeiro 2018."""

    attention: bool = setting(
        False, "Of --model=draw: read and write a window in place of all pixels."
    )
    draw_steps: int = setting(
        8, "Of --model=draw: steps in which an image is painted.", lower_bound=1
    )
    draw_units: int = setting(
        256, "Of --model=draw: units of each LSTM.", lower_bound=1
    )
    draw_latent: int = setting(
        32,
        "Of --model=draw: entries of the latent for each step.",
        lower_bound=1,
    )
    draw_window: int = setting(
        12, "Of --model=draw --attention: side of the window.", lower_bound=2
    )

    def unused(self) -> dict[str, str]:
        """The window, where there is none."""
        return {} if self.attention else {"draw_window": "--attention"}
