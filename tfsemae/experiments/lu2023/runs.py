"""The networks and attacks of each table."""

import functools
import itertools
from collections.abc import Iterable
from typing import NamedTuple

from tfsemae.experiments.runs import Run


class Scale(NamedTuple):
    """Length and number of trainings, and how much is attacked.

    Attributes:
        steps: data set of a flagfile -> steps of a training, shorter than its 50 or 30
            epochs; these are the data sets of an artefact.
        further: steps of a fine-tuning.
        classifier: steps of the training of a classifier.
        seeds: of the networks.
        examples: data set -> images of an attack.
        latents: of the sweep on MNIST, ascending, first that of the tables.
        betas: weights of the total correlation, ascending.
        flags: of all trainings.
        grids: radii of attacks that have none of their own, if not the flagfile's.
        attack_flags: of all attacks.
    """

    steps: dict[str, int]
    further: int
    classifier: int
    seeds: int
    examples: dict[str, int]
    latents: tuple[int, ...] = (10, 30, 128)
    betas: tuple[int, ...] = (1, 5, 10, 30, 50)
    flags: tuple[str, ...] = ()
    grids: tuple[str, ...] = ()
    attack_flags: tuple[str, ...] = ()

    @property
    def datasets(self) -> tuple[str, ...]:
        """In the order of their latents' size."""
        return tuple(self.steps)


#: Ours -> what the paper has in its place; the faces must not be passed on.
STANDS_FOR = {"cifar10_64": "celeb_a"}
NAMES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10_64": "CIFAR-10 at 64 x 64",
}
SCALES = {
    "full": Scale(
        steps={"mnist": 9_380, "fashion_mnist": 9_380, "cifar10_64": 2_340},
        further=1_876,
        classifier=6_000,
        seeds=3,
        examples={"mnist": 500, "fashion_mnist": 500, "cifar10_64": 300},
        # Half of the radii of the flagfile, half of the time: curves are smooth, and
        # the trapezoid errs by 1 % or less of an area, far below what decides a claim.
        grids=(
            "--epsilon=0,0.5,1,1.5,2,2.5,3",
            "--relative_epsilon=0.2,0.4,0.6,0.8,1",
        ),
    ),
    "smoke": Scale(
        steps={"mnist": 10, "fashion_mnist": 10},
        further=10,
        classifier=10,
        seeds=1,
        examples={"mnist": 20, "fashion_mnist": 20},
        latents=(10, 30),
        betas=(1, 50),
        flags=("--dataset=digits", "--checkpoint_every=10"),
        grids=("--epsilon=0,1,3", "--relative_epsilon=0.5,1"),
        attack_flags=("--steps=2",),
    ),
}


class Model(NamedTuple):
    """A network of the tables."""

    regularizer: str  # as in the names of the flagfiles
    variational: bool = True
    latent: int | None = None  # None: that of the flagfile
    beta: int | None = None  # weight of the total correlation

    @property
    def id(self) -> str:
        """As in the names of runs, rows and claims."""
        kind = "vae" if self.variational else "dae"
        latent = "" if self.latent is None else f"_latent{self.latent}"
        beta = "" if self.beta is None else f"_beta{self.beta}"
        return f"{self.regularizer}_{kind}{latent}{beta}"

    def __str__(self) -> str:
        """As the paper names it."""
        if self.beta is not None:
            return f"beta-TCVAE, beta {self.beta}"
        latent = "" if self.latent is None else f", latent {self.latent}"
        kind = "VAE" if self.variational else "DAE"
        return f"{_REGULARIZERS[self.regularizer]}-{kind}{latent}"


_REGULARIZERS = {
    "kl": "KLD",
    "mmd": "MMD",
    "swt": "SWT",
    "swt_moments": "SWT (with moments)",
    "swt_project": "SWT (projected)",
    "swt_project_moments": "SWT (projected, with moments)",
}
KLD, MMD, SWT = (Model(name) for name in ("kl", "mmd", "swt"))
VAES = (KLD, MMD, SWT)
#: Variational autoencoders, each with its deterministic twin.
PAIRS = {vae: vae._replace(variational=False) for vae in (MMD, SWT)}
#: Other forms of the statistic; the last one of a single seed.
SWT_VARIANTS = tuple(
    Model(name) for name in ("swt_moments", "swt_project", "swt_project_moments")
)
_COARSE = ("--epsilon=0,1,3,5,10,20", "--relative_epsilon=1")
_QUERIES = ("--epsilon=0,1,2,3", "--relative_epsilon=0.5")


