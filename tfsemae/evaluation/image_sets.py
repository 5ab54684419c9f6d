"""Sets of images that are compared with each other, in batches."""

from collections.abc import Iterator

import tensorflow as tf

from tfsemae import data
from tfsemae.models.autoencoder import Autoencoder

_BATCH = 500


def of_data(images: data.Images) -> Iterator[tf.Tensor]:
    """The images, float32 `[B, H, W, C]` in [0, 1]."""
    for batch in data.batches(images, _BATCH, shuffle=False):
        yield tf.nest.flatten(batch)[0]


def reconstructed(autoencoder: Autoencoder, images: data.Images) -> Iterator[tf.Tensor]:
    """What an autoencoder makes of the images; not clipped."""
    for pixels in of_data(images):
        latents = autoencoder.encoder(pixels, training=False)
        yield autoencoder.decoder(latents, training=False)


def sampled(autoencoder: Autoencoder, count: int, *, seed: int) -> Iterator[tf.Tensor]:
    """What it makes of that many latents of the standard normal; not clipped."""
    shape = autoencoder.encoder.output_shape[1:]
    for number, first in enumerate(range(0, count, _BATCH)):
        latents = tf.random.stateless_normal(
            [min(_BATCH, count - first), *shape],
            # Beside [seed, 0] of `generation`.
            tf.constant([seed, 1 + number], tf.int64),
            alg="philox",
        )
        yield autoencoder.decoder(latents, training=False)
