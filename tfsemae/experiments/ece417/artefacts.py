"""The artefacts of the lecture, in its order. Free of TensorFlow."""

from tfsemae.experiments.artefact import Artefact
from tfsemae.experiments.ece417 import (
    augmentation_runs,
    domain_runs,
    gan_runs,
    runs,
    speech_runs,
)

_SOURCE = "ECE 417, lecture 22"

ARTEFACTS = (
    Artefact(
        name="ece417_adversarial_images",
        source=f"{_SOURCE}, adversarial images",
        runs=runs.adversarial_images,
        module="adversarial_images",
    ),
    Artefact(
        name="ece417_domain_adversarial",
        source=f"{_SOURCE}, adversarial training",
        runs=domain_runs.domain_adversarials,
        module="domain_adversarial",
    ),
    Artefact(
        name="ece417_pca",
        source=f"{_SOURCE}, autoencoders and PCA",
        runs=runs.pca,
        module="pca",
    ),
    Artefact(
        name="ece417_vae",
        source=f"{_SOURCE}, variational autoencoders",
        runs=runs.vae,
        module="vae",
    ),
    Artefact(
        name="ece417_gan",
        source=f"{_SOURCE}, generative adversarial networks",
        runs=gan_runs.gans,
        module="gan",
    ),
    Artefact(
        name="ece417_augmentation",
        source=f"{_SOURCE}, data augmentation",
        runs=augmentation_runs.augmentation,
        module="augmentation",
    ),
    Artefact(
        name="ece417_speech",
        source=f"{_SOURCE}, adversarial training of a speech recogniser",
        runs=speech_runs.recognisers,
        module="speech",
    ),
)