class Training(NamedTuple):
    """How a trained network is trained on: a row of Fig. 10."""

    id: str
    name: str
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For a reader."""
        return self.name


REGULAR = Training("regular", "regular training")
_ADVERSARIAL = "--flagfile=flags/lu2023_latent_adversarial.flags"
ADVERSARIAL = Training("adversarial", "adversarial training", (_ADVERSARIAL,))
NOISE = Training(
    "noise_control",
    "noise in place of the attack",
    (_ADVERSARIAL, "--latent_adversarial_noise"),
)
CONTINUED = Training("continued", "continued without attack")
#: The radius of the attack in training, and others beside it.
RADIUS, RADII = 1.0, (0.5, 2.0)
_OF_RADII = tuple(
    Training(
        f"adversarial_radius{radius:g}",
        f"adversarial training, radius {radius:g}",
        (_ADVERSARIAL, f"--latent_adversarial_epsilon={radius:g}"),
    )
    for radius in RADII
)


class Attack(NamedTuple):
    """An attack on a network."""

    id: str
    flags: tuple[str, ...] = ()
    space: str = "latent"
    grids: tuple[str, ...] | None = None  # other radii than those of the flagfile
    frechet: bool = False  # whether outputs are compared in features of a classifier
    alex: bool = False  # whether LPIPS is also measured by AlexNet, which takes longest


WITHOUT_ALEX = "--lpips_nets=squeeze"
UNTARGETED = Attack("untargeted")
BLACK = Attack("black", ("--target=black",), alex=True)
#: That of Table 3, which has FID as well.
BLACK_AS_SETS = BLACK._replace(frechet=True)
#: The same objective, but the image is changed.
INPUT = Attack("black_input", ("--target=black",), "input")
#: Radii at which the last row of Fig. 4 is black.
FAR = Attack("black_far", ("--target=black",), grids=_COARSE)
QUERIES = Attack(
    "queries", ("--gradient=finite_difference", "--nostrong"), grids=_QUERIES
)


def seeds(scale: str) -> range:
    """Of the networks."""
    return range(SCALES[scale].seeds)


@functools.cache  # as a run reads its name from the flags once
def training(model: Model, dataset: str, seed: int, scale: str) -> Run:
    """The training of a network."""
    of = SCALES[scale]
    flags = [
        f"--flagfile=flags/lu2023_{dataset}_{model.regularizer}.flags",
        "--variational" if model.variational else "--novariational",
        f"--steps={of.steps[dataset]}",
        f"--seed={seed}",
        *("--nomeasure_classes", *of.flags),
    ]
    if model.latent is not None:
        flags.append(f"--latent={model.latent}")
    if model.beta is not None:
        flags.append(f"--total_correlation_weight={model.beta}")
    label = f"{dataset}_{model.id}_{of.steps[dataset]}_seed{seed}"
    return Run(label, tuple(flags))


def classifier(dataset: str, scale: str) -> Run:
    """The training of the classifier in whose features outputs are compared."""
    of = SCALES[scale]
    flags = (
        f"--flagfile=flags/lu2023_classifier_{dataset}.flags",
        f"--steps={of.classifier}",
        *of.flags,
    )
    return Run(f"{dataset}_classifier_{of.classifier}", flags)


def trained_on(base: Run, how: Training, seed: int, scale: str) -> Run:
    """The fine-tuning of a trained network."""
    of = SCALES[scale]
    flags = (
        *(flag for flag in base.flags if not flag.startswith("--steps")),
        *("--train_decoder", f"--steps={of.further}"),
        *how.flags,
    )
    label = f"{base.label}_{how.id}_{of.further}"
    return Run(label, flags, inputs={"encoder_from": base, "decoder_from": base})


def attack(trained: Run, kind: Attack, dataset: str, scale: str) -> Run:
    """An attack on a network, on both grids."""
    of = SCALES[scale]
    name = "input_attack" if kind.space == "input" else "attack"
    flags = (
        f"--flagfile=flags/lu2023_{name}.flags",
        f"--examples={of.examples[dataset]}",
        *kind.flags,
        *(() if kind.alex else (WITHOUT_ALEX,)),
        *(kind.grids or of.grids),
        *of.attack_flags,
    )
    inputs = {"model_dir": trained}
    if kind.frechet:
        inputs["classifier_dir"] = classifier(dataset, scale)
    return Run(f"{trained.label}_{kind.id}", flags, "attack", inputs)


@functools.cache
def attacks(model: Model, kind: Attack, dataset: str, scale: str) -> tuple[Run, ...]:
    """The attack on the network of each seed."""
    count = 1 if model == SWT_VARIANTS[-1] else SCALES[scale].seeds
    return tuple(
        attack(training(model, dataset, seed, scale), kind, dataset, scale)
        for seed in range(count)
    )


def table_1(scale: str) -> list[Run]:
    """Attacks of `lu2023_table1`; further ones are on MNIST alone."""
    datasets = SCALES[scale].datasets
    each = itertools.product(VAES, (BLACK, UNTARGETED), datasets)
    further = [(KLD, FAR), (KLD, QUERIES), *((swt, BLACK) for swt in SWT_VARIANTS)]
    return [
        *_joined(attacks(*of, scale) for of in each),
        *_joined(attacks(*of, datasets[0], scale) for of in further),
    ]


def table_2(scale: str) -> list[Run]:
    """Attacks of `lu2023_table2`; that of the KLD-VAE for robustness and diversity."""
    datasets = SCALES[scale].datasets
    models = [KLD, *_joined(PAIRS.items())]
    each = itertools.product(models, datasets)
    return [
        *_joined(attacks(model, BLACK, dataset, scale) for model, dataset in each),
        *_joined(of_latent.values() for of_latent in sweep(scale).values()),
    ]


def sweep(scale: str) -> dict[int, dict[Model, Run]]:
    """Size of the latent -> model -> the attack on one network of MNIST."""
    first, *larger = SCALES[scale].latents
    found = {}
    for latent in (first, *larger):
        models = _joined(PAIRS.items())
        found[latent] = {
            model: _sweep_attack(model, None if latent == first else latent, scale)
            for model in models
        }
    return found


def _sweep_attack(model: Model, latent: int | None, scale: str) -> Run:
    dataset = SCALES[scale].datasets[0]
    trained = training(model._replace(latent=latent), dataset, 0, scale)
    return attack(trained, BLACK, dataset, scale)


def betas(scale: str) -> list[Model]:
    """The networks of Table 3."""
    return [Model("tc", beta=beta) for beta in SCALES[scale].betas]


def table_3(scale: str) -> list[Run]:
    """Attacks of `lu2023_table3`, in the latent space and at the input."""
    dataset = SCALES[scale].datasets[0]
    each = itertools.product(betas(scale), (BLACK_AS_SETS, INPUT))
    return _joined(attacks(*of, dataset, scale) for of in each)


def fine_tuned(scale: str) -> dict[Training, list[Run]]:
    """How the KLD-VAE of MNIST was trained -> attacks, by seed."""
    dataset = SCALES[scale].datasets[0]
    found = {REGULAR: list(attacks(KLD, UNTARGETED, dataset, scale))}
    for how in (ADVERSARIAL, NOISE, CONTINUED, *_OF_RADII):
        count = range(1) if how in _OF_RADII else seeds(scale)
        found[how] = [
            attack(
                trained_on(training(KLD, dataset, seed, scale), how, seed, scale),
                UNTARGETED,
                dataset,
                scale,
            )
            for seed in count
        ]
    return found


def other_fine_tuned(scale: str) -> dict[Model, tuple[Run, Run]]:
    """The other VAEs, of one seed: attacks before and after adversarial training."""
    dataset = SCALES[scale].datasets[0]
    found = {}
    for model in (MMD, SWT):
        before = training(model, dataset, 0, scale)
        after = trained_on(before, ADVERSARIAL, 0, scale)
        found[model] = (
            attack(before, UNTARGETED, dataset, scale),
            attack(after, UNTARGETED, dataset, scale),
        )
    return found


def adversarial_training(scale: str) -> list[Run]:
    """Attacks of `lu2023_adversarial_training`."""
    return [
        *_joined(fine_tuned(scale).values()),
        *_joined(other_fine_tuned(scale).values()),
    ]


def _joined(parts: Iterable[Iterable]) -> list:
    return list(itertools.chain.from_iterable(parts))
