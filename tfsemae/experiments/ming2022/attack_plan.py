"""Section IV: victims, attackers, controls and attacks of each artefact."""

import dataclasses
import itertools
from typing import Any, NamedTuple

from tfsemae.experiments.ming2022 import plan
from tfsemae.experiments.runs import Run

_NAMES = {
    "shuffled": "shuffled labels",  # the attacker of the paper
    "labelled": "true labels",  # controls in its place
    "unlabelled": "no classifier",
}
_CLASSIFIER = {"shuffled": "--shuffle_labels", "labelled": "--noshuffle_labels"}
# Else the attacker would begin as the victim began, and see the images in its order.
_OTHER_SEED = 100


class Attacker(NamedTuple):
    """Who makes the attacking encoder.

    All take the decoder of the same victim; their encoders begin from the same fresh
    one, or from the victim's.
    """

    role: str  # shuffled, labelled or unlabelled
    weight: float | None = None  # of the classification; None without one
    from_victim: bool = False

    @property
    def id(self) -> str:
        """As in the names of runs, rows and claims."""
        weight = "" if self.weight is None else f"{self.weight:g}"
        return f"{self.role}{weight}{'_from_victim' if self.from_victim else ''}"

    def __str__(self) -> str:
        """For a reader."""
        weight = "" if self.weight is None else f", weight {self.weight:g}"
        start = ", from the victim's encoder" if self.from_victim else ""
        return f"{_NAMES[self.role]}{weight}{start}"

    def controls(self) -> list["Attacker"]:
        """The same but for wrong labels: with right ones, and without any."""
        unlabelled = self._replace(role="unlabelled", weight=None)
        return [self._replace(role="labelled"), unlabelled]


_AS_ON_MNIST = Attacker("shuffled", plan.WEIGHT)
_BOTH_WEIGHTS = (_AS_ON_MNIST, Attacker("shuffled", 1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What an artefact attacks, and how long the networks are trained.

    Attributes:
        dataset: of victim and attackers.
        classes: of it; none for all.
        networks: which flagfiles, of the vanilla and of the semantic network.
        steps: of every training.
        seeds: how many victims.
        attackers: those whose labels are wrong; each brings its controls.
        examples: attacked test images, drawn at random; None for all.
        scale: what the ledger says of it.
        of_the_paper: whether the paper prints numbers for it.
    """

    dataset: str
    classes: tuple[str, ...] = ()
    networks: tuple[str, str] = ("mnist_vanilla", "mnist_semantic")
    steps: int
    seeds: int = 1
    attackers: tuple[Attacker, ...] = _BOTH_WEIGHTS
    examples: int | None = None
    scale: str = "reduced"
    of_the_paper: bool = False


_CIFAR10 = Plan(
    dataset="cifar10",
    classes=("airplane", "automobile"),
    networks=("cifar10_vanilla", "cifar10_attacker"),
    steps=10_000,
    # The second stays nearer to the victim, as the printed PSNR does.
    attackers=(_AS_ON_MNIST, _AS_ON_MNIST._replace(from_victim=True)),
    scale="full",
    of_the_paper=True,
)
_SEEDS = dataclasses.replace(
    _CIFAR10, steps=2_500, seeds=3, attackers=_BOTH_WEIGHTS, scale="reduced"
)
_MNIST = Plan(dataset="mnist", steps=2_500, examples=2000)
_SMOKE: dict[str, Any] = {"dataset": "digits", "steps": 10, "scale": "smoke"}

PLANS: dict[str, dict[str, Plan]] = {
    "full": {
        "ming2022_cifar10": _CIFAR10,
        "ming2022_cifar10_seeds": _SEEDS,
        "ming2022_attack_mnist": _MNIST,
        "ming2022_attack_fashion_mnist": dataclasses.replace(
            _MNIST, dataset="fashion_mnist"
        ),
    },
}
_SMOKE_CHANGES: tuple[dict[str, Any], ...] = (
    {"classes": ("0", "1")},
    {"classes": ("0", "1"), "seeds": 2},
    {"examples": 200},
    {"examples": 100},
)
PLANS["smoke"] = {
    name: dataclasses.replace(full, **_SMOKE, **changes)
    for (name, full), changes in zip(PLANS["full"].items(), _SMOKE_CHANGES, strict=True)
}


def runs(artefact: str, scale: str) -> dict[str, Run]:
    """The trainings and attacks of an artefact.

    Args:
        artefact: such as `ming2022_cifar10`.
        scale: `full` or `smoke`.

    Returns:
        Name of the run -> the run. Artefacts share runs.
    """
    p = PLANS[scale][artefact]
    found = {}
    for seed in range(p.seeds):
        found[_victim(p, seed)] = _training(p, p.networks[0], seed)
        for attacker in attackers(p):
            found[training(p, attacker, seed)] = _attacking(p, attacker, seed)
            found[attack(p, attacker, seed)] = _attack(p, attacker, seed)
    return found


def ledger_scale(artefact: str, scale: str) -> str:
    """What the ledger says of its scale."""
    return PLANS[scale][artefact].scale


def attackers(p: Plan) -> list[Attacker]:
    """The attackers of each victim, and their controls, each once."""
    each = [[attacker, *attacker.controls()] for attacker in p.attackers]
    return list(dict.fromkeys(itertools.chain(*each)))


def training(p: Plan, attacker: Attacker, seed: int) -> str:
    """Name of the training of the attacker of a seed's victim."""
    return _name(p, attacker.id, seed)


def attack(p: Plan, attacker: Attacker, seed: int) -> str:
    """Name of the attack on the victim of a seed."""
    examples = "" if p.examples is None else f"_{p.examples}"
    return f"{training(p, attacker, seed)}_attack{examples}"


def _victim(p: Plan, seed: int) -> str:
    return _name(p, "victim", seed)


def _name(p: Plan, network: str, seed: int) -> str:
    classes = "".join(f"_{name}" for name in p.classes)
    return f"{p.dataset}{classes}_{network}_{p.steps}_seed{seed}"


def _training(p: Plan, network: str, seed: int, *more: str, **folders: str) -> Run:
    flags = [
        f"--flagfile=flags/ming2022_{network}.flags",
        f"--dataset={p.dataset}",
        f"--steps={p.steps}",
        f"--seed={seed}",
    ]
    if p.classes:
        flags.append(f"--classes={','.join(p.classes)}")
    return Run(flags=[*flags, *more], folders=folders)


def _attacking(p: Plan, attacker: Attacker, seed: int) -> Run:
    network, more = p.networks[0], []
    if attacker.weight is not None:
        network = p.networks[1]
        more = [f"--semantic_weight={attacker.weight}", _CLASSIFIER[attacker.role]]
    folders = {"decoder_from": _victim(p, seed)}
    if attacker.from_victim:
        folders["encoder_from"] = _victim(p, seed)
    return _training(p, network, _OTHER_SEED + seed, *more, **folders)


def _attack(p: Plan, attacker: Attacker, seed: int) -> Run:
    flags = ["--flagfile=flags/ming2022_attack.flags"]
    if p.examples is not None:
        flags.append(f"--examples={p.examples}")
    folders = {
        "model_dir": _victim(p, seed),
        "attacker_dir": training(p, attacker, seed),
    }
    return Run(command="attack", flags=flags, folders=folders)
