"""The distributions of a variational autoencoder, by TensorFlow Probability (TFP).

The only module that imports TFP, so that another library can take its place.
"""

import math
import types
import warnings
from typing import Any

import tensorflow as tf

from tfsemae.tensor_checks import TensorLike

#: Of a pixel: the squared error, summed over an image, is then the negative logarithm
#: of the likelihood up to a constant.
LIKELIHOOD_SCALE = math.sqrt(0.5)


def posterior(mean: TensorLike, log_variance: TensorLike) -> Any:
    """The distribution of the latent of each image.

    Args:
        mean: float32 `[B, Z]`, what `Autoencoder.encoder` gives.
        log_variance: float32 `[B, Z]`, what `Autoencoder.log_variance` gives.

    Returns:
        A normal distribution of independent entries: batch shape `[B]`, event shape
        `[Z]`.

    Example:
        >>> from tfsemae.models import distributions
        >>> latents = distributions.posterior([[1.0, 0.0]], [[0.0, math.log(4)]])
        >>> prior = distributions.prior(2)
        >>> print(f"{latents.kl_divergence(prior)[0]:.4f}")
        1.3069
    """
    scale = tf.exp(tf.convert_to_tensor(log_variance) / 2)
    return _tfd().MultivariateNormalDiag(mean, scale)


def prior(latent: int) -> Any:
    """The standard normal distribution of latents: event shape `[latent]`."""
    return _tfd().MultivariateNormalDiag(tf.zeros(latent), tf.ones(latent))


def likelihood(decoded: TensorLike, scale: float = LIKELIHOOD_SCALE) -> Any:
    """The distribution of images given a latent.

    Args:
        decoded: float32 `[B, H, W, C]`, what `Autoencoder.decoder` gives.
        scale: standard deviation of a pixel.

    Returns:
        A normal distribution of independent pixels: batch shape `[B]`, event shape
        `[H, W, C]`.
    """
    return _tfd().Independent(_tfd().Normal(decoded, scale), 3)


def _tfd() -> types.ModuleType:
    # Imported late: it takes a second, and deterministic autoencoders do without.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "distutils Version classes are deprecated")
        import tensorflow_probability as tfp
    return tfp.distributions
