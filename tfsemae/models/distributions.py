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
GENERATORS = ("standard", "slide")
_ALGORITHM = "philox"  # the same numbers on each device


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


def sample_prior(
    count: int, latent: int, *, seed: TensorLike, generator: str = "standard"
) -> tf.Tensor:
    """Draws latents to generate images from.

    "standard" draws `z ~ N(0, I)`. "slide" draws for each latent first its mean and
    standard deviation from the prior of the lecture, `prod_k sigma_k
    exp(-(mu_k**2 + sigma_k**2 - 1) / 2)`, that is mu_k normal and sigma_k Rayleigh, and
    then `z ~ N(mu, diag(sigma**2))`: the sum of a normal and a Laplace variable, of
    variance 3 and excess kurtosis 4/3. A decoder that was trained against the standard
    normal distribution does not expect that.

    Args:
        count: of latents.
        latent: numbers of each.
        seed: two integers.
        generator: "standard" or "slide".

    Returns:
        float32 `[count, latent]`, a function of its arguments alone.

    Raises:
        ValueError: if the generator is unknown.

    Source: ECE 417, lecture 22. It calls the factor an inverse Wishart density, and
    has z ~ N(0, I) in its conclusion.
    """
    if generator not in GENERATORS:
        raise ValueError(
            f"`generator` must be one of {', '.join(GENERATORS)}. "
            f"Received: generator={generator!r}."
        )
    shape = (count, latent)
    if generator == "standard":
        return tf.random.stateless_normal(shape, seed, alg=_ALGORITHM)
    seeds = tf.unstack(tf.random.split(seed, 3, alg=_ALGORITHM), num=3)
    mean, noise = (
        tf.random.stateless_normal(shape, each, alg=_ALGORITHM) for each in seeds[:2]
    )
    # In [0, 1): its complement has a logarithm.
    uniform = tf.random.stateless_uniform(shape, seeds[2], alg=_ALGORITHM)
    return mean + tf.sqrt(-2 * tf.math.log1p(-uniform)) * noise


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
