"""What an attack minimises on an autoencoder, and the distances of what it gives."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsemae import attacks, models
from tfsemae.attacks import distances, objectives
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.projections import norms
from tfsemae.evaluation import draws, penalty_problems
from tfsemae.evaluation.attack_registry import Lbfgsb
from tfsemae.models.autoencoder import Autoencoder

_LINF_STEPS = 200
_MEASURED, _FIXED = range(2)  # streams of random numbers; the attack holds the second
_OF_POSTERIORS: dict[str, distances.Distance] = {
    "kl": distances.kl,
    "reverse_kl": distances.reverse_kl,
    "released": distances.released,
}


class _Parts:
    """The networks of an autoencoder at inference, in one precision."""

    def __init__(self, victim: Autoencoder, copy: Callable[[keras.Model], keras.Model]):
        """Args: victim: to copy. copy: of each of its models."""
        self._decoder = copy(victim.decoder)
        self._encoder = copy(
            victim.encoder if victim.log_variance is None else victim.posterior()
        )
        self._sampled = None
        if victim.sampled_posterior is not None:
            self._sampled = copy(victim.sampled_posterior)

    def decode(self, latents: tf.Tensor) -> tf.Tensor:
        """Images `[B, H, W, C]` of latents."""
        return self._decoder(latents, training=False)

    def posterior(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """`mean` and `log_variance`, of a variational autoencoder."""
        if self._sampled is None:
            return self._encoder(images, training=False)
        # In one network, where the two parts of one that was loaded are two.
        shape = tf.shape(images)[0], self._sampled.input["noise"].shape[1]
        noise = tf.zeros(shape, images.dtype)
        return self._sampled({"image": images, "noise": noise}, training=False)

    def draw(self, images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Latents that are drawn with standard normal noise `[B, Z]`."""
        if self._sampled is None:
            found = self.posterior(images)
        else:
            found = self._sampled({"image": images, "noise": noise}, training=False)
        return found["mean"] + tf.exp(found["log_variance"] / 2) * noise

    @property
    def depends_on_noise(self) -> bool:
        """Whether the posterior does."""
        return self._sampled is not None

    def encode(self, images: tf.Tensor) -> tf.Tensor:
        """Latents `[B, ...]`, the means of a variational autoencoder."""
        if self._sampled is not None:
            return self.posterior(images)["mean"]
        found = self._encoder(images, training=False)
        return found["mean"] if isinstance(found, dict) else found


