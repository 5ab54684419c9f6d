"""All settings of a training run, checked together. Free of TensorFlow."""

import dataclasses

from tfsemae.data import catalogue
from tfsemae.settings import refuse_unused
from tfsemae.training.settings.autoencoder import Autoencoder
from tfsemae.training.settings.classifier import Classifier
from tfsemae.training.settings.data import Data
from tfsemae.training.settings.network import Network
from tfsemae.training.settings.optimizer import Optimizer
from tfsemae.training.settings.run import Run

#: Images from which a regulariser can be computed.
_LEAST_BATCH: dict[str | None, int] = {"mmd": 2, "shapiro_wilk": 3}
_STEPS_PER_EXECUTION = 10  # measured: results/benchmarks/training.json


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
        frozen = self.procedure.decoder_from and not self.procedure.train_decoder
        if frozen and self.procedure.latent_adversarial.latent_adversarial_steps:
            raise ValueError(
                "--latent_adversarial_steps trains the decoder, and --decoder_from "
                "leaves it as it is. Add --train_decoder."
            )
        self._check_spelling()
        self._check_dropout()
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

    def _check_dropout(self) -> None:
        procedure = self.classifier.procedure
        if self.network.drops and procedure in ("scarl", "domain_adversarial"):
            raise ValueError(
                f"--procedure={procedure} takes a network without dropout. Choose one "
                "such as --model=small_conv_classifier. "
                f"Received: --model={self.network.model}."
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
