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
_OTHER_SEED, _AGAIN_SEED = 100, 200
#: Of the change, besides the attack itself: the linear limit, weaker and stronger ones.
SCALES = ("0.01", "0.1", "0.5", "2", "4")
#: Rules and margins were chosen with victims of the seeds 0 to 2 in mind.
_FIRST_SEED = 10


class Attacker(NamedTuple):
    """Who makes the attacking encoder.

    All take the decoder of the same victim; their encoders begin from the same fresh
    one, or from the victim's.
    """

    role: str  # shuffled, labelled or unlabelled
    weight: float | None = None  # of the classification; None without one
    from_victim: bool = False
    again: bool = False  # trained once more, from another seed

    @property
    def id(self) -> str:
        """As in the names of runs, rows and claims."""
        weight = "" if self.weight is None else f"{self.weight:g}"
        start = "_from_victim" if self.from_victim else ""
        return f"{self.role}{weight}{start}{'_again' if self.again else ''}"

    def __str__(self) -> str:
        """For a reader."""
        weight = "" if self.weight is None else f", weight {self.weight:g}"
        start = ", from the victim's encoder" if self.from_victim else ""
        again = ", trained again" if self.again else ""
        return f"{_NAMES[self.role]}{weight}{start}{again}"


class Attack(NamedTuple):
    """An attack on each victim.

    Attributes:
        attacker: whose encoder it takes.
        norm_of: an attacker whose changes have the norm that these are scaled to,
            image by image; None leaves them as they are.
    """

    attacker: Attacker
    norm_of: Attacker | None = None

    @property
    def id(self) -> str:
        """As in the names of runs and rows."""
        norm = "" if self.norm_of is None else f"_as_{self.norm_of.id}"
        return f"{self.attacker.id}{norm}"

    def __str__(self) -> str:
        """For a reader."""
        norm = "" if self.norm_of is None else f", norm as with {self.norm_of}"
        return f"{self.attacker}{norm}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What an artefact attacks, and how long the networks are trained.

    Attributes:
        dataset: of victim and attackers.
        classes: of it; none for all.
        flagfiles: of the vanilla and of the semantic network.
        steps: of every training.
        seeds: of the victims.
        attackers: those whose labels are shuffled, each with the attackers that it is
            compared with: of true labels, or of none.
        repeated: those that are trained again, which shows by how much two trainings
            of one kind differ.
    """

    dataset: str
    classes: tuple[str, ...] = ()
    flagfiles: tuple[str, str]
    steps: int
    seeds: tuple[int, ...] = (0,)
    attackers: Mapping[Attacker, tuple[Attacker, ...]]
    repeated: tuple[Attacker, ...] = ()

    def controls(self, attacker: Attacker) -> list[Attack]:
        """Attacks of the same norm without shuffled labels."""
        return [Attack(c, norm_of=attacker) for c in self.attackers[attacker]]

    def again(self, attacker: Attacker) -> list[Attack]:
        """The attack of the same norm by the same attacker, trained again."""
        if attacker not in self.repeated:
            return []
        return [Attack(attacker._replace(again=True), norm_of=attacker)]

    def all_attacks(self) -> list[Attack]:
        """The attacks on each victim."""
        each = [[Attack(a), *self.controls(a), *self.again(a)] for a in self.attackers]
        return list(itertools.chain(*each))

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
        seed += _AGAIN_SEED if attacker.again else _OTHER_SEED
        if attacker.weight is None:
            return self._training(attacker.id, vanilla, seed, inputs=inputs)
        flags = f"--semantic_weight={attacker.weight}", _CLASSIFIER[attacker.role]
        return self._training(attacker.id, semantic, seed, *flags, inputs=inputs)

    def attack(self, attack: Attack, seed: int) -> Run:
        """An attack on a seed's victim."""
        inputs = {
            "model_dir": self.victim(seed),
            "attacker_dir": self.attacker(attack.attacker, seed),
        }
        if attack.norm_of is not None:
            inputs["equal_norm_dir"] = self.attacker(attack.norm_of, seed)
        label = f"{self._label(attack.id)}_attack_seed{seed}"
        more = "--nocontrols"  # which are measured of the other attack
        if attack.norm_of is None:
            more = f"--scales={','.join(SCALES)}"
        flagfile = "--flagfile=flags/ming2022_attack.flags"
        return Run(label, (flagfile, f"--seed={seed}", more), "attack", inputs)

    def attacks(self) -> dict[Attack, list[Run]]:
        """Attack -> its runs, a victim each."""
        return {
            attack: [self.attack(attack, seed) for seed in self.seeds]
            for attack in self.all_attacks()
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


_AS_ON_MNIST, _STRONG = Attacker("shuffled", WEIGHT), Attacker("shuffled", 1)
_TRUE, _NONE = Attacker("labelled", 1), Attacker("unlabelled")
_CIFAR10 = Plan(
    dataset="cifar10",
    classes=("airplane", "automobile"),
    flagfiles=("cifar10_vanilla", "cifar10_attacker"),
    steps=10_000,
    # The second stays nearest to the victim, as the printed PSNR does.
    attackers={_STRONG: (), _AS_ON_MNIST._replace(from_victim=True): ()},
)
_SEEDS = dataclasses.replace(
    _CIFAR10,
    steps=2_500,
    seeds=tuple(range(_FIRST_SEED, _FIRST_SEED + 5)),
    # The strong one first: near weight 0 no effect of the labels could show.
    attackers={_STRONG: (_TRUE, _NONE), _AS_ON_MNIST: (_NONE,)},
    repeated=(_STRONG,),
)


def _scales(full: Plan, **smoke: Any) -> dict[str, Plan]:
    small = {"dataset": "digits", "classes": ("0", "1"), "steps": 10, **smoke}
    return {"full": full, "smoke": dataclasses.replace(full, **small)}


#: Artefact -> scale -> plan.
PLANS = {
    "ming2022_cifar10": _scales(_CIFAR10),
    "ming2022_cifar10_seeds": _scales(_SEEDS, seeds=(0, 1)),
}
