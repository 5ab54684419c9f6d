"""The attacks by name: their settings, and how they are made of them.

A new attack is a module in `tfsemae/attacks/`, which is usable without this one, a
group of settings here, and one line in `ATTACKS`. Free of TensorFlow until an attack
is made.
"""

import dataclasses
import itertools
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tfsemae.settings import Checked, setting
from tfsemae.shared_settings import Weights, check_pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class SemanticShift(Checked):
    """I_a = I + I_s - I_v (Ming 2022, eq. (6))."""

    attacker_dir: str | None = setting(
        None,
        "Of --attack=semantic_shift: the attacker, a training run with "
        "--decoder_from=<model_dir>.",
    )
    equal_norm_dir: str | None = setting(
        None,
        "Of --attack=semantic_shift: another attacker; each change is scaled to the L2 "
        "norm that this one's has, which makes a control of equal size.",
    )

    def check(self) -> None:
        """Raises ValueError if something is missing."""
        self.model_dirs()

    def model_dirs(self) -> dict[str, str]:
        """Name -> folder of the networks that it takes besides the victim."""
        if self.attacker_dir is None:
            raise ValueError(
                "--attack=semantic_shift needs --attacker_dir, a training run with "
                "--decoder_from=<model_dir>. Received: no --attacker_dir."
            )
        others = {}
        if self.equal_norm_dir is not None:
            others["equal_norm"] = self.equal_norm_dir
        return {"attacker": self.attacker_dir, **others}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Noise(Checked):
    """Gaussian noise of a given L2 norm."""

    noise_norm: float | None = setting(
        None,
        "Of --attack=noise: L2 norm of the change of an image, pixels in [0, 1].",
        lower_bound=0.0,
    )

    def check(self) -> None:
        """Raises ValueError if something is missing."""
        if self.noise_norm is None:
            raise ValueError(
                "--attack=noise needs --noise_norm, the L2 norm of the change. "
                "Received: no --noise_norm."
            )

    def model_dirs(self) -> dict[str, str]:
        """Takes no networks besides the victim."""
        return {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pgd(Weights):
    """Projected gradient descent in the latent or the input space (Lu 2023)."""

    space: str = setting(
        "latent",
        "Of --attack=pgd: what is changed, the latent or the image, which then stays "
        "in [0, 1].",
        choices=("latent", "input"),
    )
    objective: str = setting(
        "output_mse",
        "Of --attack=pgd: distance of the decoded images (mean squared error, or 1 - "
        "SSIM), or, with --space=input, of the latents (L2 distance of means, or KL "
        "divergence of the posteriors).",
        choices=("output_mse", "output_ssim", "latent_l2", "posterior_kl"),
    )
    target: str | None = setting(
        None,
        "Of --attack=pgd: approach this image: black, white, random pixels, the "
        "reversed output, or the next image of the data. Default: none, get away from "
        "what the network gives.",
        choices=("black", "white", "random", "reversed", "other_image"),
    )
    codes: str = setting(
        "mean",
        "Of --attack=pgd: latents that are attacked: those of the encoder (the mean), "
        "drawn from its posterior, or from the prior.",
        choices=("mean", "posterior", "prior"),
    )
    epsilon: tuple[str, ...] | None = setting(
        None, "Of --attack=pgd: radii of the ball in units of the space, ascending."
    )
    relative_epsilon: tuple[str, ...] | None = setting(
        None,
        "Of --attack=pgd: further radii, in units of the root of the total variance of "
        "what is attacked.",
    )
    lpips_nets: tuple[str, ...] | None = setting(
        None,
        "Of --attack=pgd with --weights_dir: networks of LPIPS, squeeze, alex or both. "
        "Default: both.",
    )
    steps: int = setting(10, "Of --attack=pgd: steps of a run.", lower_bound=1)
    restarts: int = setting(
        0, "Of --attack=pgd: further runs, each from a random point.", lower_bound=0
    )
    norm: str = setting(
        "l2", "Of --attack=pgd: norm of the ball.", choices=("l2", "linf")
    )
    step_norm: str | None = setting(
        None,
        "Of --attack=pgd: step along the gradient (l2) or its sign (linf). Default: as "
        "--norm.",
        choices=("l2", "linf"),
    )
    path_length: float | None = setting(
        None,
        "Of --attack=pgd: length of all steps of a run together, in units of the "
        "radius. Default: 2.5.",
        lower_bound=0.0,
    )
    momentum: float = setting(
        0.0,
        "Of --attack=pgd: share of the former direction that is kept.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    gradient: str = setting(
        "exact",
        "Of --attack=pgd: exact, or central differences of a network that can only be "
        "queried.",
        choices=("exact", "finite_difference"),
    )
    directions: int | None = setting(
        None,
        "Of --gradient=finite_difference: number of random directions of the "
        "differences, others in each step. Default: all axes, which takes many "
        "queries in a large space.",
        lower_bound=1,
    )
    strong: bool = setting(
        True,
        "Of --attack=pgd: beside it a stronger attack, which also begins along the top "
        "singular vector of the network and at 5 random points, and goes on from the "
        "best of them.",
    )
    classifier_dir: str | None = setting(
        None,
        "Of --attack=pgd: measure the Frechet distance of attacked outputs from those "
        "of the examples themselves in the features of this classifier, the "
        "--output_dir of a training such as with --model=conv_classifier.",
    )

    def check(self) -> None:
        """Raises ValueError if something is missing, or options do not fit."""
        if not self.epsilon and not self.relative_epsilon:
            raise ValueError(
                "--attack=pgd needs --epsilon or --relative_epsilon, such as "
                "--epsilon=0,0.5,1. Received: neither."
            )
        self.radii()
        if self.directions is not None and self.gradient == "exact":
            raise ValueError(
                f"--directions={self.directions} are those of finite differences. Add "
                "--gradient=finite_difference."
            )
        nets = self.lpips_nets or ("squeeze",)
        if not {*nets} <= {"squeeze", "alex"} or "squeeze" not in nets:
            raise ValueError(
                f"--lpips_nets={','.join(nets)} must be squeeze or squeeze,alex. "
                "SqueezeNet also measures diversity."
            )
        of_latents = self.objective in ("latent_l2", "posterior_kl")
        if of_latents and self.space == "latent":
            raise ValueError(
                f"--objective={self.objective} compares latents, which an attack on "
                "the latent sets itself. Add --space=input, or choose output_mse."
            )
        if of_latents and self.target == "reversed":
            raise ValueError(
                f"--target=reversed is an output, and --objective={self.objective} "
                "compares latents. Choose another target, or output_mse."
            )
        if self.space == "input" and self.codes != "mean":
            raise ValueError(
                f"--codes={self.codes} are latents, and --space=input attacks images. "
                "Leave one of them out."
            )

    def radii(self) -> dict[str, tuple[float, bool]]:
        """Name of a radius -> its number, and whether it is relative.

        Raises:
            ValueError: if they are no numbers of at least 0 in ascending order.
        """
        found = {}
        for flag in ("epsilon", "relative_epsilon"):
            for text, radius in _radii(flag, getattr(self, flag)).items():
                found[f"{flag}{text}"] = (radius, flag != "epsilon")
        return found

    def model_dirs(self) -> dict[str, str]:
        """Name -> folder of the networks that it takes besides the victim."""
        return (
            {} if self.classifier_dir is None else {"classifier": self.classifier_dir}
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lbfgsb(Checked):
    """Distance to a target plus a penalty on the distortion (Tabacof 2016)."""

    distance: str | None = setting(
        None,
        "Of --attack=lbfgsb: what is minimised beside the penalty: KL divergence of "
        "the adversarial posterior from that of the target, reverse_kl, released (what "
        "the authors' code has in its place), squared L2 distance of the latents (l2), "
        "or of the reconstruction and the target (output). Default: kl, of a "
        "deterministic autoencoder l2; of a classifier it is the cross-entropy of "
        "another class.",
        choices=("kl", "reverse_kl", "released", "l2", "output"),
    )
    targeted: bool = setting(
        True,
        "Of --attack=lbfgsb: approach an image of another class; else get away from "
        "the original.",
    )
    penalties: int = setting(
        100,
        "Of --attack=lbfgsb: number of penalties C of the squared distortion, equally "
        "spaced on a logarithmic scale.",
        lower_bound=1,
    )
    least_log2_penalty: float = setting(
        -20.0, "Of --attack=lbfgsb: base-2 logarithm of the least penalty."
    )
    greatest_log2_penalty: float = setting(
        20.0, "Of --attack=lbfgsb: base-2 logarithm of the greatest penalty."
    )
    squared_norm: bool = setting(
        True,
        "Of --attack=lbfgsb: penalise the squared L2 norm of the distortion; else the "
        "norm.",
    )
    reconstructions: int = setting(
        100,
        "Of --attack=lbfgsb: draws of the latent over which the reconstructions of a "
        "variational autoencoder are measured.",
        lower_bound=1,
    )
    fixed_draws: int = setting(
        10,
        "Of --attack=lbfgsb with --distance=output: other draws, over which the attack "
        "minimises the mean.",
        lower_bound=1,
    )
    linf_epsilon: tuple[str, ...] | None = setting(
        None,
        "Of --attack=lbfgsb on an autoencoder: beside it attacks within these L-inf "
        "radii, by 200 steps of signed gradients on the same distance, ascending.",
    )
    bisections: int = setting(
        0,
        "Of --attack=lbfgsb on a classifier: steps of a bisection for the largest "
        "penalty of each image at which its class still changes.",
        lower_bound=0,
    )
    attack_dtype: str = setting(
        "float64",
        "Of --attack=lbfgsb: precision of the networks during the search. In float32 "
        "an evaluation takes less time, but many problems do not converge.",
        choices=("float32", "float64"),
    )
    # None and not "lbfgsb", which would be in the flags of all runs.
    solver: str | None = setting(
        None,
        "Of --attack=lbfgsb on an autoencoder: what searches, lbfgsb, or adam with "
        "projected steps (Gondim-Ribeiro 2018). Default: lbfgsb.",
        choices=("lbfgsb", "adam"),
    )
    adam_steps: int = setting(
        3000, "Of --solver=adam: steps of a problem.", lower_bound=1
    )
    adam_rate: float = setting(
        0.001, "Of --solver=adam: learning rate, pixels in [0, 1].", lower_bound=0.0
    )
    attack_iterations: int = setting(
        15000,
        "Of --attack=lbfgsb: most iterations of a problem, by L-BFGS-B.",
        lower_bound=1,
    )
    attack_batch_size: int = setting(
        100,
        "Of --attack=lbfgsb: problems, each a pair and a penalty, that are solved at a "
        "time. Each takes some 400 bytes per pixel and channel, up to twice that.",
        lower_bound=1,
    )

    def unused(self) -> dict[str, str]:
        """The options of the other solver."""
        if self.solver == "adam":
            return {"attack_iterations": "--solver=lbfgsb"}
        return dict.fromkeys(("adam_steps", "adam_rate"), "--solver=adam")

    def check(self) -> None:
        """Raises ValueError if options do not fit."""
        self.linf_radii()
        low, high = self.least_log2_penalty, self.greatest_log2_penalty
        if low > high:
            raise ValueError(
                f"--least_log2_penalty={low:g} must not be above "
                f"--greatest_log2_penalty={high:g}."
            )

    def linf_radii(self) -> list[float]:
        """The radii of `linf_epsilon`.

        Raises:
            ValueError: if they are no numbers of at least 0 in ascending order.
        """
        return list(_radii("linf_epsilon", self.linf_epsilon).values())

    def model_dirs(self) -> dict[str, str]:
        """Takes no networks besides the victim."""
        return {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobustAccuracy(Checked):
    """Accuracy of a classifier under attacks in an L-inf ball (Kuang 2023)."""

    attacks: tuple[str, ...] = setting(
        ("fgsm", "pgd20", "cw20"),
        "Of --attack=robust_accuracy: fgsm; pgd and cw, each with its number of steps; "
        "aa_lite (APGD on the cross-entropy, on the targeted DLR loss, and Square).",
    )
    linf_radius: float = setting(
        8 / 255,
        "Of --attack=robust_accuracy: radius of the ball, pixels in [0, 1].",
        lower_bound=0.0,
    )
    linf_step: float = setting(
        2 / 255,
        "Of --attack=robust_accuracy: step of pgd and cw, pixels in [0, 1].",
        lower_bound=0.0,
    )
    random_runs: int = setting(
        1,
        "Of --attack=robust_accuracy: runs of pgd and cw, each from a uniform point of "
        "the ball; an image counts as robust if all fail.",
        lower_bound=1,
    )
    aa_steps: int = setting(
        100, "Of --attack=robust_accuracy: steps of APGD in aa_lite.", lower_bound=1
    )
    aa_targets: int = setting(
        3,
        "Of --attack=robust_accuracy: classes that aa_lite drives at, the likeliest "
        "ones first.",
        lower_bound=1,
    )
    aa_queries: int = setting(
        1000,
        "Of --attack=robust_accuracy: queries of Square in aa_lite.",
        lower_bound=1,
    )
    per_class: int | None = setting(
        None,
        "Of --attack=robust_accuracy: take the first so many images of each class, in "
        "place of --examples.",
        lower_bound=1,
    )
    transfer_dir: str | None = setting(
        None,
        "Of --attack=robust_accuracy: a classifier whose adversarial images are tried "
        "as well, the --output_dir of its training.",
    )
    check_examples: int = setting(
        200,
        "Of --attack=robust_accuracy: images on which further attacks check the "
        "numbers; 0 for no checks.",
        lower_bound=0,
    )
    keep_features: bool = setting(
        False,
        "Of --attack=robust_accuracy: keep the features of all images, also attacked; "
        "images that are classified wrongly are attacked as well.",
    )

    def check(self) -> None:
        """Raises ValueError if options do not fit."""
        for name in ("linf_radius", "linf_step"):
            check_pixels(name, getattr(self, name))
        bad = [name for name in self.attacks if not _ATTACK_NAME.fullmatch(name)]
        if bad or len({*self.attacks}) < len(self.attacks):
            raise ValueError(
                f"--attacks={','.join(self.attacks)} must name fgsm, pgd or cw with a "
                "number of steps, or aa_lite, each once, such as "
                "--attacks=fgsm,pgd20,cw20,aa_lite."
            )

    def model_dirs(self) -> dict[str, str]:
        """Name -> folder of the networks that it takes besides the victim."""
        return {} if self.transfer_dir is None else {"transfer": self.transfer_dir}


_ATTACK_NAME = re.compile(r"fgsm|aa_lite|(pgd|cw)[1-9][0-9]*")


def _radii(flag: str, texts: tuple[str, ...] | None) -> dict[str, float]:
    """Text of a radius -> its number.

    Raises:
        ValueError: if they are no numbers of at least 0 in ascending order.
    """
    texts = texts or ()
    numbers = [number(text) for text in texts]
    fits = all(math.isfinite(each) and each >= 0 for each in numbers)
    if not fits or any(a >= b for a, b in itertools.pairwise(numbers)):
        raise ValueError(
            f"--{flag}={','.join(texts)} must be finite numbers of at least 0 in "
            "ascending order, such as 0,0.5,1."
        )
    return dict(zip(texts, numbers, strict=True))


def number(text: str) -> float:
    """A number of a list flag; NaN where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


class Attack(NamedTuple):
    """An attack by its name.

    Attributes:
        summary: for the help.
        settings: a group of settings with the methods `check` and `model_dirs`.
        module: of `tfsemae.evaluation`, which runs it.
        of_classifiers: module that runs it on a classifier; None if it cannot be, the
            same as `module` if it is of classifiers only.
        make: (victim, settings) -> `attacking.Attacking`, of those that `attack` runs.
    """

    summary: str
    settings: type
    module: str
    make: Callable[..., Any] | None = None
    of_classifiers: str | None = None


def _semantic_shift(victim, settings):
    from tfsemae.evaluation.semantic_shift import SemanticShiftAttack

    return SemanticShiftAttack(victim, settings)


def _noise(victim, settings):
    from tfsemae.evaluation.noise import NoiseAttack

    return NoiseAttack(victim, settings)


ATTACKS = {
    "semantic_shift": Attack(
        "I_a = I + I_s - I_v (Ming 2022, eq. (6))",
        SemanticShift,
        "attack",
        _semantic_shift,
    ),
    "noise": Attack("Gaussian noise of L2 norm --noise_norm", Noise, "attack", _noise),
    "pgd": Attack(
        "projected gradient descent over radii --epsilon (Lu 2023)", Pgd, "robustness"
    ),
    "lbfgsb": Attack(
        "distance to a target plus --penalties of the distortion (Tabacof 2016)",
        Lbfgsb,
        "penalties",
        of_classifiers="classifier_penalties",
    ),
    "robust_accuracy": Attack(
        "accuracy of a classifier under --attacks (Kuang 2023)",
        RobustAccuracy,
        "robust_accuracy",
        of_classifiers="robust_accuracy",
    ),
}
