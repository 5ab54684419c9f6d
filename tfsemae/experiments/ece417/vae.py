"""The variational autoencoder of the lecture and its two generators.

E = E_f + E_g, of one z ~ N(mu, diag(sigma^2)) for each image:
E_f = 1/2 sum_k (mu_k^2 + sigma_k^2 - ln sigma_k^2 - 1)
E_g = 1/2 sum_j (x_j - g_j(z))^2
"""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfsemae import data, metrics, objectives
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row, with_parts
from tfsemae.experiments.ece417 import bounds, measures, runs, samples
from tfsemae.models import Autoencoder, distributions, linear
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Below, Within

_USED = 0.01  # nats, mean divergence from which on a latent is used
_BATCH = 1_000
_SEED = (0, 0)  # of samples
_OVER_SAMPLES = f"{samples.COUNT:,} samples each; 95 % bootstrap interval over samples"
_GENERATORS = {
    "standard": "VAE, z ~ N(0, I)",
    "slide": "VAE, z of the slide's prior",
    "fitted": "autoencoder, z normal with the mean and covariance of its codes",
}


class Loss(NamedTuple):
    """The loss of a variational autoencoder, by image.

    Attributes:
        divergences: KL of each latent, float64 `[N, Q]`; their sum is E_f.
        errors: E_g, float64 `[N]`.
    """

    divergences: np.ndarray
    errors: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """E, `[N]`."""
        return self.divergences.sum(axis=1) + self.errors


def loss(network: Autoencoder, images: np.ndarray) -> Loss:
    """E_f and E_g of images, one latent drawn for each.

    Args:
        network: variational.
        images: float32 `[N, H, W, C]` in [0, 1].
    """
    posterior = network.posterior()
    divergences, errors = [], []
    for first in range(0, len(images), _BATCH):
        x = tf.constant(images[first : first + _BATCH])
        found = posterior(x, training=False)
        mean, log_variance = found["mean"], found["log_variance"]
        normal = tf.random.stateless_normal(mean.shape, (first, 1), alg="philox")
        z = mean + tf.exp(log_variance / 2) * normal
        # One entry at a time: an example is a latent here.
        entries = [tf.reshape(each, [-1, 1]) for each in (mean, log_variance)]
        each = objectives.kl_to_standard_normal(*entries)
        divergences.append(tf.reshape(each, mean.shape))
        decoded = network.decoder(z, training=False)
        errors.append(objectives.half_squared_error(x, decoded))
    return Loss(
        np.concatenate(divergences).astype(np.float64),
        np.concatenate(errors).astype(np.float64),
    )


