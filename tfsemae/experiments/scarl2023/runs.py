"""The networks of CIFAR-10, and the attacks on them."""

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
        words_flags: of trainings with words.
        robust_flags: of the attacks on all images.
        few_flags: of `aa_lite`, on some of them.
    """

    seeds: int
    train_flags: tuple[str, ...] = ()
    attack_flags: tuple[str, ...] = ("--per_class=50",)
    words_flags: tuple[str, ...] = (
        "--words_file=glove.6B.50d.txt",
        "--ramp_up_steps=2930",
    )
    robust_flags: tuple[str, ...] = ("--batch_size=500",)
    few_flags: tuple[str, ...] = ("--examples=1000", "--batch_size=250")


SCALES = {
    "full": Scale(seeds=3),
    "smoke": Scale(
        seeds=1,
        train_flags=(
            *("--dataset=digits", "--steps=4", "--checkpoint_every=4"),
            *("--cosine_steps=4", "--batch_size=16"),
        ),
        attack_flags=("--per_class=6",),
        words_flags=("--words=onehot", "--ramp_up_steps=4"),
        robust_flags=("--examples=20", "--check_examples=4"),
        few_flags=("--examples=10", "--aa_steps=5", "--aa_queries=10"),
    ),
}
#: Procedure -> name for a reader.
OBSERVED = {
    "nat": "natural training",
    "fgsm": "FGSM training",
    "pgd": "PGD training",
}
TRAINED = OBSERVED | {"trades": "TRADES", "scarl": "SCARL"}
ATTACK = "pgd20"


class Variant(NamedTuple):
    """A change of SCARL.

    Attributes:
        title: for a reader.
        flags: of its training.
    """

    title: str
    flags: tuple[str, ...]


#: Terms of the loss that are left out, and another one; both are those of `scarl`.
TERMS = {
    "none": Variant("neither term", ("--mi_weight=0", "--struct_weight=0")),
    "mi": Variant("information alone", ("--struct_weight=0",)),
    "struct": Variant("structure alone", ("--mi_weight=0",)),
    "gram": Variant("structure of the words themselves", ("--struct=gram",)),
}
#: What stands in the place of the words.
WORDS = {
    "perm": Variant("words of other classes", ("--words=perm",)),
    "random": Variant("random vectors", ("--words=random",)),
    "onehot": Variant("one-hot vectors", ("--words=onehot",)),
}
VARIANTS = TERMS | WORDS


@functools.cache  # as a run reads its name from the flags once
def training(name: str, seed: int, scale: str) -> Run:
    """The training of a network: a procedure, or a variant of scarl."""
    of = SCALES[scale]
    changes = VARIANTS[name].flags if name in VARIANTS else ()
    procedure = "scarl" if name in VARIANTS else name
    flags = (
        "--flagfile=flags/scarl2023_reduced.flags",
        f"--procedure={procedure}",
        f"--seed={seed}",
        *of.train_flags,
        *changes,
        # The last ones: a smoke run has no file for other words.
        *(of.words_flags if procedure == "scarl" else ()),
    )
    return Run(f"scarl_{name}_seed{seed}", flags)


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


@functools.cache
def attack(name: str, seed: int, scale: str, *, few: bool = False) -> Run:
    """The attacks on a network: on all images, or `aa_lite` on some of them."""
    trained, of = training(name, seed, scale), SCALES[scale]
    inputs = {"model_dir": trained}
    if few:
        flags = ("--attacks=aa_lite", "--check_examples=0", *of.few_flags)
    else:
        flags = ("--attacks=fgsm,pgd20,cw20", *of.robust_flags)
        if name != "nat":  # whose own images are no attack on others
            inputs["transfer_dir"] = training("nat", seed, scale)
    common = ("--attack=robust_accuracy", "--threads=1")
    label = f"{trained.label}_{'aa_lite' if few else 'robust'}"
    return Run(label, (*common, *flags), "attack", inputs)


def robustness(scale: str) -> list[Run]:
    """All attacks of the artefact of robust accuracies."""
    each = itertools.product(TRAINED, seeds(scale), (False, True))
    return [attack(name, seed, scale, few=few) for name, seed, few in each]


def ablation(scale: str) -> list[Run]:
    """All attacks of the artefact of terms and words; those of scarl are shared."""
    each = itertools.product(("scarl", *VARIANTS), seeds(scale))
    return [attack(name, seed, scale) for name, seed in each]
