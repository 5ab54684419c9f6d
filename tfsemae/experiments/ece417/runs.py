"""Trainings of the lecture that several artefacts share, on MNIST.

It prints no sizes or rates.
"""

import functools

from tfsemae.experiments.ece417.scales import SCALES
from tfsemae.experiments.runs import Run

SIZES = (2, 8, 32)  # of the latent, of PCA and of autoencoders
VARIATIONAL_SIZES = (2, 16)  # of the latent of variational autoencoders
STRIP_LATENT = 2  # numbers, as a surface has
FEW = 50  # images that an autoencoder learns by heart
#: Classifiers of adversarial images; the first is attacked.
VICTIMS = {
    "first": "the attacked network",
    "same": "same layers, other weights",
    "dense": "dense network",
}
ATTACKED = "first"
#: E = E_f + E_g, sums over latents and pixels.
VARIATIONAL = (
    "--variational",
    "--reconstruction_weight=0.5",  # E_g, a half of the squared error
    "--regularizer=kl",
    "--regularizer_weight=1",
)
LINEAR = (
    *("--hidden=none", "--output_activation=linear"),
    # At 0.001 with the default decay the subspace is still turning at the end.
    "--learning_rate=0.005",
)


def of_flagfile(
    name: str, steps: int, seed: int, dataset: str | None = None
) -> tuple[str, ...]:
    """Flags of a training that a flagfile describes.

    Args:
        name: of the flagfile, without `ece417_`.
        steps: of the training.
        seed: of the weights, the order of the data and all that is drawn.
        dataset: in place of that of the flagfile.
    """
    flags = (
        f"--flagfile=flags/ece417_{name}.flags",
        f"--steps={steps}",
        f"--seed={seed}",
    )
    return flags if dataset is None else (*flags, f"--dataset={dataset}")


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


@functools.cache
def strip(scale: str) -> Run:
    """A deep autoencoder of points on a Moebius strip."""
    flags = (
        "--dataset=moebius",
        "--threads=1",
        *("--model=dense", f"--latent={STRIP_LATENT}", "--hidden=64,64"),
        "--output_activation=linear",
        "--loss=summed_squared_error",
        *("--learning_rate=0.003", "--batch_size=100"),
        f"--steps={SCALES[scale].strip_steps}",
    )
    return Run("ece417_strip_ae", flags)


def pca(scale: str) -> list[Run]:
    """Linear and deep autoencoders, and those of few images and of a strip."""
    pairs = [
        autoencoder(latent, scale, linear=linear)
        for latent in SIZES
        for linear in (True, False)
    ]
    return [*pairs, few_images(scale), strip(scale)]


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
        *VARIATIONAL,
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
    flags = of_flagfile("small_conv_classifier", of.classifier_steps, seed, of.dataset)
    return Run(f"ece417_small_conv_seed{seed}", flags)


def victims(scale: str) -> dict[str, Run]:
    """The trainings of `VICTIMS`."""
    found = (small_conv(0, scale), small_conv(1, scale), classifier(scale))
    return dict(zip(VICTIMS, found, strict=True))


def adversarial_images(scale: str) -> list[Run]:
    """Classifiers: one that is attacked, and two that see the same images."""
    return list(victims(scale).values())


def vae(scale: str) -> list[Run]:
    """Variational autoencoders, deterministic ones beside them, and a classifier."""
    pairs = [
        kind(latent, scale)
        for latent in VARIATIONAL_SIZES
        for kind in (variational, autoencoder)
    ]
    linear = variational(VARIATIONAL_SIZES[-1], scale, linear=True)
    return [*pairs, linear, classifier(scale)]
