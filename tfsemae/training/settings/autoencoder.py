"""How an autoencoder is trained. Free of TensorFlow."""

import dataclasses

from tfsemae.settings import Checked, setting
from tfsemae.training.settings.regularizer import Regularizer


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
    latent_adversarial_objective: str | None = setting(
        None,
        "Of --latent_adversarial_steps: distance of the decoded images that the attack "
        "raises, 1 - SSIM or mean squared error. Default: output_ssim.",
        choices=("output_ssim", "output_mse"),
    )
    latent_adversarial_pgd_steps: int = setting(
        10,
        "Of --latent_adversarial_steps: steps of the attack.",
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

    gan_labelled_per_class: int | None = setting(
        None,
        "Of --gan_loss: give both networks the labels, and train on so many images of "
        "each class only, chosen by the seed as --labelled_per_class does for a "
        "classifier. Default: all images, without labels.",
        lower_bound=1,
    )

    def unused(self) -> dict[str, str]:
        """All, where an autoencoder is trained."""
        if self.gan_loss is not None:
            return {}
        names = ("gan_discriminator_steps", "gan_labelled_per_class")
        return dict.fromkeys(names, "--gan_loss")


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
