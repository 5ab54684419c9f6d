"""Disturbances that nobody designed, of latents and of images."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tfsemae.audit.damage import Compare
from tfsemae.audit.endpoints import Endpoints
from tfsemae.evaluation import draws
from tfsemae.metrics.two_samples import deviations

_DROPPED = 0.1  # share of the numbers of a latent
_LEVELS = 255.0  # of 8 bits


class Disturbances:
    """What happens to latents and images without an adversary."""

    def __init__(
        self,
        model: Endpoints,
        measures: Mapping[str, Compare],
        latents: np.ndarray,
        *,
        seed: int,
    ):
        """Configures them.

        Args:
            model: encoder and decoder.
            measures: name -> metric of clean and disturbed reconstruction.
            latents: float32 `[N, ...]` of all images, for their mean, deviation
                and range.
            seed: of the noise.
        """
        self._encode, self._decode, self._measures = (
            tf.function(each, autograph=False, reduce_retracing=True)
            for each in (
                model.encode,
                model.decode,
                lambda *pair: {name: f(*pair) for name, f in measures.items()},
            )
        )
        self._mean = tf.constant(latents.mean(axis=0))
        self._deviation = tf.constant(deviations(latents), tf.float32)
        self._low = tf.constant(latents.min(axis=0))
        self._high = tf.constant(latents.max(axis=0))
        self._shape, self._seed = latents.shape[1:], seed

    def numbers(self, image_shape: tuple[int, ...]) -> Callable[[int], tuple]:
        """Begins the random numbers of consecutive examples."""
        normal = draws.normal([self._seed, 20], self._shape)
        uniform = draws.uniform([self._seed, 21], self._shape)
        pixels = draws.normal([self._seed, 22], image_shape)
        return lambda count: (normal(count), uniform(count), pixels(count))

    def step(
        self,
        images: tf.Tensor,
        normal: tf.Tensor,
        uniform: tf.Tensor,
        pixel_noise: tf.Tensor,
    ) -> dict[str, dict[str, tf.Tensor]]:
        """Name of a disturbance -> metric -> `[B]`.

        Args:
            images: `[B, H, W, C]` in [0, 1].
            normal: of latents, see `numbers`.
            uniform: of latents.
            pixel_noise: of images.
        """
        latent = self._encode(images)
        clean = self._decode(latent)
        extent = self._high - self._low
        level = tf.math.divide_no_nan(latent - self._low, extent)
        level = tf.round(tf.clip_by_value(level, 0, 1) * _LEVELS) / _LEVELS
        disturbed = {
            "latent + 0.1 deviations of noise": latent + 0.1 * self._deviation * normal,
            "latent + 0.5 deviations of noise": latent + 0.5 * self._deviation * normal,
            "10 % of the latent replaced by its mean": tf.where(
                uniform < _DROPPED, self._mean, latent
            ),
            "latent rounded to 8 bits": self._low + extent * level,
            "latent as float16": _rounded(latent, tf.float16),
            "latent as bfloat16": _rounded(latent, tf.bfloat16),
            "latent x 0.9": 0.9 * latent,
            "latent x 1.1": 1.1 * latent,
        }
        noisy = tf.clip_by_value(images + 0.05 * pixel_noise, 0, 1)
        disturbed["image + noise of 0.05 of its range"] = self._encode(noisy)
        return {
            name: self._measures(clean, self._decode(each))
            for name, each in disturbed.items()
        }


def _rounded(latent: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """By NumPy: with float16 in TensorFlow, oneDNN writes an error on the terminal."""
    with np.errstate(over="ignore"):  # beyond 65,504 is infinity
        rounded = latent.numpy().astype(dtype.as_numpy_dtype)
    return tf.constant(rounded.astype(np.float32))
