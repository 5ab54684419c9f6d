"""The networks and attacks on MNIST."""

import functools
import itertools

from tfsemae.experiments.runs import Run
from tfsemae.experiments.tabacof2016.runs import Attack, Group, Network

VAE, CVAE = Network("vae", "VAE"), Network("cvae", "convolutional VAE")
DRAW = Network("draw", "DRAW")
ATTENTION = Network("draw_attention", "DRAW with attention")
NETWORKS = (VAE, CVAE, DRAW, ATTENTION)

LATENT = Attack("kl", "KL divergence", ("--distance=kl",))
OUTPUT = Attack(
    "output", "distance of the output", ("--distance=output", "--fixed_draws=2")
)
GROUPS = tuple(Group(*each) for each in itertools.product(NETWORKS, (LATENT, OUTPUT)))

_SMOKE_TRAINING = ("--dataset=digits", "--steps=10", "--checkpoint_every=10")
_SMOKE_SIZES = ("--draw_steps=2", "--draw_units=16", "--draw_latent=4")
_SMOKE_ATTACK = (
    *("--examples=3", "--penalties=8", "--reconstructions=2"),
    "--attack_iterations=20",
)


@functools.cache  # as a run reads its name from the flags once
def training(network: Network, scale: str) -> Run:
    """The training of a network."""
    flags = [f"--flagfile=flags/tabacof2018_{network.id}.flags"]
    if scale == "smoke":
        flags += _SMOKE_TRAINING
        flags += _SMOKE_SIZES if network in (DRAW, ATTENTION) else ()
    return Run(f"tabacof2018_{network.id}", tuple(flags))


@functools.cache
def attack(group: Group, scale: str) -> Run:
    """An attack on a network."""
    trained = training(group.network, scale)
    flags = (
        "--flagfile=flags/tabacof2018_attack.flags",
        *group.attack.flags,
        *(_SMOKE_ATTACK if scale == "smoke" else ()),
    )
    label = f"{trained.label}_{group.attack.id}"
    return Run(label, flags, "attack", {"model_dir": trained})


def attacks_of(scale: str) -> list[Run]:
    """All attacks of the artefact."""
    return [attack(group, scale) for group in GROUPS]
