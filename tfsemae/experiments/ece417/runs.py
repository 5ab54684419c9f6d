"""The trainings of the lecture's artefacts, on MNIST; it prints no sizes or rates.

One network of each kind: intervals are over images.
"""

import functools
from typing import NamedTuple

from tfsemae.experiments.runs import Run

SIZES = (2, 8, 32)  # of the latent, of PCA and of autoencoders
VARIATIONAL_SIZES = (2, 16)  # of the latent of variational autoencoders
FEW = 50  # images that an autoencoder learns by heart


class Scale(NamedTuple):
    """Data and length of the trainings.

    Attributes:
        dataset: name.
        images: of its training split.
        passes: 20 epochs of an autoencoder, in steps.
        few_steps: of the training on few images.
        few_every: steps between two measurements of it.
        classifier_steps: of classifiers that judge samples or are attacked.
        domain_steps: of networks that are trained against a nuisance.
        labelled: images of each class that a classifier of few labels knows.
        labelled_steps: of its training.
        labelled_seeds: number of its trainings.
        least: probability of the label from which on a judge keeps a fake.
        ring_steps: of a GAN of points on a ring.
        gan_steps: of a GAN of images.
        gan_first: of these, steps of the discriminator alone, after a start from a VAE.
    """

    dataset: str
    images: int
    passes: int
    few_steps: int
    few_every: int
    classifier_steps: int
    domain_steps: int
    labelled: int
    labelled_steps: int
    labelled_seeds: int
    least: float
    ring_steps: int
    gan_steps: int
    gan_first: int

    @property
    def flags(self) -> tuple[str, ...]:
        """Of all trainings."""
        return (f"--dataset={self.dataset}", "--threads=1")


SCALES = {
    "full": Scale(
        *("mnist", 60_000),
        passes=9_400,
        few_steps=2_000,
        few_every=50,
        classifier_steps=2_000,
        domain_steps=2_000,
        labelled=20,
        labelled_steps=1_000,
        labelled_seeds=5,
        least=0.5,
        ring_steps=5_000,
        gan_steps=4_000,
        gan_first=200,
    ),
    "smoke": Scale(
        *("digits", 1_437),
        passes=20,
        few_steps=20,
        few_every=5,
        classifier_steps=20,
        domain_steps=20,
        labelled=10,
        labelled_steps=20,
        labelled_seeds=2,
        least=0.0,  # after so few steps a judge is sure of nothing
        ring_steps=20,
        gan_steps=20,
        gan_first=10,
    ),
}
#: Classifiers of adversarial images; the first is attacked.
VICTIMS = {
    "first": "the attacked network",
    "same": "same layers, other weights",
    "dense": "dense network",
}
ATTACKED = "first"
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
SPREADS = (0.0, 1.0, 2.0, 4.0)  # s of the fakes of a VAE, N(mu, s^2 Sigma)
FILTERED = 2.0  # of the fakes that are judged
#: How a classifier of few labels is trained.
METHODS = {
    "none": "no fakes",
    "shift": "moved by up to 2 pixels",
    **{f"vae{scale:g}": f"VAE, s = {scale:g}" for scale in SPREADS},
    "filter": f"VAE, s = {FILTERED:g}, judged",
}
LOSSES = {"minimax": "minimax", "nonsat": "non-saturating"}
STARTS = {"random": "random start", "vae": "start from a VAE"}
RING_SEEDS = range(3)
GAN_LATENT = VARIATIONAL_SIZES[-1]
_ADAM = ("--learning_rate=0.0002", "--decay_rate=1", "--adam_beta_1=0.5")
LINEAR = (
    *("--hidden=none", "--output_activation=linear"),
    # At 0.001 with the default decay the subspace is still turning at the end.
    "--learning_rate=0.005",
)


@functools.cache  # as a run reads its name from the flags once
def autoencoder(latent: int, scale: str, *, linear: bool = False) -> Run:
    """A deep autoencoder, or a linear one, which minimises the same error.

    Args:
        latent: its size.
        scale: of `SCALES`.
        linear: whether it is.
    """
    kind = "linear" if linear else "deep"
    return _autoencoder(f"ece417_{kind}_ae{latent}", latent, scale, linear=linear)


def _autoencoder(
    label: str, latent: int, scale: str, *further: str, linear: bool
) -> Run:
    """An autoencoder, with further flags of its loss."""
    of = SCALES[scale]
    flags = (
        *of.flags,
        "--model=dense",
        f"--latent={latent}",
        *(LINEAR if linear else ()),
        "--loss=summed_squared_error",
        "--batch_size=128",
        f"--steps={of.passes}",
        *further,
    )
    return Run(label, flags)


@functools.cache
def few_images(scale: str) -> Run:
    """An autoencoder with more weights than 50 images have pixels.

    All other images are held out, and measured while it trains.
    """
    of = SCALES[scale]
    flags = (
        *of.flags,
        f"--validation={of.images - FEW}",
        *("--model=dense", "--latent=64", "--hidden=512"),
        "--output_activation=linear",
        "--loss=summed_squared_error",
        f"--batch_size={FEW}",
        *("--decay_rate=0.95", f"--decay_steps={max(1, of.few_steps // 50)}"),
        f"--steps={of.few_steps}",
        f"--checkpoint_every={of.few_every}",
    )
    return Run(f"ece417_ae_of_{FEW}_images", flags)


