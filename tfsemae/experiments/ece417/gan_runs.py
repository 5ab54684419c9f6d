"""The trainings of the lecture's generative adversarial networks."""

import functools

from tfsemae.experiments.ece417.runs import VARIATIONAL, classifier
from tfsemae.experiments.ece417.scales import SCALES
from tfsemae.experiments.runs import Run

LOSSES = {"minimax": "minimax", "nonsat": "non-saturating"}
STARTS = {"random": "random start", "vae": "start from a VAE"}
#: Convolutions: dense networks of this length end in one noisy image.
OF_IMAGES = ("--model=conv", "--latent=16", "--batch_size=64")
ADAM = ("--learning_rate=0.0002", "--decay_rate=1", "--adam_beta_1=0.5")


@functools.cache
def ring(loss: str, seed: int, scale: str) -> Run:
    """A GAN of points on a ring.

    Args:
        loss: of `LOSSES`.
        seed: of the weights, the order of the data and the latents.
        scale: of `SCALES`.
    """
    flags = (
        "--dataset=ring",
        "--threads=1",
        *("--model=dense", "--latent=8", "--hidden=128,128"),
        f"--gan_loss={loss}",
        # Pixels of the ring are small numbers, and its modes near each other.
        *("--learning_rate=0.001", *ADAM[1:]),
        "--batch_size=256",
        f"--seed={seed}",
        f"--steps={SCALES[scale].ring_steps}",
    )
    return Run(f"ece417_ring_{loss}_seed{seed}", flags)


@functools.cache
def gan_start(scale: str) -> Run:
    """The VAE from whose decoder GANs of images start."""
    of = SCALES[scale]
    flags = (*of.flags, *OF_IMAGES, "--loss=summed_squared_error", *VARIATIONAL)
    return Run("ece417_gan_start", (*flags, f"--steps={of.gan_steps}"))


@functools.cache
def gan(loss: str, start: str, scale: str) -> Run:
    """A GAN of images.

    Args:
        loss: of `LOSSES`.
        start: of `STARTS`; from a VAE the discriminator learns alone first.
        scale: of `SCALES`.
    """
    of = SCALES[scale]
    alone = steps_alone(start, scale)
    flags = (
        *of.flags,
        *OF_IMAGES,
        f"--gan_loss={loss}",
        *ADAM,
        f"--steps={alone + of.gan_steps}",
        *((f"--gan_discriminator_steps={alone}",) if alone else ()),
    )
    inputs = {"decoder_from": gan_start(scale)} if start == "vae" else {}
    return Run(f"ece417_gan_{loss}_{start}", flags, inputs=inputs)


def ring_seeds(scale: str) -> range:
    """The seeds of GANs of points on a ring."""
    return range(SCALES[scale].seeds)


def steps_alone(start: str, scale: str) -> int:
    """Steps of the discriminator alone, before those of both networks."""
    return SCALES[scale].gan_first if start == "vae" else 0


def gans(scale: str) -> list[Run]:
    """GANs of a ring and of images, and the classifier that judges the latter."""
    of_ring = [ring(loss, seed, scale) for loss in LOSSES for seed in ring_seeds(scale)]
    of_images = [gan(loss, start, scale) for loss in LOSSES for start in STARTS]
    return [*of_ring, *of_images, classifier(scale)]
