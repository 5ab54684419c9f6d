"""An autoencoder as a set of functional Keras models."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

import keras
import numpy as np

from tfsemae import files, keras_state
from tfsemae.models import verification
from tfsemae.models.networks import (
    Shape,
    checked_names,
    digest_of,
    load_model,
    model_ends,
    save_models,
    with_batch,
)


@dataclasses.dataclass(frozen=True)
class Autoencoder:
    """Encoder, decoder and what some autoencoders have besides.

    Each is a functional or Sequential Keras model with one input and one output,
    both float32, of a known shape and for any batch size. `of` makes one from
    models that were built elsewhere.

    Attributes:
        encoder: float32 `[B, H, W, C]` in [0, 1] -> latent, `[B, Z]` or,
            where each channel has its own, `[B, C, Z]`.
        decoder: latent -> float32 `[B, H, W, C]` in [0, 1], or near where its last
            layer is linear.
        classifier: latent -> logits `[B, K]`; None in a vanilla one.
        class_names: the K classes in the order of the logits; empty without.
        log_variance: of a variational autoencoder, whose encoder gives the mean of
            the posterior: float32 `[B, H, W, C]` -> logarithm of its variance, of the
            shape of the latent; None in a deterministic one.
        pixel_log_variance: where the decoder gives the mean of a normal distribution of
            each pixel: latent -> float32 `[B, H, W, C]`, logarithm of its variance,
            pixels in [0, 1]; None where it gives no distribution.
        sampled_posterior: of a variational autoencoder where the posterior of a part of
            the latent depends on what was drawn of others, such as DRAW: {"image":
            float32 `[B, H, W, C]`, "noise": float32 `[B, Z]`} -> {"mean",
            "log_variance"}, each `[B, Z]`, of which `mean + exp(log_variance / 2) *
            noise` is a draw. `encoder` and `log_variance` then are those at a noise of
            0. None where the posterior does not depend on it.

    Raises:
        ValueError: if a part is not such a model, or the parts do not fit each
            other.
    """

    encoder: keras.Model
    decoder: keras.Model
    classifier: keras.Model | None = None
    class_names: tuple[str, ...] = ()
    log_variance: keras.Model | None = None
    pixel_log_variance: keras.Model | None = None
    sampled_posterior: keras.Model | None = None

    def __post_init__(self) -> None:
        """Refuses what the class does not describe."""
        object.__setattr__(self, "class_names", checked_names(self.class_names))
        image, latent = model_ends(self.encoder, "encoder", "image", "latent")
        decoded_from, decoded = model_ends(self.decoder, "decoder", "latent", "image")
        if len(image) != 3:
            raise ValueError(
                "`encoder` must take images [B, H, W, C]; one channel is added by "
                f"keras.layers.Reshape. Received: input shape {with_batch(image)}."
            )
        if decoded_from != latent:
            raise ValueError(
                "`decoder` must take what `encoder` gives. Received: latent of shape "
                f"{with_batch(latent)}, decoder for {with_batch(decoded_from)}."
            )
        if decoded != image:
            raise ValueError(
                "`decoder` must give images of the shape that `encoder` takes. "
                f"Received: {with_batch(decoded)} and {with_batch(image)}."
            )
        _check_head(self.log_variance, "log_variance", "encoder", image, latent)
        _check_head(
            self.pixel_log_variance, "pixel_log_variance", "decoder", latent, image
        )
        if self.sampled_posterior is not None:
            _check_sampled(self.sampled_posterior, image, latent)
        if self.classifier is not None:
            self._check_classifier(self.classifier, latent)
        elif self.class_names:
            raise ValueError(
                "`class_names` are those of a classifier. Received: "
                f"class_names={self.class_names} without `classifier`."
            )

    def _check_classifier(self, classifier: keras.Model, latent: Shape) -> None:
        classified, logits = model_ends(classifier, "classifier", "latent", "logits")
        if classified != latent:
            raise ValueError(
                "`classifier` must take what `encoder` gives. Received: latent of "
                f"shape {with_batch(latent)}, classifier for {with_batch(classified)}."
            )
        if logits != (len(self.class_names),):
            raise ValueError(
                "`classifier` must give logits [B, K], one for each of `class_names`. "
                f"Received: output shape {with_batch(logits)}, "
                f"{len(self.class_names)} class names."
            )

    @classmethod
    def of(
        cls,
        encoder: keras.Model,
        decoder: keras.Model,
        classifier: keras.Model | None = None,
        class_names: Sequence[str] = (),
        log_variance: keras.Model | None = None,
        pixel_log_variance: keras.Model | None = None,
        sampled_posterior: keras.Model | None = None,
    ) -> "Autoencoder":
        """Makes one from Keras models that were built and trained elsewhere.

        Args:
            encoder: see the class.
            decoder: see the class.
            classifier: see the class.
            class_names: in the order of the logits; by default their numbers.
            log_variance: see the class.
            pixel_log_variance: see the class.
            sampled_posterior: see the class.

        Raises:
            ValueError: if a part is not as the class describes it, or the parts
                do not fit each other.
        """
        names = checked_names(class_names)
        if classifier is not None and not names:
            _, logits = model_ends(classifier, "classifier", "latent", "logits")
            names = tuple(str(number) for number in range(math.prod(logits)))
        return cls(
            encoder,
            decoder,
            classifier,
            names,
            log_variance,
            pixel_log_variance,
            sampled_posterior,
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the images it takes and gives."""
        return tuple(self.encoder.input_shape[1:])

    def digest(self) -> str:
        """The SHA-256 of all weights: 64 hexadecimal digits."""
        return digest_of(self._parts().values())

    def _parts(self) -> dict[str, keras.Model]:
        """Name -> each part that there is."""
        found = {name: getattr(self, name) for name in verification.PARTS}
        return {name: part for name, part in found.items() if part is not None}

    @keras_state.standard()
    def joint(self) -> keras.Model:
        """The network that is trained: one input, a dictionary of outputs.

        Returns:
            A functional model image -> {"reconstruction": `[B, H, W, C]`} and,
            with a classifier, "logits": `[B, K]`. It shares the weights.
        """
        image = keras.Input(self.image_shape, name="image")
        latent = self.encoder(image)
        outputs = {"reconstruction": self.decoder(latent)}
        if self.classifier is not None:
            outputs["logits"] = self.classifier(latent)
        return keras.Model(image, outputs, name="autoencoder")

    @keras_state.standard()
    def posterior(self) -> keras.Model:
        """The distribution of the latent that a variational autoencoder gives.

        Returns:
            A functional model image -> {"mean": `[B, Z]`, "log_variance": `[B, Z]`}.
            It shares the weights, and computes once what the two parts share; of parts
            that were loaded, equal layers below the last are those of the encoder.

        Raises:
            ValueError: of a deterministic autoencoder.
        """
        if self.log_variance is None:
            raise ValueError(
                "A deterministic autoencoder has no posterior. Train one with "
                "--variational, or give `log_variance`."
            )
        return _two_heads(self.encoder, self.log_variance, "posterior")

    @keras_state.standard()
    def likelihood(self) -> keras.Model:
        """The distribution of images that a decoder with variances gives.

        Returns:
            A functional model latent -> {"mean": `[B, H, W, C]`, "log_variance": `[B,
            H, W, C]`} of independent normal pixels. It shares the weights, and computes
            once what the two parts share.

        Raises:
            ValueError: of a decoder without variances.
        """
        if self.pixel_log_variance is None:
            raise ValueError(
                "This decoder gives no variances of pixels. Train one with "
                "--loss=normal_nll, or give `pixel_log_variance`."
            )
        return _two_heads(self.decoder, self.pixel_log_variance, "likelihood")

    def save(self, model_dir: files.PathLike) -> None:
        """Writes each part as a `.keras` file, and `autoencoder.json`.

        Args:
            model_dir: made if it is missing. An earlier save is replaced when
                all is written, the description with the digests last.

        Raises:
            OSError: if it cannot be written; an earlier save stays.
        """
        parts = self._parts()
        save_models(
            files.path(model_dir),
            verification.DESCRIPTION,
            parts,
            lambda digests: verification.Description(
                tuple(parts),
                self.image_shape,
                self.class_names,
                digests,
                self.digest(),
            ),
        )

    @staticmethod
    def verify(model_dir: files.PathLike) -> None:
        """Checks that a folder holds what `save` wrote, without loading it.

        `verification.verify_autoencoder` does the same without importing Keras.

        Args:
            model_dir: the folder.

        Raises:
            ValueError: if there is no finished model or a damaged one; the
                message names the file.
        """
        verification.verify_autoencoder(model_dir)

    @classmethod
    @keras_state.standard()
    def load(cls, model_dir: files.PathLike) -> "Autoencoder":
        """Reads what `save` wrote, after checking its digests.

        Args:
            model_dir: the folder.

        Returns:
            The autoencoder, with equal weights; it is not compiled.

        Raises:
            ValueError: if the folder holds no finished model or a damaged one,
                or one with custom layers that are not registered.
        """
        folder = files.path(model_dir)
        described = verification.verify_autoencoder(folder)
        parts = {name: load_model(folder / f"{name}.keras") for name in described.parts}
        try:
            return cls(**parts, class_names=described.class_names)
        except ValueError as error:
            raise ValueError(f"The model in {folder} does not fit: {error}") from error


