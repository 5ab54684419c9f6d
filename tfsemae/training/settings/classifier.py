"""How a classifier is trained. Free of TensorFlow."""

import dataclasses

from tfsemae.settings import Checked, setting
from tfsemae.shared_settings import check_pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scarl(Checked):
    """Losses of the words of classes: `procedures.scarl` (Kuang 2023)."""

    # The digest of what is read is among the inputs of a run.
    words_file: str | None = setting(
        None,
        "Of --procedure=scarl: text file with a line `word v1 .. vE` for each class, "
        "as GloVe has it.",
        identity=False,
    )
    words: str = setting(
        "glove",
        "Of --procedure=scarl: the vectors of the file, or controls: those of other "
        "classes (perm), random ones of equal norms, or one entry for each class.",
        choices=("glove", "perm", "random", "onehot"),
    )
    word1: str | None = setting(
        None,
        "Of --procedure=scarl: word of class 1, such as car for automobile. Default: "
        "its name.",
    )
    mi: str = setting(
        "ba",
        "Of --procedure=scarl: bound of the mutual information of images and words: "
        "objectives.word_ba, or word_nce of the released code.",
        choices=("ba", "nce"),
    )
    mi_temperature: float | None = setting(
        None,
        "Of --procedure=scarl: divides the cosines of --mi. Default: 0.1 of ba, 0.5 of "
        "nce.",
        lower_bound=1e-6,
    )
    mi_weight: float = setting(
        1.0, "Of --procedure=scarl: weight of --mi.", lower_bound=0.0
    )
    struct: str = setting(
        "rkd",
        "Of --procedure=scarl: structure of the classes: objectives.rkd_structure with "
        "the memory of a trained teacher, or gram_structure with the words themselves.",
        choices=("rkd", "gram"),
    )
    struct_weight: float = setting(
        1.0,
        "Of --procedure=scarl: weight of --struct after --ramp_up_steps.",
        lower_bound=0.0,
    )
    ramp_up_steps: int | None = setting(
        None,
        "Of --procedure=scarl: steps over which the weight of --struct and the "
        "momentum of the teacher grow to their ends, as objectives.gaussian_ramp_up; "
        "the whole training in the source.",
        lower_bound=1,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DomainAdversarial(Checked):
    """A nuisance and its classifier: `procedures.domain_adversarial`."""

    nuisance: str = setting(
        "colour",
        "Of --procedure=domain_adversarial: what images get that the features must not "
        "tell: one of 4 tints, a turn by 0, 90, 180 or 270 degrees (rot), or one of 4 "
        "speakers of spectra.",
        choices=("colour", "rot", "speaker"),
    )
    nuisance_bias: float = setting(
        0.0,
        "Of --procedure=domain_adversarial: share of the training images whose "
        "nuisance is chosen by the label; of the others it is drawn.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    reversal_factor: float = setting(
        1.0,
        "Of --procedure=domain_adversarial: weight of the loss of the classifier of "
        "the nuisance that the features maximise; 0 trains it beside them.",
        lower_bound=0.0,
    )
    reversal_ramp_steps: int = setting(
        0,
        "Of --procedure=domain_adversarial: steps over which --reversal_factor grows "
        "from 0 to its end; 0 for none.",
        lower_bound=0,
    )
    # None and not "joint", which would be in the flags of all runs.
    adversary_updates: str | None = setting(
        None,
        "Of --procedure=domain_adversarial: separate lets the classifier of the "
        "nuisance learn first in each step, and the rest against what it then is. "
        "Default: all at once.",
        choices=("separate",),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fakes(Checked):
    """Few labelled images and changed copies of them: `training.fakes`."""

    labelled_per_class: int | None = setting(
        None,
        "Of a classifier: train on so many images of each class, chosen by the seed. "
        "Default: all.",
        lower_bound=1,
    )
    fakes: str | None = setting(
        None,
        "Of a classifier: train on fakes as well, which have the label of their "
        "original: moved by up to 2 pixels (shift), or decoded by --fakes_from (vae). "
        "Default: none.",
        choices=("shift", "vae"),
    )
    fakes_per_image: int = setting(
        10, "Of --fakes: number of fakes of each image.", lower_bound=1
    )
    fakes_from: str | None = setting(
        None,
        "Of --fakes=vae: the --output_dir of a variational autoencoder's training.",
    )
    fakes_scale: float = setting(
        1.0,
        "Of --fakes=vae: factor on the standard deviation of the posterior from which "
        "the latent of a fake is drawn.",
        lower_bound=0.0,
    )
    fakes_judge: str | None = setting(
        None,
        "Of --fakes: the --output_dir of a classifier's training, which judges fakes. "
        "Default: all are kept.",
    )
    fakes_least: float = setting(
        0.5,
        "Of --fakes_judge: probability of the label from which on a fake is kept.",
        lower_bound=0.0,
    )

    def __post_init__(self) -> None:
        """Checks that a network is named where one is needed.

        Raises:
            ValueError: if it is not.
        """
        super().__post_init__()
        if self.fakes == "vae" and self.fakes_from is None:
            raise ValueError(
                "--fakes=vae needs --fakes_from, the --output_dir of a training with "
                "--variational. Received: no --fakes_from."
            )

    def unused(self) -> dict[str, str]:
        """The options of other fakes, or of none."""
        found = {}
        if self.fakes is None:
            found = dict.fromkeys(("fakes_per_image", "fakes_judge"), "--fakes")
        if self.fakes != "vae":
            found |= dict.fromkeys(("fakes_from", "fakes_scale"), "--fakes=vae")
        if self.fakes_judge is None:
            found["fakes_least"] = "--fakes_judge"
        return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Classifier(Checked):
    """How a classifier is trained: `procedures.classifier` and its neighbours."""

    # None and not "nat", which would be in the flags of all runs.
    procedure: str | None = setting(
        None,
        "Of a classifier: what a step learns from: the images (nat), adversarial "
        "images of one step (fgsm) or of several (pgd), both (trades), these and "
        "the words of the classes (scarl), or images with a nuisance, against a "
        "classifier of it (domain_adversarial). Default: nat.",
        choices=("nat", "fgsm", "pgd", "trades", "scarl", "domain_adversarial"),
    )
    augment: str | None = setting(
        None,
        "Of a classifier: move training images at random by up to 4 pixels, their "
        "edges repeated, and turn half of them left to right. Default: not.",
        choices=("crop_flip",),
    )
    adversarial_epsilon: float = setting(
        8 / 255,
        "Of --procedure=fgsm, pgd, trades and scarl: L-inf radius in which images "
        "change, pixels in [0, 1].",
        lower_bound=0.0,
    )
    adversarial_step_size: float | None = setting(
        None,
        "Of --procedure=fgsm, pgd, trades and scarl: step of the attack. Default: "
        "2/255, of fgsm 10/255.",
        lower_bound=0.0,
    )
    adversarial_steps: int = setting(
        10,
        "Of --procedure=pgd, trades and scarl: steps of the attack.",
        lower_bound=1,
    )
    kl_weight: float = setting(
        6.0,
        "Of --procedure=trades and scarl: weight of the KL divergence of the answers "
        "to adversarial images from those to the images.",
        lower_bound=0.0,
    )
    scarl: Scarl = dataclasses.field(default_factory=Scarl)
    domain_adversarial: DomainAdversarial = dataclasses.field(
        default_factory=DomainAdversarial
    )
    fakes: Fakes = dataclasses.field(default_factory=Fakes)

    def __post_init__(self) -> None:
        """Checks what the attack and the words need.

        Raises:
            ValueError: if something is missing or in other units.
        """
        super().__post_init__()
        for name in ("adversarial_epsilon", "adversarial_step_size"):
            check_pixels(name, getattr(self, name))
        if self.procedure != "scarl":
            return
        if self.scarl.words_file is None and self.scarl.words != "onehot":
            raise ValueError(
                "--procedure=scarl needs --words_file, a text file with the vectors of "
                "the classes. Received: no --words_file."
            )
        if self.scarl.ramp_up_steps is None:
            raise ValueError(
                "--procedure=scarl needs --ramp_up_steps, such as the --steps of the "
                "whole training. Received: no --ramp_up_steps."
            )

    def unused(self) -> dict[str, str]:
        """The options of other procedures."""
        return {
            name: f"--procedure={procedures[0]}"
            for name, procedures in _OF_PROCEDURES.items()
            if self.procedure not in procedures
        }


#: Option of a classifier -> procedures that it belongs to; None is the default.
_OF_PROCEDURES: dict[str, tuple[str | None, ...]] = {
    "adversarial_epsilon": ("pgd", "fgsm", "trades", "scarl"),
    "adversarial_step_size": ("pgd", "fgsm", "trades", "scarl"),
    "adversarial_steps": ("pgd", "trades", "scarl"),
    "kl_weight": ("trades", "scarl"),
    "scarl": ("scarl",),
    "domain_adversarial": ("domain_adversarial",),
    "fakes": ("nat", None),
}
