"""The settings of a training run, in groups. Free of TensorFlow."""

import dataclasses
import itertools
from typing import Any

from tfsemae.data import catalogue
from tfsemae.models import registry
from tfsemae.models.settings import Conv, ConvElu, ConvElu28, Dense, Draw, Table1
from tfsemae.settings import Checked, refuse_unused, setting
from tfsemae.shared_settings import Pixels, Threads, Weights, check_pixels

#: Images from which a regulariser can be computed.
_LEAST_BATCH: dict[str | None, int] = {"mmd": 2, "shapiro_wilk": 3}
_STEPS_PER_EXECUTION = 10  # measured: results/benchmarks/training.json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data(Pixels):
    """What is trained on."""

    dataset: str = setting(
        "mnist",
        f"Data set: {', '.join(catalogue.DATA_SETS)}, or a .npz with images and "
        "labels.",
    )
    classes: tuple[str, ...] | None = setting(
        None,
        "Keep these classes only, by name or number; labels are renumbered. Default: "
        "all.",
    )
    validation: int = setting(
        0,
        "Images at the end of the training set that are held out and measured at "
        "each interval.",
        lower_bound=0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network(Checked):
    """What is trained: a family of networks, and the options of each."""

    model: str = setting("table1", "The network.", choices=tuple(registry.NETWORKS))
    table1: Table1 = dataclasses.field(default_factory=Table1)
    conv: Conv = dataclasses.field(default_factory=Conv)
    conv_elu: ConvElu = dataclasses.field(default_factory=ConvElu)
    conv_elu28: ConvElu28 = dataclasses.field(default_factory=ConvElu28)
    dense: Dense = dataclasses.field(default_factory=Dense)
    draw: Draw = dataclasses.field(default_factory=Draw)

    def unused(self) -> dict[str, str]:
        """The options of other networks."""
        groups = [f.name for f in dataclasses.fields(self) if "help" not in f.metadata]
        return {name: f"--model={name}" for name in groups if name != self.model}

    @property
    def options(self) -> dict[str, Any]:
        """Those of the family that is trained."""
        group = getattr(self, self.model, None)
        return {} if group is None else dataclasses.asdict(group)

    @property
    def variational(self) -> bool:
        """Whether the encoder gives a distribution."""
        return self.model == "draw" or self.options.get("variational", False)

    @property
    def gives_pixel_variances(self) -> bool:
        """Whether the decoder has a second head, the variance of each pixel."""
        return self.model == "conv_elu" and self.conv_elu.variational

    @property
    def classifies(self) -> bool:
        """Whether it learns from labels; else it is an autoencoder."""
        return registry.NETWORKS[self.model].classifies

    @property
    def spells(self) -> bool:
        """Whether it learns the letters of the labels' names."""
        return registry.NETWORKS[self.model].spells


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mmd(Checked):
    """Of the regulariser `mmd`: `objectives.mmd`."""

    mmd_kernel: str = setting(
        "rbf", "Of --regularizer=mmd: the kernel.", choices=("rbf", "imq")
    )
    mmd_biased: bool = setting(
        False,
        "Of --regularizer=mmd: the biased estimate, in place of the unbiased one.",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShapiroWilk(Checked):
    """Of the regulariser `shapiro_wilk`: `objectives.shapiro_wilk_regularizer`."""

    swt_project: bool = setting(
        False,
        "Of --regularizer=shapiro_wilk: the least statistic of random orthonormal "
        "projections, anew in each step, in place of the mean over the entries.",
    )
    swt_moments: bool = setting(
        False,
        "Of --regularizer=shapiro_wilk: add the distance of mean and standard "
        "deviation from 0 and 1, which the statistic does not see.",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TotalCorrelation(Checked):
    """Of the regulariser `total_correlation`: `objectives.kl_decomposition`."""

    total_correlation_weight: float = setting(
        1.0,
        "Of --regularizer=total_correlation: weight of the total correlation beside "
        "mutual information and dimension-wise KL (beta of a beta-TCVAE).",
        lower_bound=0.0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Regularizer(Checked):
    """A loss of the latents of a batch: `procedures.regularizers`."""

    regularizer: str | None = setting(
        None,
        "Regulariser of the latent: kl and total_correlation of a variational "
        "autoencoder, mmd and shapiro_wilk of any. Default: none.",
        choices=("kl", "mmd", "shapiro_wilk", "total_correlation"),
    )
    regularizer_weight: float = setting(
        1.0,
        "Of --regularizer: its weight, beside --reconstruction_weight.",
        lower_bound=0.0,
    )
    mmd: Mmd = dataclasses.field(default_factory=Mmd)
    shapiro_wilk: ShapiroWilk = dataclasses.field(default_factory=ShapiroWilk)
    total_correlation: TotalCorrelation = dataclasses.field(
        default_factory=TotalCorrelation
    )

    def unused(self) -> dict[str, str]:
        """The options of other regularisers."""
        groups = [f.name for f in dataclasses.fields(self) if "help" not in f.metadata]
        found = {k: f"--regularizer={k}" for k in groups if k != self.regularizer}
        if self.regularizer is None:
            found["regularizer_weight"] = "--regularizer"
        return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatentAdversarial(Checked):
    """Further updates of the decoder: `procedures.latent_adversarial`."""

    latent_adversarial_steps: int = setting(
        0,
        "Updates of the decoder on attacked latents in each step (Lu 2023, Algorithm "
        "1); 0 for none.",
        lower_bound=0,
    )
    latent_adversarial_epsilon: float = setting(
        1.0,
        "Of --latent_adversarial_steps: L2 radius within which a latent is moved.",
        lower_bound=0.0,
    )
    latent_adversarial_pgd_steps: int = setting(
        10,
        "Of --latent_adversarial_steps: steps of the attack, which raises 1 - SSIM.",
        lower_bound=1,
    )
    latent_adversarial_noise: bool = setting(
        False,
        "Of --latent_adversarial_steps: move latents at random by that length, a "
        "control.",
    )

    def unused(self) -> dict[str, str]:
        """All, where there are no such updates."""
        if self.latent_adversarial_steps:
            return {}
        names = (field.name for field in dataclasses.fields(self))
        return dict.fromkeys(names, "--latent_adversarial_steps")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gan(Checked):
    """A generative adversarial network: `procedures.gan`."""

    gan_loss: str | None = setting(
        None,
        "Train a generative adversarial network with this loss of the generator, which "
        "is the decoder of --model; the discriminator has the layers of its encoder. "
        "Default: an autoencoder.",
        choices=("minimax", "nonsat"),
    )
    gan_discriminator_steps: int = setting(
        0,
        "Of --gan_loss: first steps, which train the discriminator alone.",
        lower_bound=0,
    )

    def unused(self) -> dict[str, str]:
        """All, where an autoencoder is trained."""
        if self.gan_loss is not None:
            return {}
        return {"gan_discriminator_steps": "--gan_loss"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Autoencoder(Checked):
    """How an autoencoder is trained: `procedures.autoencoder`."""

    semantic: bool = setting(
        False, "Train a classifier on the latent, jointly with the autoencoder."
    )
    semantic_weight: float = setting(
        0.016,
        "Weight of the classification loss (nats), beside --reconstruction_weight.",
        lower_bound=0.0,
    )
    shuffle_labels: bool = setting(
        False,
        "Permute the labels over the training set before the classification loss, "
        "which makes an attacker (Ming 2022, section IV).",
    )
    decoder_from: str | None = setting(
        None, "Begin with the decoder of this --output_dir, which an attacker shares."
    )
    train_decoder: bool = setting(
        False, "Train the decoder of --decoder_from on; else it is frozen."
    )
    encoder_from: str | None = setting(
        None, "Begin with the encoder of this --output_dir; else afresh."
    )
    loss: str = setting(
        "binary_crossentropy",
        "Reconstruction loss, mean over pixels; the sum of those called summed, and of "
        "normal_nll, with the variances of pixels that --model=conv_elu gives.",
        choices=(
            "binary_crossentropy",
            "mean_squared_error",
            "normal_nll",
            "summed_binary_crossentropy",
            "summed_squared_error",
        ),
    )
    # None and not 1, which would be in the flags of all runs.
    reconstruction_weight: float | None = setting(
        None, "Weight of the reconstruction loss. Default: 1.", lower_bound=0.0
    )
    # None and not True, which would be in the flags of all runs.
    measure_classes: bool | None = setting(
        None,
        "Measure at the end how the latent separates the classes: neighbours, linear "
        "probe, k-means and a t-SNE map. Default: where there are labels.",
    )
    regularizer: Regularizer = dataclasses.field(default_factory=Regularizer)
    latent_adversarial: LatentAdversarial = dataclasses.field(
        default_factory=LatentAdversarial
    )
    gan: Gan = dataclasses.field(default_factory=Gan)

    def unused(self) -> dict[str, str]:
        """What only an autoencoder has, where it is a GAN."""
        if self.gan.gan_loss is None:
            return {}
        names = {field.name for field in dataclasses.fields(self)}
        kept = {"gan", "decoder_from"}
        return dict.fromkeys(sorted(names - kept), "an autoencoder, without --gan_loss")


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

    @property
    def attacks(self) -> bool:
        """Whether a step attacks its images."""
        return self.procedure not in (None, "nat", "domain_adversarial")


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sgd(Checked):
    """Of the optimizer `sgd`."""

    sgd_momentum: float = setting(
        0.9,
        "Of --optimizer=sgd: share of the former update that is kept.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    sgd_nesterov: bool = setting(
        True, "Of --optimizer=sgd: momentum as Nesterov has it."
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optimizer(Checked):
    """How far and how fast: `training.optimizers`."""

    # More steps extend a finished run, so they do not tell runs apart.
    steps: int = setting(
        10_000,
        "Training steps. More than a finished run has done extend it.",
        lower_bound=1,
        identity=False,
    )
    batch_size: int = setting(32, "Images per step.", lower_bound=1)
    learning_rate: float = setting(0.001, "Initial learning rate.", lower_bound=0.0)
    decay_rate: float = setting(
        0.96,
        "Factor on the learning rate every --decay_steps.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    decay_steps: int = setting(
        100, "Steps between two decays of the rate.", lower_bound=1
    )
    decay_at: tuple[str, ...] | None = setting(
        None,
        "Steps before which the rate is multiplied by --decay_rate, ascending, in "
        "place of every --decay_steps.",
    )
    cosine_steps: int | None = setting(
        None,
        "Steps over which the rate falls to 0 as half a cosine does, in place of "
        "--decay_rate.",
        lower_bound=1,
    )
    weight_decay: float | None = setting(
        None,
        "Add this times each weight to its gradient, behind --global_clipnorm: the "
        "gradient of an L2 penalty. Default: none.",
        lower_bound=0.0,
    )
    # None and not "adam", which would be in the flags of all runs.
    optimizer: str | None = setting(
        None, "The optimizer. Default: adam.", choices=("adam", "sgd")
    )
    adam_beta_1: float | None = setting(
        None,
        "Share of the former mean of the gradient that Adam keeps. Default: that of "
        "Keras, 0.9.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    adam_epsilon: float | None = setting(
        None, "Adam's epsilon. Default: that of Keras, 1e-7.", lower_bound=0.0
    )
    sgd: Sgd = dataclasses.field(default_factory=Sgd)
    global_clipnorm: float | None = setting(
        None,
        "Scale the gradient of all weights down to this L2 norm where it is above. "
        "Default: no limit.",
        lower_bound=0.0,
    )
    clipvalue: float | None = setting(
        None,
        "Then clip each entry of the gradient to plus or minus this. Default: no "
        "limit.",
        lower_bound=0.0,
    )

    def __post_init__(self) -> None:
        """Checks the limits of the gradient.

        Raises:
            ValueError: if one is 0, which Keras takes for none.
        """
        super().__post_init__()
        for name in ("global_clipnorm", "clipvalue"):
            if getattr(self, name) == 0:
                raise ValueError(
                    f"--{name}=0.0 would stop the training. Give a positive number, or "
                    "leave it out for no limit."
                )
        self._check_schedule()

    def _check_schedule(self) -> None:
        self.decay_boundaries()
        standard = {field.name: field.default for field in dataclasses.fields(self)}
        for name in ("decay_rate", "decay_steps", "decay_at"):
            if self.cosine_steps is not None and getattr(self, name) != standard[name]:
                raise ValueError(
                    f"--cosine_steps={self.cosine_steps} sets the rate of all steps, "
                    f"and so does --{name}. Leave one of them out."
                )

    def decay_boundaries(self) -> list[int]:
        """The steps of `decay_at`.

        Raises:
            ValueError: if they are no whole numbers of at least 1 in ascending order.
        """
        texts = self.decay_at or ()
        numbers = [int(text) if text.isdecimal() else 0 for text in texts]
        if not all(a < b for a, b in itertools.pairwise([0, *numbers])):
            raise ValueError(
                f"--decay_at={','.join(texts)} must be whole numbers of at least 1 in "
                "ascending order, such as 39100,58650."
            )
        return numbers

    @property
    def clips(self) -> bool:
        """Whether gradients have a limit."""
        return self.global_clipnorm is not None or self.clipvalue is not None

    def unused(self) -> dict[str, str]:
        """The options of other optimizers."""
        if self.optimizer == "sgd":
            names = ("adam_beta_1", "adam_epsilon")
            return dict.fromkeys(names, "--optimizer=adam")
        return {"sgd": "--optimizer=sgd"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(Threads, Weights):
    """Where and how it runs."""

    output_dir: str = setting(
        help="Everything of one run; a second start continues it.", identity=False
    )
    seed: int = setting(
        0,
        "Of initial weights, order of the data, t-SNE and k-means.",
        lower_bound=0,
        upper_bound=2**32 - 1,
    )
    checkpoint_every: int = setting(
        100,
        "Steps of an interval: it ends with a checkpoint and a line in the logs.",
        lower_bound=1,
    )
    steps_per_execution: int | None = setting(
        None,
        "Steps that TensorFlow does in one call. Default: 10 where --steps and "
        "--checkpoint_every are multiples of it, else 1, as under "
        "--strategy=mirrored.",
        lower_bound=1,
        identity=False,
    )
    jit_compile: bool = setting(False, "Compile the step with XLA.")
    strategy: str = setting(
        "default",
        "One device, or each batch split among all of this machine.",
        choices=("default", "mirrored"),
    )
    resume: bool = setting(
        True,
        "Continue what --output_dir holds; else it must be empty.",
        identity=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All of one training run; each setting is the flag of its name."""

    data: Data = dataclasses.field(default_factory=Data)
    network: Network = dataclasses.field(default_factory=Network)
    procedure: Autoencoder = dataclasses.field(default_factory=Autoencoder)
    classifier: Classifier = dataclasses.field(default_factory=Classifier)
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
    run: Run

    def __post_init__(self) -> None:
        """Checks what the settings alone can tell.

        Raises:
            ValueError: if they do not go together.
        """
        catalogue.check_name(self.data.dataset)
        refuse_unused(self)
        self._check_procedure()
        self._check_gan()
        self._check_execution()

    def unused(self) -> dict[str, str]:
        """How an autoencoder is trained where it is a classifier, and vice versa."""
        if not self.network.classifies:
            return {"classifier": "a classifier, such as --model=preact_resnet8"}
        return {"procedure": "an autoencoder, such as --model=table1"}

    @property
    def steps_per_execution(self) -> int:
        """Steps that TensorFlow does in one call."""
        if self.run.steps_per_execution is not None:
            return self.run.steps_per_execution
        counts = (self.optimizer.steps, self.run.checkpoint_every)
        together = all(count % _STEPS_PER_EXECUTION == 0 for count in counts)
        fitting = together and self.run.strategy == "default"
        return _STEPS_PER_EXECUTION if fitting else 1

    @property
    def has_prior(self) -> bool:
        """Whether latents are trained to follow a prior, which is then sampled."""
        variational = self.network.options.get("variational", False)
        return variational or self.procedure.regularizer.regularizer is not None

    def _check_procedure(self) -> None:
        if self.procedure.shuffle_labels and not self.procedure.semantic:
            raise ValueError(
                "--shuffle_labels permutes the labels of the classifier, which only "
                "--semantic has. Add --semantic or leave --shuffle_labels out."
            )
        if self.procedure.train_decoder and self.procedure.decoder_from is None:
            raise ValueError(
                "--train_decoder goes with --decoder_from; without it the decoder is "
                "always trained. Name the run whose decoder is meant."
            )
        self._check_spelling()
        self._check_loss()
        self._check_regularizer()

    def _check_spelling(self) -> None:
        chosen = self.classifier
        nuisance = chosen.domain_adversarial.nuisance
        fitting = chosen.procedure == "domain_adversarial" and nuisance == "speaker"
        if self.network.spells and (not fitting or chosen.augment):
            raise ValueError(
                f"--model={self.network.model} is trained by "
                "--procedure=domain_adversarial --nuisance=speaker, without --augment. "
                f"Received: --procedure={chosen.procedure} --nuisance={nuisance} "
                f"--augment={chosen.augment}."
            )

    def _check_gan(self) -> None:
        if self.procedure.gan.gan_loss is None:
            return
        vector = self.network.model in ("conv", "dense")
        if not vector or self.network.options["variational"]:
            raise ValueError(
                "--gan_loss trains the decoder of --model=conv or --model=dense, "
                "without --variational. Choose one of these. "
                f"Received: --model={self.network.model}."
            )
        if self.data.validation or self.run.strategy == "mirrored":
            raise ValueError(
                "--gan_loss has neither a loss of images held out nor several devices. "
                "Leave --validation and --strategy=mirrored out."
            )

    def _check_loss(self) -> None:
        if self.network.classifies:
            return
        loss, activation = self.procedure.loss, self.network.dense.output_activation
        if activation == "linear" and loss.endswith("binary_crossentropy"):
            raise ValueError(
                f"--loss={loss} takes probabilities, which --output_activation=linear "
                "does not give. Add --loss=summed_squared_error or mean_squared_error."
            )
        given = self.network.gives_pixel_variances
        if self.procedure.loss == "normal_nll" and not given:
            raise ValueError(
                "--loss=normal_nll takes the variance of each pixel from the decoder. "
                "Add --model=conv_elu --variational, or choose another loss."
            )
        if given and self.procedure.loss != "normal_nll":
            raise ValueError(
                "--model=conv_elu --variational gives the variance of each pixel, "
                f"which --loss={self.procedure.loss} does not train. Add "
                "--loss=normal_nll."
            )

    def _check_regularizer(self) -> None:
        network, procedure = self.network, self.procedure
        name = procedure.regularizer.regularizer
        if name in ("kl", "total_correlation") and not network.variational:
            raise ValueError(
                f"--regularizer={name} compares the distribution of the latent with "
                "the prior, which only a variational autoencoder has. Add "
                "--variational, or choose mmd or shapiro_wilk."
            )
        least = _LEAST_BATCH.get(name, 1)
        if self.optimizer.batch_size < least:
            raise ValueError(
                f"--regularizer={name} needs at least {least} images per step. "
                f"Received: --batch_size={self.optimizer.batch_size}."
            )

    def _check_execution(self) -> None:
        together = self.steps_per_execution
        counts = {
            "steps": self.optimizer.steps,
            "checkpoint_every": self.run.checkpoint_every,
        }
        for name, count in counts.items():
            if count % together:
                raise ValueError(
                    f"--{name}={count} is not a multiple of "
                    f"--steps_per_execution={together}. Change one of them."
                )
        # Keras clips on each device, before the gradients are added up.
        if self.run.strategy == "mirrored" and self.optimizer.clips:
            raise ValueError(
                "--global_clipnorm and --clipvalue limit the gradient of a batch, "
                "which --strategy=mirrored splits. Leave one of them out."
            )
        if self.run.strategy == "mirrored" and together > 1:
            raise ValueError(
                "--strategy=mirrored runs one step per execution. "
                f"Received: --steps_per_execution={together}."
            )
