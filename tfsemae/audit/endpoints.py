"""The model that is audited: two functions between images in [0, 1] and latents."""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from tfsemae.audit.settings import RANGES

Function: TypeAlias = Callable[[tf.Tensor], Any]
Range: TypeAlias = tuple[float, float]

_DRAWS = 8  # of a stochastic function that are averaged
_SAME = 1e-5  # by which two evaluations of a deterministic function differ at most
_SEED_STATE = "seed_generator_state"


class Endpoints:
    """Encoder and decoder on float32 images in [0, 1], whatever the model's range.

    Random functions are averaged over draws. Where the draws come from Keras' seed
    generators, all evaluations share them: common random numbers.

    A Keras encoder may take the pixels in another shape, such as [B, 784], and any
    decoder may give them so; the order is that of the pixels, row by row.

    Attributes:
        value_range: (low, high) of the pixels that the model takes and gives.
        stochastic: name of each function that is random, `encoder` or `decoder`.
        common: whether the draws of all random functions are common ones.
    """

    def __init__(
        self,
        encode: Function,
        decode: Function,
        *,
        value_range: Range = (0.0, 1.0),
        output: int | str | None = None,
    ):
        """Takes a model.

        Args:
            encode: images of the model's range `[B, H, W, C]` -> latent `[B, ...]`.
            decode: latent -> images of the model's range.
            value_range: see above.
            output: number or name of the latent among several outputs of the encoder.
        """
        self.value_range = value_range
        self.stochastic: tuple[str, ...] = ()
        self.common = True
        self._functions = {"encoder": encode, "decoder": decode}
        self._output = output
        self._image_shape: tuple[int, ...] | None = None

    def encode(self, images: tf.Tensor) -> tf.Tensor:
        """The latent of images in [0, 1]."""
        low, high = self.value_range
        pixels = _reshaped(images, _input_shape(self._functions["encoder"]))
        return self._averaged("encoder", low + (high - low) * pixels)

    def decode(self, latent: tf.Tensor) -> tf.Tensor:
        """What a latent shows, in units of [0, 1]; not clipped."""
        low, high = self.value_range
        shown = _reshaped(self._averaged("decoder", latent), self._image_shape)
        return (shown - low) / (high - low)

    def reconstruct(self, images: tf.Tensor) -> tf.Tensor:
        """The reconstruction of images in [0, 1]."""
        return self.decode(self.encode(images))

    def examine(self, images: np.ndarray) -> None:
        """Checks that model and images fit, and finds what is random.

        Args:
            images: some, float32 `[B, H, W, C]` in [0, 1].

        Raises:
            ValueError: if they do not fit, or a function gives no floating tensor.
        """
        pixels = tf.constant(images)
        self._image_shape = images.shape[1:]
        latent = _tried("encoder", self.encode, pixels)
        shown = _tried("decoder", self.decode, latent)
        if shown.shape != pixels.shape:
            raise ValueError(
                "The decoder must give images of the shape that the encoder takes. "
                f"Received: {tuple(shown.shape[1:])} for images of the shape "
                f"{tuple(pixels.shape[1:])}."
            )
        found = []
        for name, function, given in (
            ("encoder", self.encode, pixels),
            ("decoder", self.decode, latent),
        ):
            if _differs(function(given), function(given)):
                found.append(name)
        self.stochastic = tuple(found)
        self.common = all(_seed_states(self._functions[name]) for name in found)

    def _averaged(self, name: str, given: tf.Tensor) -> tf.Tensor:
        function = self._functions[name]
        if name not in self.stochastic:
            return self._called(name, function, given)
        total = tf.zeros([])
        with _same_draws(function):
            for _ in range(_DRAWS):
                total += self._called(name, function, given)
        return total / _DRAWS

    def _called(self, name: str, function: Function, given: tf.Tensor) -> tf.Tensor:
        options: Any = {"training": False} if isinstance(function, keras.Layer) else {}
        found = function(given, **options)
        found = _single(found, self._output if name == "encoder" else None, name)
        return tf.cast(found, tf.float32)


