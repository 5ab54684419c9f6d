"""The damage that a perturbation does to an image, and when it is enough."""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

from tfsemae import metrics, objectives
from tfsemae.audit.settings import stated_damage
from tfsemae.objectives.ssim import WINDOW

#: Clean and changed images, float32 `[B, H, W, C]` -> `[B]`.
Compare: TypeAlias = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

#: Metrics of which less is more damage.
QUALITIES = ("ssim", "psnr")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Damage:
    """A metric of two images, and the value from which on the damage is done.

    Attributes:
        name: of the metric.
        threshold: its value, in its unit.
        score: grows with the damage.
        limit: the score from which on the damage is done.
        objective: what an attack maximises: differentiable, and grows as `score` does.
    """

    name: str
    threshold: float
    score: Compare
    limit: float
    objective: Compare

    @property
    def sentence(self) -> str:
        """The damage in words."""
        sign = "at most" if self.name in QUALITIES else "at least"
        unit = " dB" if self.name == "psnr" else ""
        return f"{label(self.name)} of {sign} {self.threshold:g}{unit}"

    @property
    def attacked(self) -> str:
        """The metric that attacks raise or, of a quality, lower."""
        return self.name if self.name in ("ssim", "function") else "mse"

    def reached(self, clean: tf.Tensor, changed: tf.Tensor) -> tf.Tensor:
        """Whether the damage is done, bool `[B]`; not by what is not finite."""
        return self.score(clean, changed) >= self.limit


def make(
    damage: str | tuple[Compare, float],
    image_shape: tuple[int, ...],
    lpips: Compare | None = None,
) -> Damage:
    """Makes a damage of what a user states.

    Args:
        damage: `ssim:0.5`, or a differentiable function of clean and changed images
            that grows with the damage, and the value from which on it is done.
        image_shape: (H, W, C).
        lpips: the distance, where there are weights.

    Raises:
        ValueError: if the images are too small for it, or weights are missing.
    """
    if not isinstance(damage, str):
        function, limit = damage
        return Damage(
            name="function",
            threshold=limit,
            score=function,
            limit=limit,
            objective=function,
        )
    name, value = stated_damage(damage)
    if name == "ssim" and not measures_ssim(image_shape):
        raise ValueError(
            f"--damage={damage}: SSIM needs images of at least {WINDOW} x {WINDOW} "
            f"pixels, such as --damage=mse:0.02 does not. Received: {image_shape}."
        )
    if name == "lpips" and lpips is None:
        raise ValueError(
            f"--damage={damage} needs the weights of LPIPS. Give --weights_dir."
        )
    mse = mean_squared_error
    score, limit = {
        "ssim": (one_minus_ssim, 1 - value),
        "psnr": (mse, 10 ** (-value / 10)),
        "mse": (mse, value),
        "lpips": (lpips or mse, value),
    }[name]
    return Damage(
        name=name,
        threshold=value,
        score=score,
        limit=limit,
        # The gradient of LPIPS is NaN where all features of a pixel are 0.
        objective=mse if name == "lpips" else score,
    )


def measures(
    image_shape: tuple[int, ...], damage: Damage, lpips: Compare | None
) -> dict[str, Compare]:
    """Name -> each metric that is reported of images of a shape."""
    found: dict[str, Compare] = {"mse": mean_squared_error, "psnr": metrics.psnr}
    if measures_ssim(image_shape):
        found["ssim"] = metrics.ssim
    if lpips is not None:
        found["lpips"] = lpips
    if damage.name == "function":
        found["function"] = damage.score
    return found


def measures_ssim(image_shape: tuple[int, ...]) -> bool:
    """Whether images are as large as the window of SSIM."""
    return min(image_shape[:2]) >= WINDOW


def label(name: str) -> str:
    """The name of a metric as a reader knows it."""
    return "damage" if name == "function" else name.upper()


def mean_squared_error(clean: tf.Tensor, changed: tf.Tensor) -> tf.Tensor:
    """Mean of the squared differences, `[B]`."""
    error = tf.math.squared_difference(clean, changed)
    return tf.reduce_mean(error, axis=tf.range(1, tf.rank(error)))


def one_minus_ssim(clean: tf.Tensor, changed: tf.Tensor) -> tf.Tensor:
    """1 - SSIM, `[B]`."""
    return 1 - objectives.ssim(clean, changed)
