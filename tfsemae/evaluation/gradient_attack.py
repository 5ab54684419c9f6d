"""The compiled steps of a gradient attack on an autoencoder."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tfsemae import attacks, metrics
from tfsemae.attacks import objectives
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.projections import norms, unit
from tfsemae.evaluation.attack_registry import Pgd
from tfsemae.models.autoencoder import Autoencoder

_RESTARTS = 5  # of the strong attack
_FAR_STEPS = 100
_CODES, _TARGET, _NOISE = range(3)  # streams of random numbers
Values = dict[str, dict[str, tf.Tensor]]  # condition -> quantity -> `[B, ...]`


class GradientAttack:
    """What is attacked, towards what, and what is measured of it.

    Both steps are compiled and traced once, whatever the radius.
    """

    def __init__(self, victim: Autoencoder, settings: Pgd):
        """Configures the attack.

        Args:
            victim: encoder and decoder, `log_variance` where the settings need it.
            settings: of the attack.

        Raises:
            ValueError: if the victim is deterministic, and a posterior is needed.
        """
        self._victim, self._settings = victim, settings
        needed = {"--codes": settings.codes, "--objective": settings.objective}
        for flag, value in needed.items():
            if value.startswith("posterior") and victim.log_variance is None:
                raise ValueError(
                    f"{flag}={value} needs a variational autoencoder, and --model_dir "
                    "has a deterministic one. Choose another value."
                )
        self._bounds = (0.0, 1.0) if settings.space == "input" else None
        variational = victim.log_variance is not None
        self._posterior = victim.posterior() if variational else None
        self._objective = _OBJECTIVES[settings.objective](self._network)
        options: dict[str, Any] = {
            "epsilon": 0.0,  # in the call
            "norm": settings.norm,
            "steps": settings.steps,
            "step_norm": settings.step_norm,
            "momentum": settings.momentum,
            "targeted": settings.target is not None,
            "gradient": settings.gradient,
            "bounds": self._bounds,
        }
        self._pgd = attacks.PGD(self._objective, restarts=settings.restarts, **options)
        self._strong = attacks.StrongPGD(
            self._objective, self._of_tensors, restarts=_RESTARTS, **options
        )
        self._singular = attacks.SingularVectors(self._of_tensors)
        self.clean = tf.function(self._clean, autograph=False, reduce_retracing=True)
        self.attacked = tf.function(
            self._attacked, autograph=False, reduce_retracing=True
        )

    @property
    def takes(self) -> tuple[str, ...]:
        """What `attacked` takes of what `clean` gives."""
        return ("point", "direction") if self._settings.strong else ("point",)

    def _clean(self, pixels: tf.Tensor, others: tf.Tensor, seed: tf.Tensor) -> Values:
        """The points to attack, and the spectrum of the network there.

        Args:
            pixels: float32 `[B, H, W, C]` in [0, 1].
            others: of that shape, another image for each.
            seed: int64 [2], of this batch.
        """
        point = self._points(pixels, seed)
        image = self._image(point)
        target = self._target(point, others, seed)
        values = {
            "point": point,
            "objective": self._objective(point, target),
            "mse": _mean_squared_error(pixels, image),
            "ssim": metrics.ssim(pixels, image),
            "brightness": tf.reduce_mean(image, axis=[1, 2, 3]),
        }
        if self._settings.strong:
            top = self._singular(point)
            values["singular_value"] = top.values[:, 0]
            values["direction"] = top.right[:, 0]
        return {"clean": values}

    def _attacked(
        self,
        pixels: tf.Tensor,
        others: tf.Tensor,
        seed: tf.Tensor,
        clean: Mapping[str, tf.Tensor],
        radius: tf.Tensor,
    ) -> Values:
        """The attacks of a radius, and noise.

        Args:
            pixels: see `_clean`.
            others: see `_clean`.
            seed: see `_clean`; equal for all radii, so that the random points have
                equal directions.
            clean: those of `takes`.
            radius: [].
        """
        point = clean["point"]
        target = self._target(point, others, seed)
        image = self._image(point)
        results = {"pgd": self._pgd(point, target, epsilon=radius, seed=seed)}
        if self._settings.strong:
            results["strong"] = self._strong(
                point, target, epsilon=radius, seed=seed, direction=clean["direction"]
            )
        values = {
            name: {
                **self._measured(point, image, result.adversarial, target),
                "finite": tf.cast(result.finite, tf.float32),
                "flat": tf.cast(result.flat, tf.float32),
            }
            for name, result in results.items()
        }
        noisy = self._noisy(point, radius, seed)
        return values | {"noise": self._measured(point, image, noisy, target)}

    def far(
        self,
        pixels: tf.Tensor,
        others: tf.Tensor,
        seed: tf.Tensor,
        clean: Mapping[str, tf.Tensor],
        radius: tf.Tensor,
    ) -> tf.Tensor:
        """The objective that a longer attack reaches, `[B]`; see `attacked`."""
        target = self._target(clean["point"], others, seed)
        result = self._pgd(
            clean["point"], target, epsilon=radius, seed=seed, steps=_FAR_STEPS
        )
        return result.objective

    def _measured(
        self, point: tf.Tensor, image: tf.Tensor, moved: tf.Tensor, target: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        changed = self._image(moved)
        values = {
            "objective": self._objective(moved, target),
            "mse": _mean_squared_error(image, changed),
            "ssim": metrics.ssim(image, changed),
            "brightness": tf.reduce_mean(changed, axis=[1, 2, 3]),
            "displacement": norms(moved - point),
        }
        if self._settings.space == "latent":
            values["point"] = moved
        return values

    def _network(self, points: tf.Tensor) -> Any:
        """What the objective compares: images, latents or posteriors."""
        if self._settings.objective == "posterior_kl":
            assert self._posterior is not None  # checked
            return self._posterior(points, training=False)
        return self._of_tensors(points)

    def _of_tensors(self, points: tf.Tensor) -> tf.Tensor:
        """The same, of a posterior the mean."""
        if self._settings.objective in ("latent_l2", "posterior_kl"):
            return self._victim.encoder(points, training=False)
        return self._image(points)

    def _image(self, points: tf.Tensor) -> tf.Tensor:
        """What the network shows of points, float32 `[B, H, W, C]`."""
        if self._settings.space == "input":
            points = self._victim.encoder(points, training=False)
        return self._victim.decoder(points, training=False)

    def _points(self, pixels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """What is attacked."""
        if self._settings.space == "input":
            return pixels
        mean = self._victim.encoder(pixels, training=False)
        if self._settings.codes == "mean":
            return mean
        normal = tf.random.stateless_normal(
            tf.shape(mean), _stream(seed, _CODES), alg="philox"
        )
        if self._settings.codes == "prior":
            return normal
        assert self._posterior is not None  # checked
        log_variance = self._posterior(pixels, training=False)["log_variance"]
        return mean + tf.exp(log_variance / 2) * normal

    def _target(self, point: tf.Tensor, others: tf.Tensor, seed: tf.Tensor) -> Any:
        """With what the objective compares."""
        name = self._settings.target
        if name is None:
            return self._network(point)
        if name == "reversed":
            return 1 - self._image(point)
        image = {
            "black": tf.zeros_like,
            "white": tf.ones_like,
            "random": lambda like: tf.random.stateless_uniform(
                tf.shape(like), _stream(seed, _TARGET), alg="philox"
            ),
            "other_image": lambda like: like,
        }[name](others)
        compares_images = self._settings.objective.startswith("output")
        return image if compares_images else self._network(image)

    def _noisy(self, point: tf.Tensor, radius: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A random point of the full radius; of Linf a corner."""
        normal = tf.random.stateless_normal(
            tf.shape(point), _stream(seed, _NOISE), alg="philox"
        )
        linf = self._settings.norm == "linf"
        moved = point + radius * (tf.sign(normal) if linf else unit(normal))
        return moved if self._bounds is None else tf.clip_by_value(moved, *self._bounds)


_OBJECTIVES: dict[str, Callable[[objectives.Network], Objective]] = {
    "output_mse": objectives.mean_squared_error,
    "output_ssim": objectives.one_minus_ssim,
    "latent_l2": objectives.euclidean_distance,
    "posterior_kl": objectives.posterior_kl,
}


def _mean_squared_error(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(a - b), axis=[1, 2, 3])


def _stream(seed: tf.Tensor, number: int) -> tf.Tensor:
    return tf.random.fold_in(seed, tf.constant(number, tf.int64))
