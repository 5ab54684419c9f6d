"""The networks and attacks of each table."""

from typing import NamedTuple

from tfsemae.experiments.runs import Run


class Scale(NamedTuple):
    """Length and number of trainings, and the images that are attacked.

    Attributes:
        steps: data set -> steps of a training.
        seeds: of the networks.
        examples: data set -> images of an attack.
    """

    steps: dict[str, int]
    seeds: int
    examples: dict[str, int]


#: Data set -> what stands in its place here, which has no faces.
STAND_IN = {"celeb_a": "cifar10_64"}
#: Scale -> its sizes; shorter than the 50 and 30 epochs of the flagfiles.
SCALES = {
    "full": Scale(
        {"mnist": 9_380, "fashion_mnist": 9_380, "cifar10_64": 2_340},
        3,
        {"mnist": 500, "fashion_mnist": 500, "cifar10_64": 300},
    ),
    "smoke": Scale({"digits": 20}, 2, {"digits": 20}),
}


class Model(NamedTuple):
    """A network of the tables."""

    regularizer: str  # as in the names of the flagfiles
    variational: bool = True

    @property
    def id(self) -> str:
        """As in the names of runs, rows and claims."""
        return f"{self.regularizer}_{'vae' if self.variational else 'dae'}"

    def __str__(self) -> str:
        """As the paper names it."""
        names = {"kl": "KLD", "mmd": "MMD", "swt": "SWT"}
        return f"{names[self.regularizer]}-{'VAE' if self.variational else 'DAE'}"


VAES = (Model("kl"), Model("mmd"), Model("swt"))
TWINS = tuple(Model(r, v) for r in ("mmd", "swt") for v in (True, False))


def training(model: Model, dataset: str, seed: int, scale: str) -> Run:
    """The training of a network."""
    steps, trained_on = SCALES[scale].steps, dataset
    if scale == "smoke":
        (trained_on,) = steps
    flags = (
        f"--flagfile=flags/lu2023_{dataset}_{model.regularizer}.flags",
        f"--dataset={trained_on}",
        "--variational" if model.variational else "--novariational",
        f"--steps={steps[trained_on]}",
        f"--seed={seed}",
    )
    return Run(f"{trained_on}_{model.id}_{steps[trained_on]}_seed{seed}", flags)


def attack(trained: Run, dataset: str, target: str | None, scale: str) -> Run:
    """An attack on a network, on both grids; without target it is untargeted."""
    examples = SCALES[scale].examples
    attacked = dataset if scale == "full" else next(iter(examples))
    flags = ["--flagfile=flags/lu2023_attack.flags", f"--examples={examples[attacked]}"]
    if target is not None:
        flags.append(f"--target={target}")
    return Run(
        f"{trained.label}_{target or 'untargeted'}",
        tuple(flags),
        "attack",
        {"model_dir": trained},
    )
