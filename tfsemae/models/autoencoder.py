"""An autoencoder as a set of functional Keras models."""

import contextlib
import dataclasses
import hashlib
import math
import pathlib
import re
import textwrap
from collections.abc import Sequence

import keras

from tfsemae import files, keras_state
from tfsemae.models import verification

_Shape = tuple[int, ...]
#: Keras' messages about a class that is not registered; earlier versions try to
#: import its module.
_UNREGISTERED = re.compile(
    r"Could not (?:locate|deserialize) \w+ '([^']+)'(?:\.| because its parent module)"
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
        decoder: latent -> float32 `[B, H, W, C]` in [0, 1].
        classifier: latent -> logits `[B, K]`; None in a vanilla one.
        class_names: the K classes in the order of the logits; empty without.
        log_variance: of a variational autoencoder, whose encoder gives the mean of
            the posterior: float32 `[B, H, W, C]` -> logarithm of its variance, of the
            shape of the latent; None in a deterministic one.

    Raises:
        ValueError: if a part is not such a model, or the parts do not fit each
            other.
    """

    encoder: keras.Model
    decoder: keras.Model
    classifier: keras.Model | None = None
    class_names: tuple[str, ...] = ()
    log_variance: keras.Model | None = None

    def __post_init__(self) -> None:
        """Refuses what the class does not describe."""
        object.__setattr__(self, "class_names", _names(self.class_names))
        image, latent = _ends(self.encoder, "encoder", "image", "latent")
        decoded_from, decoded = _ends(self.decoder, "decoder", "latent", "image")
        if len(image) != 3:
            raise ValueError(
                "`encoder` must take images [B, H, W, C]; one channel is added by "
                f"keras.layers.Reshape. Received: input shape {_batch(image)}."
            )
        if decoded_from != latent:
            raise ValueError(
                "`decoder` must take what `encoder` gives. Received: latent of shape "
                f"{_batch(latent)}, decoder for {_batch(decoded_from)}."
            )
        if decoded != image:
            raise ValueError(
                "`decoder` must give images of the shape that `encoder` takes. "
                f"Received: {_batch(decoded)} and {_batch(image)}."
            )
        if self.log_variance is not None:
            ends = _ends(self.log_variance, "log_variance", "image", "log variance")
            if ends != (image, latent):
                raise ValueError(
                    "`log_variance` must take and give what `encoder` does. Received: "
                    f"{_batch(ends[0])} -> {_batch(ends[1])}, encoder {_batch(image)} "
                    f"-> {_batch(latent)}."
                )
        if self.classifier is not None:
            self._check_classifier(self.classifier, latent)
        elif self.class_names:
            raise ValueError(
                "`class_names` are those of a classifier. Received: "
                f"class_names={self.class_names} without `classifier`."
            )

    def _check_classifier(self, classifier: keras.Model, latent: _Shape) -> None:
        classified, logits = _ends(classifier, "classifier", "latent", "logits")
        if classified != latent:
            raise ValueError(
                "`classifier` must take what `encoder` gives. Received: latent of "
                f"shape {_batch(latent)}, classifier for {_batch(classified)}."
            )
        if logits != (len(self.class_names),):
            raise ValueError(
                "`classifier` must give logits [B, K], one for each of `class_names`. "
                f"Received: output shape {_batch(logits)}, "
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
    ) -> "Autoencoder":
        """Makes one from Keras models that were built and trained elsewhere.

        Args:
            encoder: see the class.
            decoder: see the class.
            classifier: see the class.
            class_names: in the order of the logits; by default their numbers.
            log_variance: see the class.

        Raises:
            ValueError: if a part is not as the class describes it, or the parts
                do not fit each other.
        """
        names = _names(class_names)
        if classifier is not None and not names:
            _, logits = _ends(classifier, "classifier", "latent", "logits")
            names = tuple(str(number) for number in range(math.prod(logits)))
        return cls(encoder, decoder, classifier, names, log_variance)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the images it takes and gives."""
        return tuple(self.encoder.input_shape[1:])

    def digest(self) -> str:
        """The SHA-256 of all weights: 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for name in verification.PARTS:
            part = getattr(self, name)
            for weight in [] if part is None else part.get_weights():
                digest.update(weight.tobytes())
        return digest.hexdigest()

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
            It shares the weights, and computes once what the two parts share.

        Raises:
            ValueError: of a deterministic autoencoder.
        """
        if self.log_variance is None:
            raise ValueError(
                "A deterministic autoencoder has no posterior. Train one with "
                "--variational, or give `log_variance`."
            )
        parts = {"mean": self.encoder, "log_variance": self.log_variance}
        image = self.encoder.input
        if self.log_variance.input is image:  # layers of one graph
            outputs = {name: part.output for name, part in parts.items()}
        else:
            image = keras.Input(self.image_shape, name="image")
            outputs = {name: part(image) for name, part in parts.items()}
        return keras.Model(image, outputs, name="posterior")

    def save(self, model_dir: files.PathLike) -> None:
        """Writes each part as a `.keras` file, and `autoencoder.json`.

        Args:
            model_dir: made if it is missing. An earlier save is replaced when
                all is written, the description with the digests last.

        Raises:
            OSError: if it cannot be written; an earlier save stays.
        """
        folder = files.path(model_dir)
        parts = {
            name: getattr(self, name)
            for name in verification.PARTS
            if getattr(self, name) is not None
        }
        with contextlib.ExitStack() as stack:
            # Entered first, and so replaced last.
            described = stack.enter_context(
                files.replacing(folder / verification.DESCRIPTION)
            )
            digests = {}
            for name, part in parts.items():
                file = f"{name}.keras"
                written = stack.enter_context(files.replacing(folder / file))
                part.save(written)
                digests[file] = files.sha256(written)
            description = verification.Description(
                tuple(parts),
                self.image_shape,
                self.class_names,
                digests,
                self.digest(),
            )
            described.write_text(description.to_json(), encoding="utf-8")

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
        parts = {name: _load(folder / f"{name}.keras") for name in described.parts}
        try:
            return cls(**parts, class_names=described.class_names)
        except ValueError as error:
            raise ValueError(f"The model in {folder} does not fit: {error}") from error


def _names(class_names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(class_names, str):  # it would be taken letter by letter
        raise ValueError(
            "`class_names` must be a list such as ['0', '1'], not one string. "
            f"Received: class_names={class_names!r}."
        )
    return tuple(class_names)


def _load(path: pathlib.Path) -> keras.Model:
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras and h5py raise many of their own
        custom = _UNREGISTERED.search(str(error))
        if custom:
            raise ValueError(
                f"{path} has the custom layer or function {custom[1]!r}. Decorate it "
                "with keras.saving.register_keras_serializable() and import its "
                "module before the model is loaded."
            ) from error
        reason = textwrap.shorten(str(error), 300, placeholder=" ...")
        raise ValueError(
            f"Keras {keras.__version__} cannot load {path}, which is not damaged: "
            f"{reason}"
        ) from error


def _ends(part: keras.Model, name: str, takes: str, gives: str) -> tuple[_Shape, ...]:
    """Shapes of the input and the output of a part, without the batch."""
    if not isinstance(part, keras.Model):
        raise ValueError(
            f"`{name}` must be a Keras model. Received: {type(part).__name__}."
        )
    # A subclass has no such attributes, nor has a Sequential that is not built.
    if not (hasattr(part, "inputs") and hasattr(part, "outputs")):
        raise ValueError(
            f"`{name}` must be a functional Keras model. Wrap it: {takes} = "
            f"keras.Input(shape); {name} = keras.Model({takes}, model({takes})). "
            f"Received: {type(part).__name__} {part.name!r}."
        )
    if isinstance(part, keras.Sequential):
        tensors = part.inputs[0], part.outputs[0]
    else:  # as they are passed to the model: a tensor, a list or a dictionary
        tensors = part.input, part.output
    for tensor, role in zip(tensors, (takes, gives), strict=True):
        _check_end(tensor, f"`{name}`", role)
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)


def _check_end(tensor: object, name: str, role: str) -> None:
    if not isinstance(tensor, keras.KerasTensor):
        raise ValueError(
            f"{name} must have one input and one output, each a single tensor; select "
            f"the {role} by keras.Model(input, output). Received: "
            f"{type(tensor).__name__} of {len(keras.tree.flatten(tensor))}."
        )
    shape = tuple(tensor.shape)
    if shape[0] is not None or None in shape[1:]:
        raise ValueError(
            f"{name} must leave the batch size open and nothing else: build it on "
            f"keras.Input(shape). Received: {role} of shape {shape}."
        )
    if tensor.dtype != "float32":
        raise ValueError(
            f"{name} must take and give float32: give its input and its last layer "
            f"dtype='float32'. Received: {role} of dtype {tensor.dtype}."
        )


def _batch(shape: _Shape) -> str:
    return f"[{', '.join(['B', *map(str, shape)])}]"
