"""A generative adversarial network: a generator, and a discriminator of its images."""

import dataclasses
from typing import Any

import keras

from tfsemae import files, keras_state
from tfsemae.models import verification
from tfsemae.models.networks import (
    digest_of,
    load_model,
    model_ends,
    save_models,
    with_batch,
)


@dataclasses.dataclass(frozen=True)
class Gan:
    """Two functional or Sequential Keras models, each for any batch size.

    Attributes:
        generator: latent float32 `[B, Z]`, standard normal -> image float32
            `[B, H, W, C]` in [0, 1]. A conditional one takes `[B, Z + K]`, see `given`.
        discriminator: image -> logit float32 `[B, 1]`; its sigmoid is the probability
            that an image is real. A conditional one gives `[B, K]`, a logit for each
            of K classes, of which that of the label counts, see `of_label`.

    Raises:
        ValueError: if a part is not such a model, or the two do not fit each other.
    """

    generator: keras.Model
    discriminator: keras.Model

    def __post_init__(self) -> None:
        """Refuses what the class does not describe."""
        latent, made = model_ends(self.generator, "generator", "latent", "image")
        image, logit = model_ends(self.discriminator, "discriminator", "image", "logit")
        if len(latent) != 1 or len(made) != 3:
            raise ValueError(
                "`generator` must take latents [B, Z] and give images [B, H, W, C]. "
                f"Received: {with_batch(latent)} -> {with_batch(made)}."
            )
        if image != made or len(logit) != 1:
            raise ValueError(
                "`discriminator` must take what `generator` gives, and give a logit "
                "[B, 1], or one for each class [B, K]. Received: "
                f"{with_batch(image)} -> {with_batch(logit)}, images "
                f"{with_batch(made)}."
            )
        if self.latent < 1:
            raise ValueError(
                "`generator` must take latents beside the one-hot label of as many "
                "classes as `discriminator` has logits. Received: "
                f"{with_batch(latent)} and {with_batch(logit)}."
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the images."""
        return tuple(self.discriminator.inputs[0].shape[1:])

    @property
    def classes(self) -> int:
        """K, classes of a conditional network; 0 of others."""
        count = self.discriminator.outputs[0].shape[-1]
        return count if count > 1 else 0

    @property
    def latent(self) -> int:
        """Z, numbers of a latent."""
        return self.generator.inputs[0].shape[-1] - self.classes

    def given(self, z: Any, labels: Any) -> Any:
        """What the generator takes: the latents, and one-hot labels if it has classes.

        Args:
            z: float32 `[B, Z]`.
            labels: integers `[B]`; not used where there are no classes.
        """
        if not self.classes:
            return z
        return keras.ops.concatenate(
            [z, keras.ops.one_hot(labels, self.classes, dtype=z.dtype)], axis=1
        )

    def of_label(self, logits: Any, labels: Any) -> Any:
        """The logit that counts, float32 `[B, 1]`.

        Args:
            logits: what the discriminator gives.
            labels: as in `given`.
        """
        if not self.classes:
            return logits
        chosen = keras.ops.one_hot(labels, self.classes, dtype=logits.dtype)
        return keras.ops.sum(logits * chosen, axis=1, keepdims=True)

    def digest(self) -> str:
        """The SHA-256 of all weights: 64 hexadecimal digits."""
        return digest_of([self.generator, self.discriminator])

    def save(self, model_dir: files.PathLike) -> None:
        """Writes `generator.keras`, `discriminator.keras` and `gan.json`.

        Args:
            model_dir: made if it is missing. An earlier save is replaced when
                all is written, the description with the digests last.

        Raises:
            OSError: if it cannot be written; an earlier save stays.
        """
        parts = {name: getattr(self, name) for name in verification.GAN_PARTS}
        save_models(
            files.path(model_dir),
            verification.GAN_DESCRIPTION,
            parts,
            lambda digests: verification.Description(
                tuple(parts), self.image_shape, (), digests, self.digest()
            ),
        )

    @classmethod
    @keras_state.standard()
    def load(cls, model_dir: files.PathLike) -> "Gan":
        """Reads what `save` wrote, after checking its digests.

        Args:
            model_dir: the folder.

        Returns:
            The two networks, with equal weights; they are not compiled.

        Raises:
            ValueError: if the folder holds no finished model or a damaged one.
        """
        folder = files.path(model_dir)
        described = verification.verify_gan(folder)
        return cls(*(load_model(folder / f"{each}.keras") for each in described.parts))
