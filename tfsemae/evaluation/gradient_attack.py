"""The compiled steps of a gradient attack on an autoencoder."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from tfsemae import attacks, metrics
from tfsemae.attacks import objectives
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.projections import norms, per_example, unit
from tfsemae.evaluation import draws
from tfsemae.evaluation.attack_registry import Pgd
from tfsemae.models.autoencoder import Autoencoder

_RANDOM = 5  # random points of the strong attack
_FIRST_STEPS = 2  # that it takes from each of its points, before it goes on from one
_FAR_STEPS = 100
_LONGEST, _HALVINGS = 64.0, 20  # of a direction that bounds cut off
_CODES, _TARGET, _NOISE, _STARTS, _STRONG = range(5)  # streams of random numbers
Values: TypeAlias = dict[str, dict[str, tf.Tensor]]  # condition -> quantity -> [B, ...]
Tensors: TypeAlias = Mapping[str, tf.Tensor]


class GradientAttack:
    """What is attacked, towards what, and what is measured of it.

    Both steps are compiled and traced once, whatever the radius and the batch. What
    they give of an example does not depend on its batch.

    The strong attack takes two long steps from each of several points: both ends of the
    top singular vector of the attacked network, five random points and, where there
    is a target, the example. From the best point it goes on as the plain attack
    does. Its result is the better of that and of the plain attack.
    """

    def __init__(
        self,
        victim: Autoencoder,
        settings: Pgd,
        distances: Mapping[str, Callable[..., tf.Tensor]] | None = None,
    ):
        """Configures the attack.

        Args:
            victim: encoder and decoder, `log_variance` where the settings need it.
            settings: of the attack.
            distances: name -> further distance `[B]` of outputs from clean ones.

        Raises:
            ValueError: if the victim is deterministic, and a posterior is needed.
        """
        self._victim, self._settings = victim, settings
        self._distances = distances or {}
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
            "directions": settings.directions,
            "bounds": self._bounds,
        }
        if settings.path_length is not None:
            options["path_length"] = settings.path_length
        self._pgd = attacks.PGD(self._objective, **options)
        self._strong = attacks.StrongPGD(
            self._objective, self._of_tensors, restarts=0, **options
        )
        self._singular = attacks.SingularVectors(self._of_tensors)
        self.clean = self._compile(self._clean)
        self.attacked = self._compile(self._attacked, self.takes)

    @property
    def takes(self) -> tuple[str, ...]:
        """What `attacked` takes of what `clean` gives."""
        return ("point", "direction") if self._settings.strong else ("point",)

    def draws(self, seed: int) -> Callable[[int], dict[str, np.ndarray]]:
        """Begins streams of random numbers, equal ones for all radii.

        Args:
            seed: of the run.

        Returns:
            Number of examples -> what `clean` and `attacked` take for these, the
            following examples: `codes` and `noise` `[B, ...]` as points; `target`
            `[B, H, W, C]`; `starts` and `strong_starts`, displacements in the unit ball
            `[S, B, ...]`.
        """
        settings, shape = self._settings, self._point_shape
        streams = {"noise": draws.normal([seed, _NOISE], shape)}
        if settings.codes != "mean":
            streams["codes"] = draws.normal([seed, _CODES], shape)
        if settings.target == "random":
            image_shape = self._victim.image_shape
            streams["target"] = draws.uniform([seed, _TARGET], image_shape)

        def starts(stream: int, runs: int) -> draws.Stream:
            found = [
                draws.in_unit_ball([seed, stream, run], shape, settings.norm)
                for run in range(runs)
            ]
            empty = np.zeros((0, 1, *shape), np.float32)
            return lambda count: (
                np.stack([each(count) for each in found])
                if found
                else np.broadcast_to(empty, (0, count, *shape))
            )

        untargeted = settings.target is None
        streams["starts"] = starts(_STARTS, untargeted + settings.restarts)
        if settings.strong:
            streams["strong_starts"] = starts(_STRONG, _RANDOM)
        return lambda count: {name: draw(count) for name, draw in streams.items()}

    def _compile(self, step: Callable, takes: tuple[str, ...] | None = None) -> Any:
        """A function of `_batches`' arguments for batches of any size."""

        def spec(shape: tuple[int | None, ...]) -> tf.TensorSpec:
            return tf.TensorSpec(shape, tf.float32)

        image = spec((None, *self._victim.image_shape))
        drawn = {
            name: spec(
                (len(array), None, *array.shape[2:])
                if name in ("starts", "strong_starts")
                else (None, *array.shape[1:])
            )
            for name, array in self.draws(0)(1).items()
        }
        signature = [image, image, drawn]
        if takes is not None:
            point = spec((None, *self._point_shape))
            signature += [dict.fromkeys(takes, point), spec(())]
        return tf.function(step, input_signature=signature, autograph=False)

    @property
    def _point_shape(self) -> tuple[int, ...]:
        if self._settings.space == "input":
            return self._victim.image_shape
        return tuple(self._victim.encoder.output_shape[1:])

    def _clean(self, pixels: tf.Tensor, others: tf.Tensor, drawn: Tensors) -> Values:
        """The points to attack, and the spectrum of the network there.

        Args:
            pixels: float32 `[B, H, W, C]` in [0, 1].
            others: of that shape, another image for each.
            drawn: see `draws`.
        """
        point = self._points(pixels, drawn)
        image = self._image(point)
        target = self._target(point, others, drawn)
        values = {
            "point": point,
            "objective": self._objective(point, target),
            "mse": _mean_squared_error(pixels, image),
            "ssim": metrics.ssim(pixels, image),
            "brightness": tf.reduce_mean(image, axis=[1, 2, 3]),
            "output": image,
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
        drawn: Tensors,
        clean: Tensors,
        radius: tf.Tensor,
    ) -> Values:
        """The attacks of a radius, and noise.

        Args:
            pixels: see `_clean`.
            others: see `_clean`.
            drawn: see `draws`.
            clean: those of `takes`.
            radius: [].
        """
        point = clean["point"]
        image = self._image(point)
        target = self._target(point, others, drawn)
        starts = self._starts(point, drawn, radius)
        plain = self._pgd(point, target, epsilon=radius, initial=starts)
        results = {"pgd": plain}
        if self._settings.strong:
            first = self._strong(
                point,
                target,
                epsilon=radius,
                steps=tf.minimum(_FIRST_STEPS, self._settings.steps),
                initial=point + radius * drawn["strong_starts"],
                direction=clean["direction"],
            )
            further = self._pgd(
                point, target, epsilon=radius, initial=first.adversarial[tf.newaxis]
            )
            results["strong"] = self._better(plain, self._better(first, further))
        moved = {name: result.adversarial for name, result in results.items()}
        moved["noise"] = self._noisy(point, radius, drawn)
        values = {
            name: {
                "objective": self._objective(each, target),
                **self._measured(pixels, point, image, each),
            }
            for name, each in moved.items()
        }
        for name, result in results.items():
            values[name]["finite"] = tf.cast(result.finite, tf.float32)
            values[name]["flat"] = tf.cast(result.flat, tf.float32)
        return values

    def far(
        self,
        pixels: tf.Tensor,
        others: tf.Tensor,
        drawn: Tensors,
        clean: Tensors,
        radius: tf.Tensor,
    ) -> tf.Tensor:
        """The objective that a longer attack reaches, `[B]`; see `attacked`."""
        point = clean["point"]
        target = self._target(point, others, drawn)
        starts = self._starts(point, drawn, radius)
        result = self._pgd(
            point, target, epsilon=radius, initial=starts, steps=_FAR_STEPS
        )
        return result.objective

    def _starts(self, point: tf.Tensor, drawn: Tensors, radius: tf.Tensor) -> tf.Tensor:
        """Where the plain attack begins, `[S, B, ...]`."""
        random = point + radius * drawn["starts"]
        if self._settings.target is None:
            return random
        return tf.concat([point[tf.newaxis], random], axis=0)

    def _better(
        self, a: attacks.AttackResult, b: attacks.AttackResult
    ) -> attacks.AttackResult:
        """The better one for each example, of all that both saw."""
        sign = 1 if self._settings.target is None else -1
        takes = (sign * b.objective > sign * a.objective) | tf.math.is_nan(a.objective)
        return attacks.AttackResult(
            adversarial=tf.where(
                per_example(takes, a.adversarial), b.adversarial, a.adversarial
            ),
            objective=tf.where(takes, b.objective, a.objective),
            evaluations=a.evaluations + b.evaluations,
            converged=tf.where(takes, b.converged, a.converged),
            finite=a.finite & b.finite,
            flat=a.flat & b.flat,
        )

    def _measured(
        self, pixels: tf.Tensor, point: tf.Tensor, image: tf.Tensor, moved: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        changed = self._image(moved)
        values = {
            "mse": _mean_squared_error(image, changed),
            "ssim": metrics.ssim(image, changed),
            "mse_to_input": _mean_squared_error(pixels, changed),
            "ssim_to_input": metrics.ssim(pixels, changed),
            "brightness": tf.reduce_mean(changed, axis=[1, 2, 3]),
            "displacement": norms(moved - point),
            "output": changed,
        }
        for name, distance in self._distances.items():
            values[name] = distance(image, changed)
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

    def _points(self, pixels: tf.Tensor, drawn: Tensors) -> tf.Tensor:
        """What is attacked."""
        if self._settings.space == "input":
            return pixels
        if self._settings.codes == "prior":
            return drawn["codes"]
        if self._settings.codes == "mean":
            return self._victim.encoder(pixels, training=False)
        assert self._posterior is not None  # checked
        found = self._posterior(pixels, training=False)
        return found["mean"] + tf.exp(found["log_variance"] / 2) * drawn["codes"]

    def _target(self, point: tf.Tensor, others: tf.Tensor, drawn: Tensors) -> Any:
        """With what the objective compares."""
        name = self._settings.target
        if name is None:
            return self._network(point)
        if name == "reversed":
            return 1 - self._image(point)
        image = {
            "black": tf.zeros_like,
            "white": tf.ones_like,
            "random": lambda like: drawn["target"],
            "other_image": lambda like: like,
        }[name](others)
        compares_images = self._settings.objective.startswith("output")
        return image if compares_images else self._network(image)

    def _noisy(self, point: tf.Tensor, radius: tf.Tensor, drawn: Tensors) -> tf.Tensor:
        """A random point of the full radius; of Linf a corner.

        What the bounds cut off of a direction the rest of it makes good, so that the
        norm is that of the attack.
        """
        if self._settings.norm == "linf":
            return self._inside(point + radius * tf.sign(drawn["noise"]))
        direction = radius * unit(drawn["noise"])
        if self._bounds is None:
            return point + direction
        low = tf.ones_like(norms(direction))
        high = _LONGEST * low
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            moved = self._inside(point + per_example(middle, point) * direction)
            short = norms(moved - point) < radius
            low, high = tf.where(short, middle, low), tf.where(short, high, middle)
        return self._inside(point + per_example(low, point) * direction)

    def _inside(self, points: tf.Tensor) -> tf.Tensor:
        if self._bounds is None:
            return points
        return tf.clip_by_value(points, *self._bounds)


_OBJECTIVES: dict[str, Callable[[objectives.Network], Objective]] = {
    "output_mse": objectives.mean_squared_error,
    "output_ssim": objectives.one_minus_ssim,
    "latent_l2": objectives.euclidean_distance,
    "posterior_kl": objectives.posterior_kl,
}


def _mean_squared_error(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(a - b), axis=[1, 2, 3])
