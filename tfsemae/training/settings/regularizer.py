"""Losses of the latents of a batch, and the options of each. Free of TensorFlow."""

import dataclasses

from tfsemae.settings import Checked, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mmd(Checked):
    """Of the regulariser `mmd`: `objectives.mmd`."""

    mmd_kernel: str = setting(
        "rbf", "Of --regularizer=mmd: the kernel.", choices=("rbf", "imq")
    )
    mmd_scale: float | None = setting(
        None,
        "Of --regularizer=mmd: squared length scale of the kernel, which is exp(-r^2 / "
        "(2 scale)) or C / (C + r^2), C = 4 scale. Default: the size of the latent.",
        lower_bound=1e-6,
    )
    mmd_biased: bool = setting(
        False,
        "Of --regularizer=mmd: the biased estimate, in place of the unbiased one.",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShapiroWilk(Checked):
    """Of the regulariser `shapiro_wilk`: `objectives.shapiro_wilk_regularizer`."""

    swt_project: bool = setting(
        False,
        "Of --regularizer=shapiro_wilk: the least statistic of random orthonormal "
        "projections, anew in each step, in place of the mean over the entries.",
    )
    swt_moments: bool = setting(
        False,
        "Of --regularizer=shapiro_wilk: add the distance of mean and standard "
        "deviation from 0 and 1, which the statistic does not see.",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TotalCorrelation(Checked):
    """Of the regulariser `total_correlation`: `objectives.kl_decomposition`."""

    total_correlation_weight: float = setting(
        1.0,
        "Of --regularizer=total_correlation: weight of the total correlation beside "
        "mutual information and dimension-wise KL (beta of a beta-TCVAE).",
        lower_bound=0.0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Regularizer(Checked):
    """A loss of the latents of a batch: `procedures.regularizers`."""

    regularizer: str | None = setting(
        None,
        "Regulariser of the latent: kl and total_correlation of a variational "
        "autoencoder, mmd and shapiro_wilk of any. Default: none.",
        choices=("kl", "mmd", "shapiro_wilk", "total_correlation"),
    )
    regularizer_weight: float = setting(
        1.0,
        "Of --regularizer: its weight, beside --reconstruction_weight.",
        lower_bound=0.0,
    )
    mmd: Mmd = dataclasses.field(default_factory=Mmd)
    shapiro_wilk: ShapiroWilk = dataclasses.field(default_factory=ShapiroWilk)
    total_correlation: TotalCorrelation = dataclasses.field(
        default_factory=TotalCorrelation
    )

    def unused(self) -> dict[str, str]:
        """The options of other regularisers."""
        groups = [f.name for f in dataclasses.fields(self) if "help" not in f.metadata]
        found = {k: f"--regularizer={k}" for k in groups if k != self.regularizer}
        if self.regularizer is None:
            found["regularizer_weight"] = "--regularizer"
        return found
