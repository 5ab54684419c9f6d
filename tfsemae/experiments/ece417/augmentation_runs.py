"""The trainings of the lecture on few labelled images and fakes of them."""

import functools

from tfsemae.experiments.ece417.gan_runs import ADAM, OF_IMAGES
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
_FEWER = 5  # fakes of an image in place of 10, about as many as a judge keeps
#: How a classifier of few labels is trained.
METHODS = {
    "none": "no fakes",
    "shift": "moved by up to 2 pixels",
    **{f"vae{scale:g}": f"VAE, s = {scale:g}" for scale in SPREADS},
    "cgan": "conditional GAN",
    "fewer": f"VAE, s = {FILTERED:g}, half as many",
    "filter": f"VAE, s = {FILTERED:g}, judged",
}


@functools.cache
def augmented(method: str, seed: int, scale: str) -> Run:
    """A classifier of few labelled images and their fakes.

    The VAE has learnt from all training images, without labels, and a conditional GAN
    from the labelled images alone. The judge is the classifier without fakes of the
    same seed, and so of the same labelled images.

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
    elif method == "cgan":
        own = ("--fakes=cgan",)
        inputs["fakes_from"] = conditional(seed, scale)
    elif method != "none":
        usual = method.startswith("vae")
        spread = float(method.removeprefix("vae")) if usual else FILTERED
        own = ("--fakes=vae", f"--fakes_scale={spread:g}")
        inputs["fakes_from"] = variational(VARIATIONAL_SIZES[-1], scale)
        if method == "fewer":
            own += (f"--fakes_per_image={_FEWER}",)
        if method == "filter":
            own += (f"--fakes_least={of.least:g}",)
            inputs["fakes_judge"] = augmented("none", seed, scale)
    flags = (
        *of_flagfile("few_labels", of.labelled_steps, seed, of.dataset),
        f"--labelled_per_class={of.labelled}",
        *own,
    )
    return Run(f"ece417_few_labels_{method}_seed{seed}", flags, inputs=inputs)


@functools.cache
def conditional(seed: int, scale: str) -> Run:
    """A GAN of the labelled images of a seed, which is given their labels."""
    of = SCALES[scale]
    flags = (
        *of.flags,
        *OF_IMAGES,
        *ADAM,
        "--gan_loss=nonsat",
        f"--gan_labelled_per_class={of.labelled}",
        f"--seed={seed}",
        f"--steps={of.gan_steps}",
    )
    return Run(f"ece417_cgan_seed{seed}", flags)


def seeds(scale: str) -> range:
    """The seeds of classifiers of few labels."""
    return range(SCALES[scale].labelled_seeds)


def augmentation(scale: str) -> list[Run]:
    """Classifiers of few labels by each method, and the oracle."""
    each = [
        augmented(method, seed, scale) for method in METHODS for seed in seeds(scale)
    ]
    return [*each, classifier(scale)]
