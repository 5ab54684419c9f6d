"""One batch under an attack: what the attack gives, its controls, what is measured."""

import types
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import tensorflow as tf

from tfsemae import attacks, metrics
from tfsemae.attacks.projections import norms, per_example
from tfsemae.models.autoencoder import Autoencoder

#: Changes of the norm of the attack in other directions: Gaussian noise, the negated
#: change, and the change of the image before it in the batch.
CONTROLS = ("noise", "negated", "exchanged")
#: The same images as they are, attacked, and under the controls.
CONDITIONS = ("clean", "adversarial", *CONTROLS)
_GRADIENT_STEPS = 20
Values = Mapping[str, Mapping[str, tf.Tensor]]  # condition -> quantity -> `[B, ...]`


def scaled(condition: str, scale: str) -> str:
    """The name of a condition whose change is multiplied; scale 1 is itself."""
    return condition if scale == "1" else f"{condition}_scale{scale}"


class Attacked(NamedTuple):
    """What an attack makes of a batch.

    Attributes:
        adversarial: float32 `[B, H, W, C]`, not clipped.
        target_latent: float32 `[B, ...]`, to which it wants the latent to move; None
            of an attack that has no such target.
        own: what else it measures.
    """

    adversarial: tf.Tensor
    target_latent: tf.Tensor | None = None
    own: Values = types.MappingProxyType({})


class Attacking(Protocol):
    """An attack that is evaluated, made of its settings by `attack_registry`."""

    def digests(self) -> Mapping[str, str]:
        """Name -> digest of the networks that it takes besides the victim."""

    def __call__(self, pixels: tf.Tensor, normal: tf.Tensor) -> Attacked:
        """Attacks pixels float32 `[B, H, W, C]` in [0, 1].

        `normal` are standard normal numbers of the shape of the pixels, other ones
        than those of the control.
        """


def measure(
    victim: Autoencoder,
    attacking: Attacking,
    *,
    controls: bool,
    scales: Sequence[str] = (),
    gradient: bool = True,
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Values]:
    """The function that attacks a batch and measures it.

    Args:
        victim: whose latents are looked at.
        attacking: the attack.
        controls: whether `CONTROLS` are measured, and the noise at all scales.
        scales: factors of the change that are measured as well, in the conditions of
            `scaled`.
        gradient: whether `gradient` is one of the controls: a gradient attack of the
            same norm towards the target latent of an attack that has one, which shows
            how far a change of that size can take it.

    Returns:
        Function of pixels float32 `[B, H, W, C]` and two arrays of standard normal
        numbers of that shape, of the control and of the attack.
    """

    def encode(images: tf.Tensor) -> tf.Tensor:
        return victim.encoder(images, training=False)

    gradient_attack = attacks.PGD(
        lambda images, target: norms(encode(images) - target),
        epsilon=0.0,  # in the call
        steps=_GRADIENT_STEPS,
        targeted=True,
    )

    def step(pixels: tf.Tensor, normal: tf.Tensor, own_normal: tf.Tensor) -> Values:
        attacked = attacking(pixels, own_normal)
        change = attacked.adversarial - pixels
        disturbance = norms(change)
        latent = encode(pixels)

        target = attacked.target_latent

        def codes(images: tf.Tensor, scale: float = 1.0) -> dict[str, tf.Tensor]:
            moved = encode(images)
            if target is None:
                return {"latent": moved}
            return {"latent": moved, **toward(latent, target, moved, scale)}

        clipped = tf.clip_by_value(attacked.adversarial, 0.0, 1.0)
        values = {
            "clean": {"latent": latent},
            "adversarial": {
                "images": attacked.adversarial,
                "disturbance": disturbance,
                **codes(attacked.adversarial),
                **quality(pixels, attacked.adversarial),
            },
            "clipped": {"images": clipped, **quality(pixels, clipped)},
        }
        if controls:
            noisy = attacks.gaussian_noise(pixels, normal, disturbance)
            exchanged = scaled_to(tf.roll(change, 1, axis=0), disturbance)
            values["noise"] = codes(noisy)
            values["negated"] = codes(pixels - change)
            values["exchanged"] = codes(pixels + exchanged)
            if gradient and target is not None:
                reached = gradient_attack(pixels, target, epsilon=disturbance)
                values["gradient"] = codes(reached.adversarial)
        for scale in scales:
            factor = float(scale)
            images = pixels + factor * change
            values[scaled("adversarial", scale)] = codes(images, factor) | quality(
                pixels, images
            )
            if controls:
                images = pixels + factor * (noisy - pixels)
                values[scaled("noise", scale)] = codes(images, factor)
        for condition, quantities in attacked.own.items():
            values[condition] = values.get(condition, {}) | dict(quantities)
        return values

    return step


def latents_only(step: Callable[..., Values]) -> Callable[..., Values]:
    """Of what `measure` gives the latents of `CONDITIONS`.

    What is left out is not computed, but for `gradient`: TensorFlow runs the loop of an
    attack even where nothing takes its result.
    """
    return lambda *arguments: {
        condition: {"latent": quantities["latent"]}
        for condition, quantities in step(*arguments).items()
        if condition in CONDITIONS
    }


def quality(original: tf.Tensor, images: tf.Tensor) -> dict[str, tf.Tensor]:
    """PSNR (dB) and SSIM of images against the original ones, `[B]`."""
    return {
        "psnr": metrics.psnr(original, images),
        "ssim": metrics.ssim(original, images),
    }


def toward(
    latent: tf.Tensor, target: tf.Tensor, moved: tf.Tensor, scale: float
) -> dict[str, tf.Tensor]:
    """How far a latent moved towards its target, `[B]` each; NaN where both are equal.

    With the way w = target - latent and the movement m = (moved - latent) / scale,
    which in the linear limit does not depend on the scale:

    - `remaining_distance`: |m - w| / |w|, 0 where the target is reached.
    - `projection`: (m, w) / |w|**2, the share of the way that is done.
    - `cosine`: (m, w) / (|m| |w|), whether the direction is right.

    Source: Ming 2022, eq. (7).
    """
    way, movement = target - latent, (moved - latent) / scale
    length = norms(way)
    product = tf.reduce_sum(movement * way, axis=tf.range(1, tf.rank(way)))
    return {
        "remaining_distance": norms(movement - way) / length,
        "projection": product / length**2,
        "cosine": product / (length * norms(movement)),
    }


def scaled_to(change: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Scales each change to a norm: `[B, H, W, C]`, `[B]`; no change stays none."""
    factors = tf.math.divide_no_nan(size, norms(change))
    return change * per_example(factors, change)
