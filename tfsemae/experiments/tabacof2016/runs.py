"""The networks and attacks of section 3."""

import functools
import itertools
from collections.abc import Mapping
from typing import NamedTuple

from tfsemae.experiments.runs import Run


class Scale(NamedTuple):
    """Length and number of trainings, and how much is attacked.

    Attributes:
        seeds: of the networks.
        train_flags: of all trainings.
        attack_flags: of all attacks.
        lengths: of a search by each solver.
        few: of attacks beside the main ones.
        output: of attacks on the output.
        classifier_flags: of the training of the classifier.
        classifier_attack_flags: of attacks on classifiers.
    """

    seeds: int
    train_flags: tuple[str, ...] = ()
    attack_flags: tuple[str, ...] = ()
    lengths: Mapping[str, str] = {}
    few: tuple[str, ...] = ("--penalties=25",)
    output: tuple[str, ...] = ()
    classifier_flags: tuple[str, ...] = ()
    classifier_attack_flags: tuple[str, ...] = ()


SCALES = {
    "full": Scale(seeds=3),
    "smoke": Scale(
        seeds=1,
        train_flags=("--dataset=digits", "--steps=10", "--checkpoint_every=10"),
        attack_flags=("--examples=3", "--penalties=12", "--reconstructions=2"),
        lengths={"lbfgsb": "--attack_iterations=20", "adam": "--adam_steps=20"},
        few=(),
        classifier_flags=("--dataset=digits", "--steps=10", "--checkpoint_every=10"),
        classifier_attack_flags=(
            *("--examples=3", "--penalties=12", "--bisections=2"),
            "--attack_iterations=20",
        ),
    ),
}
#: Measured on a core: a step of the convolutional VAE takes 0.42 s. 25 searches of at
#: most 60 iterations took 4 s in both precisions: 1,147 evaluations of up to 3.4 ms in
#: float64; in float32 1,603 of 2.5 ms, to the same objectives, but 3 searches ended by
#: an abnormal line search. An evaluation of the output takes some ten times that. So
#: the search is in float64, the networks are trained for 5 epochs in place of 25, and
#: the penalties are those around the fall of the curve.
_REDUCED = Scale(
    seeds=1,
    train_flags=("--steps=2500",),
    attack_flags=(
        *("--penalties=25", "--least_log2_penalty=-10", "--greatest_log2_penalty=12"),
    ),
    few=("--penalties=10",),
    output=("--fixed_draws=2", "--attack_iterations=100"),
    classifier_flags=("--steps=5000",),
)
#: Ours -> what the paper has in its place, which cannot be had here.
STANDS_FOR = {"cifar10": "svhn"}
NAMES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}


class Network(NamedTuple):
    """An autoencoder."""

    id: str
    name: str

    def __str__(self) -> str:
        """As the paper names it."""
        return self.name


VAE, AE = Network("vae", "VAE"), Network("ae", "AE")


class Attack(NamedTuple):
    """A distance that an attack minimises.

    Attributes:
        id: as in the names of runs, rows and claims.
        name: for a reader.
        flags: of the command.
        few: whether it has fewer penalties.
        solver: of its problems; named by `flags` as well where it is another one.
    """

    id: str
    name: str
    flags: tuple[str, ...]
    few: bool = False
    solver: str = "lbfgsb"

    def __str__(self) -> str:
        """For a reader."""
        return self.name


_LINF = "--linf_epsilon=0.05,0.1,0.2"
KL = Attack("kl", "KL divergence", ("--distance=kl", _LINF))
RELEASED = Attack("released", "distance of the released code", ("--distance=released",))
L2 = Attack("l2", "L2 distance of the latents", ("--distance=l2", _LINF))
REVERSE = Attack("reverse_kl", "reverse KL", ("--distance=reverse_kl",), few=True)
MEANS = Attack("means", "L2 distance of the means", ("--distance=l2",), few=True)
ADAM = Attack(
    "adam",
    "KL divergence, by Adam",
    ("--distance=kl", "--solver=adam"),
    few=True,
    solver="adam",
)
OUTPUT = Attack("output", "distance of the output", ("--distance=output",), few=True)
#: Each with as many penalties as those it is compared with.
KL_FEW = Attack(
    "kl_few", "KL divergence, fewer penalties", ("--distance=kl",), few=True
)
L2_FEW = Attack("l2_few", "L2 distance, fewer penalties", ("--distance=l2",), few=True)