def recognised_range(
    encode: Function, decode: Function, images: np.ndarray, output: int | str | None
) -> tuple[Range, dict[str, float]]:
    """The range of pixels in which a model reconstructs images best.

    Args:
        encode: see `Endpoints`.
        decode: see `Endpoints`.
        images: float32 `[B, H, W, C]` in [0, 1].
        output: see `Endpoints`.

    Returns:
        The range; name of each range that was tried -> PSNR, dB.

    Raises:
        ValueError: if the model does not take such images.
    """
    found: dict[str, float] = {}
    for name, value_range in RANGES.items():
        model = Endpoints(encode, decode, value_range=value_range, output=output)
        model.examine(images)
        error = np.mean(np.square(model.reconstruct(images) - images))
        found[name] = float(-10 * np.log10(max(error, 1e-10)))
    finite = {name: value for name, value in found.items() if np.isfinite(value)}
    best = max(finite, key=finite.__getitem__) if finite else "0,1"
    return RANGES[best], found


def digest(functions: Sequence[Function]) -> str | None:
    """SHA-256 of the weights of Keras layers and models; None of other functions."""
    from tfsemae.models.networks import digest_of

    if all(isinstance(each, keras.Layer) and each.weights for each in functions):
        return digest_of(functions)
    return None


def _single(found: Any, output: int | str | None, name: str) -> tf.Tensor:
    """The tensor among the outputs of a function."""
    if isinstance(found, Mapping):
        keys = list(found)
        listed = ", ".join(f"{key} {_shape(found[key])}" for key in sorted(keys))
        if output is not None and output not in keys:
            raise ValueError(
                f"--latent_output={output} is none of the outputs of the {name}: "
                f"{listed}."
            )
        if output is None and len(keys) > 1:
            raise ValueError(
                f"The {name} has the outputs {listed}. Name the latent by "
                "--latent_output."
            )
        found = found[output if output is not None else keys[0]]
    elif isinstance(found, list | tuple):
        if output is None and len(found) > 1:
            raise ValueError(
                f"The {name} has {len(found)} outputs, "
                f"{', '.join(map(_shape, found))}. Name the latent among them by its "
                "number, such as --latent_output=0 for the first."
            )
        place = 0 if output is None else output
        if not str(place).isdecimal() or int(place) >= len(found):
            raise ValueError(
                f"--latent_output={output} must be a number below {len(found)}, the "
                f"number of outputs of the {name}."
            )
        found = found[int(place)]
    found = tf.convert_to_tensor(found)
    if not found.dtype.is_floating or not found.shape.rank or found.shape.rank < 2:
        raise ValueError(
            f"The {name} must give one floating tensor [B, ...]. "
            f"Received: {found.dtype.name} of the shape {found.shape}."
        )
    return found


def _input_shape(function: Function) -> tuple[int, ...] | None:
    """What a Keras model takes, where it says so: (H, W, C), (H, W) or (N,)."""
    shape = getattr(function, "input_shape", None)
    if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape[1:]):
        return shape[1:]
    return None


def _reshaped(tensor: tf.Tensor, shape: tuple[int, ...] | None) -> tf.Tensor:
    """Rows in another shape of as many numbers; others as they are."""
    own = tuple(tensor.shape[1:])
    if shape is None or own == shape or None in own:
        return tensor
    if math.prod(own) != math.prod(shape):
        return tensor
    return tf.reshape(tensor, [-1, *shape])


def _shape(tensor: Any) -> str:
    return "[B" + "".join(f", {size}" for size in tuple(tensor.shape)[1:]) + "]"


def _tried(
    name: str, function: Callable[[tf.Tensor], tf.Tensor], given: tf.Tensor
) -> tf.Tensor:
    try:
        found = function(given)
    except Exception as error:  # Keras and TensorFlow raise many of their own
        if isinstance(error, ValueError) and "--latent_output" in str(error):
            raise
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"The {name} does not take its input of the shape "
            f"[B, {', '.join(map(str, given.shape[1:]))}]: {reason}"
        ) from error
    if found.shape[0] != given.shape[0]:
        raise ValueError(
            f"The {name} must give a row for each example. Received: {found.shape} "
            f"of {given.shape}."
        )
    return found


def _differs(a: tf.Tensor, b: tf.Tensor) -> bool:
    scale = float(tf.reduce_max(tf.abs(a)))
    return bool(tf.reduce_max(tf.abs(a - b)) > _SAME * max(scale, 1e-30))


def _seed_states(function: Function) -> list[tf.Variable]:
    """The states of the seed generators of a Keras model."""
    if not isinstance(function, keras.Layer):
        return []
    return [v for v in function.variables if _SEED_STATE in v.path]


@contextlib.contextmanager
def _same_draws(function: Function) -> Any:
    """Begins with the same draws each time, and so puts them back."""
    states = _seed_states(function)
    for state in states:
        state.assign(tf.zeros_like(state))
    yield
