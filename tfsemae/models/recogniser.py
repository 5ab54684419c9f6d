"""A recogniser: a listener, and a speller of what it has heard."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfsemae import files, keras_state, tensor_checks
from tfsemae.models import spelling, verification
from tfsemae.models.networks import checked_names, digest_of, load_model, save_models
from tfsemae.tensor_checks import TensorLike

_BATCH = 500


@dataclasses.dataclass(frozen=True)
class Recogniser:
    """Two functional Keras models that spell what an image shows, such as a spectrum.

    Attributes:
        listener: image float32 `[B, H, W, C]` in [0, 1] -> {"states": `[B, U, D]`,
            "present": bool `[B, U]`, False for padding, "features": `[B, F]`, what an
            adversary sees}.
        speller: {"states", "present", "previous": int32 `[B, L]`, the symbol before
            each letter} -> {"logits": `[B, L, A]` of the symbols, "attention":
            `[B, L, U]`, the weights of the states}.
        class_names: what is spelled, see `spelling.symbols`.

    Raises:
        ValueError: if a part is not such a model, or does not fit the names.
    """

    listener: keras.Model
    speller: keras.Model
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuses what the class does not describe."""
        object.__setattr__(self, "class_names", checked_names(self.class_names))
        heard, spelled = ("states", "present", "features"), ("logits", "attention")
        _check_names("listener", self.listener.output, heard)
        _check_names("speller", self.speller.input, (*heard[:2], "previous"))
        _check_names("speller", self.speller.output, spelled)
        states = self.listener.output["states"].shape[1:]
        length = spelling.symbols(self.class_names).shape[1]
        expected = {
            "states": states,
            "previous": (length,),
            "logits": (length, len(self.alphabet) + 1),
            "attention": (length, states[0]),
        }
        ends = {**self.speller.input, **self.speller.output}
        found = {name: tuple(ends[name].shape[1:]) for name in expected}
        if found != expected:
            raise ValueError(
                "`speller` must fit `listener` and `class_names`: shapes without the "
                f"batch are {expected}. Received: {found}."
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the images it takes."""
        return tuple(self.listener.inputs[0].shape[1:])

    @property
    def alphabet(self) -> str:
        """The letters; letter `k` is the symbol `k + 1`, and 0 ends a word."""
        return spelling.alphabet(self.class_names)

    def digest(self) -> str:
        """The SHA-256 of all weights: 64 hexadecimal digits."""
        return digest_of([self.listener, self.speller])

    @keras_state.standard()
    def forced(self) -> keras.Model:
        """Listener and speller together, which is given the letters before (forcing).

        Returns:
            A functional model {"image", "previous"} -> {"features", "logits",
            "attention"}. It shares the weights.
        """
        image = keras.Input(self.image_shape, name="image")
        before = self.speller.input["previous"]
        previous = keras.Input(before.shape[1:], dtype="int32", name="previous")
        heard = self.listener(image)
        inputs = {name: heard[name] for name in ("states", "present")}
        spelled = self.speller({**inputs, "previous": previous})
        outputs = {"features": heard["features"], **spelled}
        return keras.Model({"image": image, "previous": previous}, outputs)

    def symbols(self, images: tf.Tensor) -> tf.Tensor:
        """Spells greedily: the likeliest letter, then the likeliest behind it.

        Args:
            images: float32 `[B, H, W, C]` in [0, 1].

        Returns:
            int32 `[B, L]`; from the first end symbol on all are 0.
        """
        heard = self.listener(images, training=False)
        inputs = {name: heard[name] for name in ("states", "present")}
        length = self.speller.input["previous"].shape[1]
        rows = tf.shape(images)[0]

        def spell_one(place: tf.Tensor, found: tf.Tensor, going: tf.Tensor) -> tuple:
            previous = tf.roll(found, 1, axis=1)  # of which the last is still 0
            logits = self.speller({**inputs, "previous": previous}, training=False)
            of_place = tf.gather(logits["logits"], place, axis=1)
            letter = going * tf.argmax(of_place, axis=1, output_type=tf.int32)
            here = tf.one_hot(place, length, dtype=tf.int32)
            found += letter[:, tf.newaxis] * here
            return place + 1, found, going * tf.cast(letter != spelling.END, tf.int32)

        start = (0, tf.zeros([rows, length], tf.int32), tf.ones([rows], tf.int32))
        return tf.while_loop(lambda place, *_: place < length, spell_one, start)[1]

    def spell(self, images: TensorLike) -> list[str]:
        """What it hears in images.

        Args:
            images: floating `[N, H, W, C]` in [0, 1].

        Returns:
            N words; they need not be among `class_names`.

        Raises:
            ValueError: if the type or the rank is another.
        """
        pixels = tensor_checks.images("images", images)
        # Not kept: a compiled function would hold the networks.
        symbols = tf.function(self.symbols, reduce_retracing=True, autograph=False)
        parts = np.split(pixels.numpy(), range(_BATCH, len(pixels), _BATCH))
        found = np.concatenate([symbols(tf.constant(part)).numpy() for part in parts])
        return spelling.texts(found, self.alphabet)

    def save(self, model_dir: files.PathLike) -> None:
        """Writes `listener.keras`, `speller.keras` and `recogniser.json`.

        Args:
            model_dir: made if it is missing. An earlier save is replaced when
                all is written, the description with the digests last.

        Raises:
            OSError: if it cannot be written; an earlier save stays.
        """
        parts = {name: getattr(self, name) for name in verification.RECOGNISER_PARTS}
        save_models(
            files.path(model_dir),
            verification.RECOGNISER_DESCRIPTION,
            parts,
            lambda digests: verification.Description(
                tuple(parts), self.image_shape, self.class_names, digests, self.digest()
            ),
        )

    @classmethod
    @keras_state.standard()
    def load(cls, model_dir: files.PathLike) -> "Recogniser":
        """Reads what `save` wrote, after checking its digests.

        Args:
            model_dir: the folder.

        Returns:
            The recogniser, with equal weights; it is not compiled.

        Raises:
            ValueError: if the folder holds no finished model or a damaged one.
        """
        folder = files.path(model_dir)
        described = verification.verify_recogniser(folder)
        listener, speller = (
            load_model(folder / f"{each}.keras") for each in described.parts
        )
        return cls(listener, speller, described.class_names)


def _check_names(part: str, tensors: object, expected: tuple[str, ...]) -> None:
    if not isinstance(tensors, dict) or set(tensors) != set(expected):
        names = sorted(tensors) if isinstance(tensors, dict) else tensors
        raise ValueError(
            f"`{part}` must have the named tensors {', '.join(expected)}. "
            f"Received: {names}."
        )