class PenaltyAttack:
    """An attack on pairs of images with each of K penalties of the distortion.

    Attributes:
        penalties: C, float64 `[K]`, ascending.
        radii: those of the L-inf attack beside it, float32 `[R]`.
    """

    def __init__(self, victim: Autoencoder, settings: Lbfgsb, seed: int):
        """Configures the attack.

        Args:
            victim: encoder and decoder, `log_variance` where the settings need it.
            settings: of the attack.
            seed: of all random numbers.

        Raises:
            ValueError: if the victim is deterministic, and a posterior is needed.
        """
        self._victim, self._settings, self._seed = victim, settings, seed
        variational = victim.log_variance is not None
        self._distance = settings.distance or ("kl" if variational else "l2")
        if self._distance in _OF_POSTERIORS and not variational:
            raise ValueError(
                f"--distance={settings.distance} compares posteriors, and --model_dir "
                "has a deterministic autoencoder. Choose --distance=l2 or output."
            )
        self._variational = variational
        self._parts = _Parts(victim, lambda model: model)
        self._draws = settings.reconstructions if variational else 1
        self.penalties = penalty_problems.grid(settings)
        self.radii = np.array(settings.linf_radii(), np.float32)
        self._within = attacks.PGD(
            self._objective(self._parts),
            epsilon=0.0,  # in the call
            norm="linf",
            steps=_LINF_STEPS,
            targeted=settings.targeted,
            bounds=(0.0, 1.0),
        )
        self._solved = self._parts
        if settings.attack_dtype == "float64":
            self._solved = _Parts(victim, models.float64_copy)
        self._attack = self._search()
        image = tf.TensorSpec((None, *victim.image_shape), tf.float32)
        noise = tf.TensorSpec((None, *self._latent_shape), tf.float32)
        self._of_pair = tf.function(
            self._means, input_signature=[image, image, image, noise], autograph=False
        )

    def attacked(self, pairs: np.ndarray, first: int) -> dict[str, np.ndarray]:
        """Attacks P pairs, K problems each.

        Args:
            pairs: originals and targets, float32 `[P, 2, H, W, C]` in [0, 1].
            first: the number of the first of them.

        Returns:
            `images` float32 `[P, K, H, W, C]` in [0, 1]; `objective`, without the
            penalty, float64 `[P, K]`; `status`, `iterations` and `evaluations`, see
            `attacks.PenalizedResult`, int32 `[P, K]`.
        """
        count = len(self.penalties)
        result = self._attack(
            *self._problems(
                self._solved, pairs.astype(self._settings.attack_dtype), count
            ),
            penalty=np.tile(self.penalties, len(pairs)),
            seed=(self._seed, first),
        )
        found = {
            "images": tf.cast(result.adversarial, tf.float32),
            "objective": result.objective,
            "status": result.status,
            "iterations": result.iterations,
            "evaluations": result.evaluations,
        }
        return {
            name: values.numpy().reshape(len(pairs), count, *values.shape[1:])
            for name, values in found.items()
        }

    def within_radii(self, pairs: np.ndarray, first: int) -> np.ndarray:
        """The L-inf attack of each radius, `[P, R, H, W, C]`; see `attacked`."""
        count = len(self.radii)
        result = self._within(
            *self._problems(self._parts, pairs, count),
            epsilon=np.tile(self.radii, len(pairs)),
            seed=(self._seed, first),
        )
        shape = len(pairs), count, *self._victim.image_shape
        return result.adversarial.numpy().reshape(shape)

    def _problems(
        self, parts: _Parts, pairs: np.ndarray, count: int
    ) -> tuple[tf.Tensor, Any]:
        """Starts and aims, each `count` times."""

        def repeated(tensor: tf.Tensor) -> tf.Tensor:
            return tf.repeat(tensor, count, axis=0)

        aimed_at = pairs[:, 1] if self._settings.targeted else pairs[:, 0]
        aims = self._aims(parts, tf.constant(aimed_at))
        return repeated(pairs[:, 0]), tf.nest.map_structure(repeated, aims)

    def distances(
        self, images: np.ndarray, pairs: np.ndarray, first: int
    ) -> dict[str, np.ndarray]:
        """How far what the network gives of images is from those of their pair.

        Args:
            images: float32 `[P, K, H, W, C]`, K of each pair.
            pairs: see `attacked`.
            first: see `attacked`.

        Returns:
            L2 distances, float32 `[P, K]`, means over the draws of the latent, which
            are the same for all images of a pair: `to_target`, with its standard
            deviation `to_target_deviation`; `to_original`; `to_itself`, the image that
            the network was given.
        """
        found = []
        for number, (of_pair, (original, target)) in enumerate(
            zip(images, pairs, strict=True), start=first
        ):
            noise = draws.normal([self._seed, _MEASURED, number], self._latent_shape)
            others = original[np.newaxis], target[np.newaxis]
            found.append(self._of_pair(of_pair, *others, noise(self._draws)))
        return {name: np.stack([each[name] for each in found]) for name in found[0]}

    @property
    def _latent_shape(self) -> Sequence[int]:
        return tuple(self._victim.encoder.output_shape[1:])

    def _search(self) -> attacks.LBFGSB | attacks.Adam:
        of = self._settings
        options: dict[str, Any] = {
            "squared": of.squared_norm,
            "targeted": of.targeted,
            "batch_size": of.attack_batch_size,
            "dtype": of.attack_dtype,
        }
        objective = self._objective(self._solved)
        if of.solver == "adam":
            return attacks.Adam(
                objective, steps=of.adam_steps, learning_rate=of.adam_rate, **options
            )
        return attacks.LBFGSB(objective, maxiter=of.attack_iterations, **options)

    def _objective(self, parts: _Parts) -> Objective:
        if self._distance == "l2":
            return objectives.squared_distance(parts.encode)
        if self._distance in _OF_POSTERIORS:
            compared = _OF_POSTERIORS[self._distance]
            return objectives.posterior_distance(parts.posterior, compared)
        if not self._variational:
            return objectives.squared_distance(
                lambda images: parts.decode(parts.encode(images))
            )
        fixed = draws.normal([self._seed, _FIXED], self._latent_shape)
        if parts.depends_on_noise:
            return objectives.expected_squared_error(
                lambda images, noise: parts.decode(parts.draw(images, noise)),
                fixed(self._settings.fixed_draws),
            )
        return objectives.expected_squared_distance(
            parts.posterior, parts.decode, fixed(self._settings.fixed_draws)
        )

    def _aims(self, parts: _Parts, images: tf.Tensor) -> Any:
        """With what the objective compares: images, latents or posteriors."""
        if self._distance == "output":
            return images
        of_latents = parts.encode if self._distance == "l2" else parts.posterior
        return of_latents(images)

    def _means(
        self,
        images: tf.Tensor,
        original: tf.Tensor,
        target: tf.Tensor,
        noise: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Those of `distances`, of one pair.

        Args:
            images: `[K, H, W, C]`.
            original: `[1, H, W, C]`.
            target: `[1, H, W, C]`.
            noise: `[S, Z]`, standard normal.
        """
        parts = self._parts
        mean, scale = parts.encode(images), 0.0
        if self._variational:
            scale = tf.exp(parts.posterior(images)["log_variance"] / 2)

        def of_draw(drawn: tf.Tensor) -> tf.Tensor:
            latents = mean + scale * drawn
            if parts.depends_on_noise:
                noise = tf.broadcast_to(drawn, tf.shape(mean))
                latents = parts.draw(images, tf.ensure_shape(noise, mean.shape))
            decoded = parts.decode(latents)
            return tf.stack([norms(decoded - x) for x in (target, original, images)])

        found = tf.map_fn(of_draw, noise)  # [S, 3, K]
        means = tf.reduce_mean(found, axis=0)
        return {
            "to_target": means[0],
            "to_target_deviation": tf.math.reduce_std(found[:, 0], axis=0),
            "to_original": means[1],
            "to_itself": means[2],
        }
