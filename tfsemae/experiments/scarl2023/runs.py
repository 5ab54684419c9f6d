"""The networks of CIFAR-10, and the attacks on them whose features are looked at."""

import functools
import itertools
from typing import NamedTuple

from tfsemae.experiments.runs import Run


class Scale(NamedTuple):
    """Length and number of trainings, and how much is attacked.

    Attributes:
        seeds: of the networks.
        train_flags: of all trainings.
        attack_flags: of the attacks whose features are kept.
    """

    seeds: int
    train_flags: tuple[str, ...] = ()
    attack_flags: tuple[str, ...] = ("--per_class=50",)


SCALES = {
    "full": Scale(seeds=3),
    "smoke": Scale(
        seeds=1,
        train_flags=(
            *("--dataset=digits", "--steps=4", "--checkpoint_every=4"),
            *("--cosine_steps=4", "--batch_size=16"),
        ),
        attack_flags=("--per_class=6",),
    ),
}
#: Procedure -> name for a reader.
OBSERVED = {
    "nat": "natural training",
    "fgsm": "FGSM training",
    "pgd": "PGD training",
}
ATTACK = "pgd20"


@functools.cache  # as a run reads its name from the flags once
def training(procedure: str, seed: int, scale: str) -> Run:
    """The training of a network."""
    flags = (
        "--flagfile=flags/scarl2023_reduced.flags",
        f"--procedure={procedure}",
        f"--seed={seed}",
        *SCALES[scale].train_flags,
    )
    return Run(f"scarl_{procedure}_seed{seed}", flags)


@functools.cache
def features(procedure: str, split: str, seed: int, scale: str) -> Run:
    """An attack that keeps the features of the first images of each class."""
    trained = training(procedure, seed, scale)
    flags = (
        "--attack=robust_accuracy",
        f"--attacks={ATTACK}",
        f"--split={split}",
        "--keep_features",
        "--check_examples=0",
        "--threads=1",
        *SCALES[scale].attack_flags,
    )
    return Run(
        f"{trained.label}_{split}_features", flags, "attack", {"model_dir": trained}
    )


def seeds(scale: str) -> range:
    """The seeds of each network."""
    return range(SCALES[scale].seeds)


def observations(scale: str) -> list[Run]:
    """All attacks of the artefact of Figs. 1 and 2."""
    each = itertools.product(OBSERVED, ("test", "train"), seeds(scale))
    return [features(*of, scale) for of in each]
