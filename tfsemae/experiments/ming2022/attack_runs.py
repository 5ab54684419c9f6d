"""Section IV: victims, attackers, controls and attacks of each artefact."""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from tfsemae.experiments.ming2022.runs import WEIGHT
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


_AS_ON_MNIST = Attacker("shuffled", WEIGHT)
_BOTH_WEIGHTS = (_AS_ON_MNIST, Attacker("shuffled", 1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What an artefact attacks, and how long the networks are trained.

    Attributes:
        dataset: of victim and attackers.
        classes: of it; none for all.
        flagfiles: of the vanilla and of the semantic network.
        steps: of every training.
        seeds: how many victims.
        attackers: those whose labels are wrong; each brings its controls.
        examples: attacked test images, drawn at random; None for all.
        of_the_paper: whether the paper prints numbers for it.
    """

    dataset: str
    classes: tuple[str, ...] = ()
    flagfiles: tuple[str, str] = ("mnist_vanilla", "mnist_semantic")
    steps: int
    seeds: int = 1
    attackers: tuple[Attacker, ...] = _BOTH_WEIGHTS
    examples: int | None = None
    of_the_paper: bool = False

    def all_attackers(self) -> list[Attacker]:
        """The attackers of each victim, and their controls, each once."""
        each = [[attacker, *attacker.controls()] for attacker in self.attackers]
        return list(dict.fromkeys(itertools.chain(*each)))

    def victim(self, seed: int) -> Run:
        """The training of a victim."""
        return self._training("victim", self.flagfiles[0], seed)

    def attacker(self, attacker: Attacker, seed: int) -> Run:
        """The training of an attacker of a seed's victim."""
        victim = self.victim(seed)
        inputs = {"decoder_from": victim}
        if attacker.from_victim:
            inputs["encoder_from"] = victim
        vanilla, semantic = self.flagfiles
        seed += _OTHER_SEED
        if attacker.weight is None:
            return self._training(attacker.id, vanilla, seed, inputs=inputs)
        flags = f"--semantic_weight={attacker.weight}", _CLASSIFIER[attacker.role]
        return self._training(attacker.id, semantic, seed, *flags, inputs=inputs)

    def attack(self, attacker: Attacker, seed: int) -> Run:
        """The attack on a seed's victim."""
        some = () if self.examples is None else (f"--examples={self.examples}",)
        return Run(
            f"{self._label(attacker.id)}_attack_seed{seed}",
            ("--flagfile=flags/ming2022_attack.flags", *some),
            "attack",
            {
                "model_dir": self.victim(seed),
                "attacker_dir": self.attacker(attacker, seed),
            },
        )

    def attacks(self) -> dict[Attacker, list[Run]]:
        """Attacker -> its attacks, a victim each."""
        return {
            attacker: [self.attack(attacker, seed) for seed in range(self.seeds)]
            for attacker in self.all_attackers()
        }

    def _training(
        self,
        network: str,
        flagfile: str,
        seed: int,
        *more: str,
        inputs: Mapping[str, Run] | None = None,
    ) -> Run:
        flags = (
            f"--flagfile=flags/ming2022_{flagfile}.flags",
            f"--dataset={self.dataset}",
            f"--steps={self.steps}",
            f"--seed={seed}",
            *([f"--classes={','.join(self.classes)}"] if self.classes else []),
        )
        label = f"{self._label(network)}_{self.steps}_seed{seed}"
        return Run(label, (*flags, *more), inputs=inputs or {})

    def _label(self, network: str) -> str:
        return "_".join((self.dataset, *self.classes, network))


_CIFAR10 = Plan(
    dataset="cifar10",
    classes=("airplane", "automobile"),
    flagfiles=("cifar10_vanilla", "cifar10_attacker"),
    steps=10_000,
    # The second stays nearer to the victim, as the printed PSNR does.
    attackers=(_AS_ON_MNIST, _AS_ON_MNIST._replace(from_victim=True)),
    of_the_paper=True,
)
_SEEDS = dataclasses.replace(_CIFAR10, steps=2_500, seeds=3, attackers=_BOTH_WEIGHTS)
_MNIST = Plan(dataset="mnist", steps=2_500, examples=2000)
_FASHION = dataclasses.replace(_MNIST, dataset="fashion_mnist")


def _scales(full: Plan, **smoke: Any) -> dict[str, Plan]:
    small = dataclasses.replace(full, dataset="digits", steps=10, **smoke)
    return {"full": full, "smoke": small}


#: Artefact -> scale -> plan.
PLANS = {
    "ming2022_cifar10": _scales(_CIFAR10, classes=("0", "1")),
    "ming2022_cifar10_seeds": _scales(_SEEDS, classes=("0", "1"), seeds=2),
    "ming2022_attack_mnist": _scales(_MNIST, examples=200),
    "ming2022_attack_fashion_mnist": _scales(_FASHION, examples=100),
}
