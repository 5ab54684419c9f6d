"""The trainings of the lecture against a nuisance. Free of TensorFlow."""

import functools

from tfsemae.experiments.ece417.runs import of_flagfile
from tfsemae.experiments.ece417.scales import SCALES
from tfsemae.experiments.runs import Run

FACTORS = (0.0, 0.1, 0.3, 1.0)  # of reversed gradients; the slide has 1
NUISANCES = {
    "colour": "random tint",
    "biased": "tint of the digit in training",
    "rot": "turn",
}
_NUISANCE_FLAGS: dict[str, tuple[str, ...]] = {
    "colour": (),
    "biased": ("--nuisance_bias=0.9",),
    # A turned 6 is a 9.
    "rot": ("--nuisance=rot", "--classes=0,1,2,3,4,5,6,7,8"),
}
#: Nuisance and factor of the trainings: 20 with their seeds.
DOMAIN_GROUPS = (
    *(("colour", factor) for factor in FACTORS),
    *((kind, factor) for kind in ("biased", "rot") for factor in (0.0, 1.0)),
)


@functools.cache
def domain_adversarial(nuisance: str, factor: float, seed: int, scale: str) -> Run:
    """A network that is trained against a classifier of a nuisance.

    Args:
        nuisance: of `NUISANCES`.
        factor: of the reversed gradient; 0 trains that classifier beside it.
        seed: of the weights and the order of the images.
        scale: of `SCALES`.
    """
    of = SCALES[scale]
    flags = (
        *of_flagfile("domain_adversarial", of.domain_steps, seed, of.dataset),
        f"--reversal_ramp_steps={of.domain_steps // 2}",
        f"--reversal_factor={factor:g}",
        *_NUISANCE_FLAGS[nuisance],
    )
    return Run(f"ece417_{nuisance}_factor{factor:g}_seed{seed}", flags)


def seeds_of(nuisance: str, scale: str) -> range:
    """The seeds of the networks of a nuisance."""
    return range(1 if nuisance == "rot" else SCALES[scale].seeds)


def domain_adversarials(scale: str) -> list[Run]:
    """All trainings against a nuisance."""
    return [
        domain_adversarial(nuisance, factor, seed, scale)
        for nuisance, factor in DOMAIN_GROUPS
        for seed in seeds_of(nuisance, scale)
    ]
