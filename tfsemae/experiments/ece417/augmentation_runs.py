"""The trainings of the lecture on few labelled images and fakes of them."""

import functools

from tfsemae.experiments.ece417.runs import (
    VARIATIONAL_SIZES,
    classifier,
    of_flagfile,
    variational,
)
from tfsemae.experiments.ece417.scales import SCALES
from tfsemae.experiments.runs import Run

SPREADS = (0.0, 1.0, 2.0, 4.0)  # s of the fakes of a VAE, N(mu, s^2 Sigma)
FILTERED = 2.0  # of the fakes that are judged
#: How a classifier of few labels is trained.
METHODS = {
    "none": "no fakes",
    "shift": "moved by up to 2 pixels",
    **{f"vae{scale:g}": f"VAE, s = {scale:g}" for scale in SPREADS},
    "filter": f"VAE, s = {FILTERED:g}, judged",
}


@functools.cache
def augmented(method: str, seed: int, scale: str) -> Run:
    """A classifier of few labelled images and their fakes.

    The VAE has learnt from all training images, without labels. The judge is the
    classifier without fakes of the same seed, and so of the same labelled images.

    Args:
        method: of `METHODS`.
        seed: of the labelled images, the fakes, the weights and the order.
        scale: of `SCALES`.
    """
    of = SCALES[scale]
    inputs: dict[str, Run] = {}
    own: tuple[str, ...] = ()
    if method == "shift":
        own = ("--fakes=shift",)
    elif method != "none":
        judged = method == "filter"
        spread = FILTERED if judged else float(method.removeprefix("vae"))
        own = ("--fakes=vae", f"--fakes_scale={spread:g}")
        inputs["fakes_from"] = variational(VARIATIONAL_SIZES[-1], scale)
        if judged:
            own += (f"--fakes_least={of.least:g}",)
            inputs["fakes_judge"] = augmented("none", seed, scale)
    flags = (
        *of_flagfile("few_labels", of.labelled_steps, seed, of.dataset),
        f"--labelled_per_class={of.labelled}",
        *own,
    )
    return Run(f"ece417_few_labels_{method}_seed{seed}", flags, inputs=inputs)


def seeds(scale: str) -> range:
    """The seeds of classifiers of few labels."""
    return range(SCALES[scale].labelled_seeds)


def augmentation(scale: str) -> list[Run]:
    """Classifiers of few labels by each method, and the oracle."""
    each = [
        augmented(method, seed, scale) for method in METHODS for seed in seeds(scale)
    ]
    return [*each, classifier(scale)]