class Group(NamedTuple):
    """An attack on a network."""

    network: Network
    attack: Attack

    @property
    def id(self) -> str:
        """As in the names of runs, rows and claims."""
        return f"{self.network.id}_{self.attack.id}"

    def __str__(self) -> str:
        """For a reader."""
        return f"{self.network}, {self.attack}"


MAIN = (Group(VAE, KL), Group(VAE, RELEASED), Group(AE, L2))
#: Of the artefact of section 4 as well.
BESIDE_CLASSIFIERS = (Group(VAE, KL), Group(AE, L2))
FURTHER = (
    *(Group(VAE, attack) for attack in (KL_FEW, REVERSE, MEANS, OUTPUT)),
    *(Group(AE, attack) for attack in (L2_FEW, OUTPUT)),
)


def scale_of(scale: str, dataset: str) -> Scale:
    """What is done of a data set at a scale."""
    reduced = scale == "full" and dataset == "cifar10"
    return _REDUCED if reduced else SCALES[scale]


_BY_ADAM = Group(VAE, ADAM)


def further(dataset: str) -> tuple[Group, ...]:
    """Attacks beside `MAIN`; the dense VAE is searched by Adam as well."""
    return (*FURTHER, _BY_ADAM) if dataset == "mnist" else FURTHER


@functools.cache  # as a run reads its name from the flags once
def training(network: Network, dataset: str, seed: int, scale: str) -> Run:
    """The training of a network."""
    of = scale_of(scale, dataset)
    if scale == "smoke":  # the digits are too small for the networks of SVHN
        dataset = "mnist"
    flags = (
        f"--flagfile=flags/tabacof2016_{dataset}_{network.id}.flags",
        f"--seed={seed}",
        *of.train_flags,
    )
    return Run(f"tabacof_{dataset}_{network.id}_seed{seed}", flags)


@functools.cache
def attacks(group: Group, dataset: str, scale: str) -> tuple[Run, ...]:
    """The attack on the network of each seed."""
    of = scale_of(scale, dataset)
    length = of.lengths.get(group.attack.solver)
    flags = (
        "--flagfile=flags/tabacof2016_attack.flags",
        *group.attack.flags,
        *of.attack_flags,
        *([] if length is None else [length]),
        *(of.few if group.attack.few else ()),
        *(of.output if group.attack == OUTPUT else ()),
    )
    trained = [
        training(group.network, dataset, seed, scale) for seed in range(of.seeds)
    ]
    return tuple(
        Run(f"{run.label}_{group.attack.id}", flags, "attack", {"model_dir": run})
        for run in trained
    )


def classifier_attack(dataset: str, scale: str) -> Run:
    """The attack on a classifier; of a smoke run that of the digits for each."""
    of = scale_of(scale, dataset)
    named = "mnist" if scale == "smoke" else dataset
    trained = Run(
        f"tabacof_{named}_classifier",
        (
            f"--flagfile=flags/tabacof2016_classifier_{named}.flags",
            *of.classifier_flags,
        ),
    )
    flags = (
        "--flagfile=flags/tabacof2016_classifier_attack.flags",
        *of.classifier_attack_flags,
    )
    return Run(f"{trained.label}_attack", flags, "attack", {"model_dir": trained})


def classifiers(scale: str) -> list[Run]:
    """All attacks of the artefact of section 4."""
    beside = itertools.product(BESIDE_CLASSIFIERS, NAMES)
    return [
        *(classifier_attack(dataset, scale) for dataset in NAMES),
        *itertools.chain.from_iterable(attacks(*each, scale) for each in beside),
    ]


def autoencoders(dataset: str, scale: str) -> list[Run]:
    """All attacks of an artefact of section 3."""
    each = (attacks(group, dataset, scale) for group in (*MAIN, *further(dataset)))
    return list(itertools.chain.from_iterable(each))
