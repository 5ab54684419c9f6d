"""Data and lengths of the trainings of the lecture's artefacts."""

from typing import NamedTuple


class Scale(NamedTuple):
    """Data and length of the trainings.

    Attributes:
        dataset: name.
        images: of its training split.
        passes: 20 epochs of an autoencoder, in steps.
        few_steps: of the training on few images.
        few_every: steps between two measurements of it.
        strip_steps: of an autoencoder of points on a strip.
        classifier_steps: of classifiers that judge samples or are attacked.
        domain_steps: of networks that are trained against a nuisance.
        seeds: number of the trainings that a nuisance or a GAN of points is judged by.
        labelled: images of each class that a classifier of few labels knows.
        labelled_steps: of its training.
        labelled_seeds: number of its trainings.
        least: probability of the label from which on a judge keeps a fake.
        ring_steps: of a GAN of points on a ring.
        gan_steps: of a GAN of images, of both networks.
        gan_first: of the discriminator alone before them, after a start from a VAE.
    """

    dataset: str
    images: int
    passes: int
    few_steps: int
    few_every: int
    strip_steps: int
    classifier_steps: int
    domain_steps: int
    seeds: int
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
        strip_steps=4_000,
        classifier_steps=2_000,
        domain_steps=2_000,
        seeds=3,
        labelled=20,
        labelled_steps=1_000,
        labelled_seeds=5,
        least=0.5,
        ring_steps=5_000,
        gan_steps=2_000,
        gan_first=100,
    ),
    "smoke": Scale(
        *("digits", 1_437),
        passes=20,
        few_steps=20,
        few_every=5,
        strip_steps=20,
        classifier_steps=20,
        domain_steps=20,
        seeds=2,
        labelled=10,
        labelled_steps=20,
        labelled_seeds=2,
        least=0.0,  # after so few steps a judge is sure of nothing
        ring_steps=20,
        gan_steps=10,
        gan_first=10,
    ),
}