def pca(scale: str) -> list[Run]:
    """Linear and deep autoencoders, and the one of few images."""
    pairs = [
        autoencoder(latent, scale, linear=linear)
        for latent in SIZES
        for linear in (True, False)
    ]
    return [*pairs, few_images(scale)]


@functools.cache
def variational(latent: int, scale: str, *, linear: bool = False) -> Run:
    """A variational autoencoder, deep or linear: `E = E_f + E_g`.

    Args:
        latent: its size.
        scale: of `SCALES`.
        linear: whether it is.
    """
    kind = "linear_vae" if linear else "vae"
    return _autoencoder(
        f"ece417_{kind}{latent}",
        latent,
        scale,
        "--variational",
        "--reconstruction_weight=0.5",  # E_g, a half of the squared error
        "--regularizer=kl",
        "--regularizer_weight=1",
        linear=linear,
    )


@functools.cache
def classifier(scale: str) -> Run:
    """The classifier that judges samples."""
    of = SCALES[scale]
    flags = (
        *of.flags,
        "--model=dense_classifier",
        "--batch_size=128",
        f"--steps={of.classifier_steps}",
    )
    return Run("ece417_classifier", flags)


@functools.cache
def small_conv(seed: int, scale: str) -> Run:
    """A convolutional classifier, which is attacked.

    Args:
        seed: of the weights and the order of the images.
        scale: of `SCALES`.
    """
    of = SCALES[scale]
    flags = (
        "--flagfile=flags/ece417_small_conv_classifier.flags",
        f"--dataset={of.dataset}",
        f"--steps={of.classifier_steps}",
        f"--seed={seed}",
    )
    return Run(f"ece417_small_conv_seed{seed}", flags)


def victims(scale: str) -> dict[str, Run]:
    """The trainings of `VICTIMS`."""
    found = (small_conv(0, scale), small_conv(1, scale), classifier(scale))
    return dict(zip(VICTIMS, found, strict=True))


def adversarial_images(scale: str) -> list[Run]:
    """Classifiers: one that is attacked, and two that see the same images."""
    return list(victims(scale).values())


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
        "--flagfile=flags/ece417_domain_adversarial.flags",
        f"--dataset={of.dataset}",
        f"--steps={of.domain_steps}",
        f"--reversal_ramp_steps={of.domain_steps // 2}",
        f"--reversal_factor={factor:g}",
        f"--seed={seed}",
        *_NUISANCE_FLAGS[nuisance],
    )
    return Run(f"ece417_{nuisance}_factor{factor:g}_seed{seed}", flags)


def seeds_of(nuisance: str) -> range:
    """The seeds of the networks of a nuisance."""
    return range(1 if nuisance == "rot" else 3)


def domain_adversarials(scale: str) -> list[Run]:
    """All trainings against a nuisance."""
    return [
        domain_adversarial(nuisance, factor, seed, scale)
        for nuisance, factor in DOMAIN_GROUPS
        for seed in seeds_of(nuisance)
    ]


def vae(scale: str) -> list[Run]:
    """Variational autoencoders, deterministic ones beside them, and a classifier."""
    pairs = [
        kind(latent, scale)
        for latent in VARIATIONAL_SIZES
        for kind in (variational, autoencoder)
    ]
    linear = variational(VARIATIONAL_SIZES[-1], scale, linear=True)
    return [*pairs, linear, classifier(scale)]


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
        "--flagfile=flags/ece417_few_labels.flags",
        f"--dataset={of.dataset}",
        f"--labelled_per_class={of.labelled}",
        f"--steps={of.labelled_steps}",
        f"--seed={seed}",
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
        *("--learning_rate=0.001", *_ADAM[1:]),
        "--batch_size=256",
        f"--seed={seed}",
        f"--steps={SCALES[scale].ring_steps}",
    )
    return Run(f"ece417_ring_{loss}_seed{seed}", flags)


@functools.cache
def gan(loss: str, start: str, scale: str) -> Run:
    """A GAN of images.

    Args:
        loss: of `LOSSES`.
        start: of `STARTS`; from a VAE the discriminator learns alone first.
        scale: of `SCALES`.
    """
    of = SCALES[scale]
    flags = (
        *of.flags,
        *("--model=dense", f"--latent={GAN_LATENT}"),
        f"--gan_loss={loss}",
        *_ADAM,
        "--batch_size=64",
        f"--steps={of.gan_steps}",
        *((f"--gan_discriminator_steps={of.gan_first}",) if start == "vae" else ()),
    )
    inputs = {}
    if start == "vae":
        inputs["decoder_from"] = variational(GAN_LATENT, scale)
    return Run(f"ece417_gan_{loss}_{start}", flags, inputs=inputs)


def gans(scale: str) -> list[Run]:
    """GANs of a ring and of images, and the classifier that judges the latter."""
    of_ring = [ring(loss, seed, scale) for loss in LOSSES for seed in RING_SEEDS]
    of_images = [gan(loss, start, scale) for loss in LOSSES for start in STARTS]
    return [*of_ring, *of_images, classifier(scale)]