def fitted_samples(network: Autoencoder, images: np.ndarray) -> np.ndarray:
    """Decodes latents of the normal distribution with the moments of the codes.

    Args:
        network: deterministic.
        images: whose codes are taken.
    """
    codes = network.encoder.predict(images, batch_size=_BATCH, verbose=0)
    covariance = np.atleast_2d(np.cov(codes, rowvar=False))
    z = np.random.default_rng(_SEED).multivariate_normal(
        codes.mean(axis=0), covariance, samples.COUNT, method="eigh"
    )
    return _decoded(network, z.astype(np.float32))


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ece417_vae`."""
    pixels = {
        split: data.pixels(measures.load(work, split)) for split in ("train", "test")
    }
    judge = samples.Judge(work)
    networks = {
        latent: Autoencoder.load(work.folder(runs.variational(latent, work.scale)))
        for latent in runs.VARIATIONAL_SIZES
    }
    losses = {q: loss(network, pixels["test"]) for q, network in networks.items()}
    generated = {
        q: _generate(work, network, pixels["train"]) for q, network in networks.items()
    }
    sure = {
        q: {name: judge.confident(images) for name, images in each.items()}
        for q, each in generated.items()
    }
    of_linear = _Linear(work, pixels["train"])
    first = runs.variational(runs.VARIATIONAL_SIZES[0], work.scale)
    return {
        "rows": [
            *_loss_rows(work, losses),
            *of_linear.rows(work),
            *_sample_rows(work, sure, judge.confident(pixels["test"])),
            *_distance_rows(work, generated, pixels["test"], judge),
        ],
        "claims": [*of_linear.claims(), *_claims(sure)],
        "pictures": [
            _draw_losses(work),
            of_linear.draw(losses, work.output_dir / "divergences.png"),
            *_draw_samples(work, generated),
        ],
        "choices": [
            work.choice("hidden", first, "no layers are printed"),
            work.choice("learning_rate", first, "no rate is printed; Adam"),
            work.choice("seed", first, "one network of each size"),
        ],
    }


def _decoded(network: Autoencoder, latents: np.ndarray) -> np.ndarray:
    return network.decoder.predict(latents, batch_size=_BATCH, verbose=0)


def _generate(
    work: Workspace, network: Autoencoder, images: np.ndarray
) -> dict[str, np.ndarray]:
    """Samples by the name of the generator."""
    latent = network.encoder.output_shape[-1]
    found = {}
    for generator in distributions.GENERATORS:
        z = distributions.sample_prior(
            samples.COUNT, latent, seed=_SEED, generator=generator
        )
        found[generator] = _decoded(network, z.numpy())
    plain = Autoencoder.load(work.folder(runs.autoencoder(latent, work.scale)))
    return found | {"fitted": fitted_samples(plain, images)}


class _Linear:
    """The linear variational autoencoder, and its minimum by eigenvalues."""

    def __init__(self, work: Workspace, images: np.ndarray):
        self._latent = runs.VARIATIONAL_SIZES[-1]
        run = runs.variational(self._latent, work.scale, linear=True)
        self._loss = loss(Autoencoder.load(work.folder(run)), images)
        self._minimum = linear.variational(_covariance(images), self._latent)
        self._used = np.sum(self._loss.divergences.mean(axis=0) > _USED)
        self._above = np.sum(self._minimum.divergences > 0)

    def rows(self, work: Workspace) -> Iterator[Row]:
        """Its loss and its used latents, and the minimum."""
        for id_, quantity, value in (
            ("linear_loss", "E of a linear VAE, training images", self._loss.total),
            ("linear_minimum", "its minimum, by eigenvalues", self._minimum.error),
            (
                "linear_used",
                f"latents of {self._latent} that a linear VAE uses",
                self._used,
            ),
            (
                "eigenvalues",
                f"eigenvalues above 1 of the first {self._latent}",
                self._above,
            ),
        ):
            yield row(id_, quantity, [float(np.mean(value))], tag=work.tag(None))

    def claims(self) -> Iterator[Claim]:
        """It reaches the minimum, and drops latents of little variance."""
        minimum = self._minimum.error
        yield claim(
            "1",
            "A linear VAE reaches the minimum that eigenvalues give",
            "loss on the training images, of which the minimum is, beside it; of one "
            "network, not sampled",
            measures.exactly(100 * (self._loss.total.mean() / minimum - 1)),
            Within(bounds.MINIMUM),
            unit="%",
            note="with one draw of z; below 0 by chance only",
        )
        yield claim(
            "2",
            "It uses a latent for each eigenvalue above 1, the variance of the noise",
            "used latents minus eigenvalues above 1; of one network, not sampled",
            measures.exactly(self._used - self._above),
            Within(bounds.LATENTS),
        )

    def draw(self, losses: Mapping[int, Loss], path: pathlib.Path) -> Picture:
        """Mean divergences of the latents, in descending order."""
        found = {
            "half the logarithm of the eigenvalues": self._minimum.divergences,
            "linear VAE": self._loss.divergences.mean(axis=0),
            "deep VAE": losses[self._latent].divergences.mean(axis=0),
        }
        curves = [
            figures.Curve(
                label=label, x=np.arange(1, len(each) + 1), y=np.sort(each)[::-1]
            )
            for label, each in found.items()
        ]
        panel = figures.Panel(
            x_label="latent, in descending order",
            y_label="mean divergence from the prior (nats)",
            curves=curves,
        )
        figures.curves([panel], path)
        return Picture(
            file=path.name,
            caption="Mean divergence of each latent from the prior. A linear VAE drops "
            "directions of a variance of at most 1, that of the noise.",
        )


def _covariance(images: np.ndarray) -> np.ndarray:
    flat = images.reshape(len(images), -1).astype(np.float64)
    flat -= flat.mean(axis=0)
    found = flat.T @ flat / len(flat)
    return (found + found.T) / 2  # exactly symmetric


def _loss_rows(work: Workspace, losses: Mapping[int, Loss]) -> Iterator[Row]:
    for latent, of in losses.items():
        of_latents = of.divergences.mean(axis=0)
        for id_, quantity, value in (
            ("ef", "E_f, divergence from the prior (nats)", of_latents.sum()),
            ("eg", "E_g, half the squared error", of.errors.mean()),
            ("used", "used latents", np.sum(of_latents > _USED)),
        ):
            yield row(
                f"vae{latent}_{id_}",
                f"VAE of {latent} latents: {quantity}",
                [float(value)],
                tag=work.tag(None),
                note=f"mean over {len(of.errors):,} test images",
            )


def _sample_rows(
    work: Workspace, sure: Mapping[int, Mapping[str, np.ndarray]], real: np.ndarray
) -> Iterator[Row]:
    what = f"samples with a class of more than {samples.CONFIDENT}"
    for latent, each in sure.items():
        for name, values in each.items():
            yield row(
                f"sure{latent}_{name}",
                f"{what}: {_GENERATORS[name]}, {latent} latents",
                [100 * values.mean()],
                unit="%",
                tag=work.tag(None),
                note=f"of {len(values):,} samples",
            )
    yield row(
        "sure_images",
        "test images with a class of more than 0.9",
        [100 * real.mean()],
        unit="%",
        tag=work.tag(None),
    )


def _distance_rows(
    work: Workspace,
    generated: Mapping[int, Mapping[str, np.ndarray]],
    real: np.ndarray,
    judge: samples.Judge,
) -> Iterator[Row]:
    """What the share does not tell: whether samples are distributed as images are."""
    features = judge.features(real[: samples.COUNT])
    for latent, each in generated.items():
        for name, images in each.items():
            yield row(
                f"fd_cls{latent}_{name}",
                f"Frechet distance in the classifier's features: {_GENERATORS[name]}, "
                f"{latent} latents",
                [metrics.frechet_distance_of(judge.features(images), features)],
                tag=work.tag(None),
                note=f"of {len(images):,} samples to {len(features):,} test images",
            )


def _claims(sure: Mapping[int, Mapping[str, np.ndarray]]) -> Iterator[Claim]:
    better = "A classifier is sure of samples of a VAE more often than of an "
    better += "autoencoder's"
    worse = (
        "It is sure of samples of z of the slide's prior, of variance 3, less often "
    )
    worse += "than of N(0, I)"
    for id_, statement, names, rule in (
        ("3", better, ("standard", "fitted"), Above(bounds.SHARE)),
        ("4", worse, ("slide", "standard"), Below(-bounds.SHARE)),
    ):
        parts = [
            claim(
                f"{id_}_{latent}",
                f"{statement}: {latent} latents",
                f"share of samples with a class of more than {samples.CONFIDENT}, "
                f"{_GENERATORS[names[0]]} minus {_GENERATORS[names[1]]}; "
                f"{_OVER_SAMPLES}",
                measures.over_images(100 * (each[names[0]] - each[names[1]])),
                rule,
                unit="percentage points",
            )
            for latent, each in sure.items()
        ]
        yield from with_parts(id_, statement, parts)


def _draw_losses(work: Workspace) -> Picture:
    panels = []
    for latent in runs.VARIATIONAL_SIZES:
        log = measures.log(work.folder(runs.variational(latent, work.scale)))
        curves = [
            figures.Curve(label="E_f", x=log["step"], y=log["regularizer_loss"]),
            figures.Curve(label="E_g", x=log["step"], y=log["reconstruction_loss"] / 2),
        ]
        panels.append(
            figures.Panel(
                x_label="training step",
                y_label="mean over the batch",
                title=f"{latent} latents",
                curves=curves,
            )
        )
    path = work.output_dir / "losses.png"
    figures.curves(panels, path)
    return Picture(file=path.name, caption="E_f and E_g while a VAE trains.")


def _draw_samples(
    work: Workspace, generated: Mapping[int, Mapping[str, np.ndarray]]
) -> Iterator[Picture]:
    for latent, each in generated.items():
        for name, images in each.items():
            yield samples.draw(
                images,
                work.output_dir / f"samples{latent}_{name}.png",
                f"Samples: {_GENERATORS[name]}, {latent} latents.",
            )