def _check_head(
    head: keras.Model | None, name: str, trunk: str, takes: Shape, gives: Shape
) -> None:
    """Refuses a second head that does not take and give what the first does."""
    if head is None:
        return
    role = "image" if trunk == "encoder" else "latent"
    ends = model_ends(head, name, role, "log variance")
    if ends != (takes, gives):
        raise ValueError(
            f"`{name}` must take and give what `{trunk}` does. Received: "
            f"{with_batch(ends[0])} -> {with_batch(ends[1])}, {trunk} "
            f"{with_batch(takes)} -> {with_batch(gives)}."
        )


def _check_sampled(model: keras.Model, image: Shape, latent: Shape) -> None:
    ends = (
        {"image": (None, *image), "noise": (None, *latent)},
        dict.fromkeys(("mean", "log_variance"), (None, *latent)),
    )
    found = tuple(
        {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if isinstance(tensors, dict)
        else type(tensors).__name__
        for tensors in (model.input, model.output)
    )
    if found != ends:
        raise ValueError(
            "`sampled_posterior` must take {'image', 'noise'} and give {'mean', "
            f"'log_variance'}}, of shapes {ends}. Received: {found}."
        )


def _two_heads(mean: keras.Model, log_variance: keras.Model, name: str) -> keras.Model:
    parts = {"mean": mean, "log_variance": log_variance}
    given = mean.inputs[0]  # a Sequential has no `input`
    if log_variance.inputs[0] is given:  # layers of one graph
        outputs = {key: part.outputs[0] for key, part in parts.items()}
    elif (head := _on_trunk(mean, log_variance)) is not None:
        outputs = {"mean": mean.outputs[0], "log_variance": head}
    else:
        given = keras.Input(mean.input_shape[1:], name=given.name)
        outputs = {key: part(given) for key, part in parts.items()}
    return keras.Model(given, outputs, name=name)


def _on_trunk(mean: keras.Model, log_variance: keras.Model) -> object | None:
    """The last layer of one part on what the last layer of another reads.

    Parts that were loaded are apart: together they would compute all that is below
    their last layers twice. None if that is not equal, or no chain of layers.
    """
    layers = list(zip(mean.layers, log_variance.layers, strict=False))
    if len(mean.layers) != len(log_variance.layers) or len(layers) < 2:
        return None
    for ours, theirs in layers[:-1]:
        weights = zip(ours.get_weights(), theirs.get_weights(), strict=False)
        if ours.get_config() != theirs.get_config() or not all(
            np.array_equal(a, b) for a, b in weights
        ):
            return None
    try:
        chains = (
            all(b.input is a.output for a, b in itertools.pairwise(part.layers))
            for part in (mean, log_variance)
        )
        if not all(chains):
            return None
    except AttributeError:  # of a layer that is used more than once
        return None
    return log_variance.layers[-1](mean.layers[-2].output)
