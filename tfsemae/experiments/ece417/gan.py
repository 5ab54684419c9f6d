"""Generative adversarial networks: both losses of the generator, and both starts."""

import itertools
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tfsemae import data, metrics, statistics
from tfsemae.data import ring
from tfsemae.evaluation import gan as evaluation
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row, with_parts
from tfsemae.experiments.ece417 import bounds, gan_runs, measures, samples
from tfsemae.models import Autoencoder, Gan, distributions
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above

_SEED = 1  # of samples
_POINTS = 2_500  # of a ring
_NEAR = 3.0  # standard deviations, around a mode
_COVERED = 0.01  # share of the points near a mode from which on it is covered
_KEPT = 0.02  # share of the samples from which on a class is there
_SURE = "with a class of more than 0.9"
_DISTANCE = "Frechet distance to test images in the classifier's features"
_H = "H at the end of the training, 1.386 where the discriminator tells nothing"
_STAGES = (0.05, 0.25, 1.0)  # of the training; the slides show three epochs


class Ring(NamedTuple):
    """Points that a GAN of a ring generates.

    Attributes:
        points: float64 `[N, 2]`.
        covered: number of modes of 8 that have at least 1 % of the points.
        near: share of the points that are near a mode, %.
        loss: H at the end of the training.
    """

    points: np.ndarray
    covered: int
    near: float
    loss: float


class Images(NamedTuple):
    """Images that a GAN generates, and what a classifier makes of them.

    Attributes:
        images: float32 `[N, H, W, C]`.
        shares: of the classes, `[K]`, which add up to 1.
        sure: whether the classifier is sure, `[N]`, 1 or 0.
        distance: Frechet distance to test images in the classifier's features.
        loss: H at the end of the training.
    """

    images: np.ndarray
    shares: np.ndarray
    sure: np.ndarray
    distance: float
    loss: float


def modes(points: np.ndarray) -> tuple[int, float]:
    """How many modes of the ring have points, and how many points are near one.

    Args:
        points: `[N, 2]`.

    Returns:
        The number of modes with at least 1 % of the points within 3 standard
        deviations, and the share of all points within them, in [0, 1].
    """
    apart = np.linalg.norm(points[:, np.newaxis] - ring.modes(), axis=-1)
    near = apart <= _NEAR * ring.DEVIATION
    return int(np.sum(near.mean(axis=0) >= _COVERED)), float(near.any(axis=1).mean())


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ece417_gan`."""
    rings = {
        loss: [
            _ring(work.folder(gan_runs.ring(loss, seed, work.scale)))
            for seed in gan_runs.ring_seeds(work.scale)
        ]
        for loss in gan_runs.LOSSES
    }
    judge = samples.Judge(work)
    real, other = np.array_split(
        data.pixels(measures.load(work, "test"), 2 * samples.COUNT), 2
    )
    seen = judge.features(real)
    found = {
        key: _images(work.folder(gan_runs.gan(*key, work.scale)), judge, seen)
        for key in itertools.product(gan_runs.LOSSES, gan_runs.STARTS)
    }
    first = gan_runs.gan("minimax", "vae", work.scale)
    of_ring = gan_runs.ring("minimax", 0, work.scale)
    return {
        "rows": [
            *_ring_rows(work, rings),
            *_image_rows(work, found, f"of {len(real):,} samples of one network"),
            *_compared_rows(work, judge, seen, other),
        ],
        "claims": [*_ring_claims(rings), *_image_claims(found)],
        "pictures": [
            _draw_rings(rings, work.output_dir / "ring.png"),
            _draw_classes(found, work.output_dir / "classes.png"),
            *_draw_images(work, found),
        ],
        "choices": [
            work.choice("model", first, "no network is printed; dense ones fail"),
            work.choice("learning_rate", first, "of images; none is printed; Adam"),
            work.choice(
                "learning_rate", of_ring, "of the ring, whose modes are near each other"
            ),
            work.choice("adam_beta_1", first, "usual for GANs; none is printed"),
            work.choice(
                "gan_discriminator_steps", first, "the adversary is trained second"
            ),
        ],
    }


def _generate(gan: Gan, count: int) -> np.ndarray:
    z = evaluation.latents(gan, count, _SEED)
    return gan.generator.predict(z.numpy(), batch_size=500, verbose=0)


def _ring(folder: pathlib.Path) -> Ring:
    points = ring.points(_generate(Gan.load(folder), _POINTS))
    covered, near = modes(points)
    return Ring(points, covered, 100 * near, _loss(folder))


def _loss(folder: pathlib.Path) -> float:
    """H in training, where real and generated images are normalised apart."""
    return float(measures.log(folder)["discriminator_loss"][-1])


def _images(folder: pathlib.Path, judge: samples.Judge, seen: np.ndarray) -> Images:
    """Args: seen: features of test images, of which as many are generated."""
    images = _generate(Gan.load(folder), len(seen))
    classes = judge.probabilities(images)
    counts = np.bincount(classes.argmax(axis=1), minlength=classes.shape[1])
    distance = metrics.frechet_distance_of(judge.features(images), seen)
    return Images(
        images,
        counts / len(images),
        judge.confident(images),
        distance,
        _loss(folder),
    )


def _ring_rows(work: Workspace, rings: Mapping[str, list[Ring]]) -> Iterator[Row]:
    for loss, each in rings.items():
        name = gan_runs.LOSSES[loss]
        yield row(
            f"ring_{loss}_modes",
            f"ring, {name} loss: modes of {ring.CLASSES} that are covered",
            [of.covered for of in each],
            tag=work.tag(None),
        )
        yield row(
            f"ring_{loss}_near",
            f"ring, {name} loss: points within 3 standard deviations of a mode",
            [of.near for of in each],
            unit="%",
            tag=work.tag(None),
        )
        yield row(
            f"ring_{loss}_h",
            f"ring, {name} loss: {_H}",
            [of.loss for of in each],
            tag=work.tag(None),
        )


def _image_rows(
    work: Workspace,
    found: Mapping[tuple[str, str], Images],
    over: str,
) -> Iterator[Row]:
    for (loss, start), of in found.items():
        name = f"{gan_runs.LOSSES[loss]} loss, {gan_runs.STARTS[start]}"
        for id_, quantity, value, unit in (
            ("sure", f"samples {_SURE}", 100 * of.sure.mean(), "%"),
            ("fd_cls", _DISTANCE, of.distance, ""),
            (
                "classes",
                "classes with at least 2 % of the samples",
                np.sum(of.shares >= _KEPT),
                "",
            ),
            ("largest", "share of the most frequent class", 100 * of.shares.max(), "%"),
            ("h", _H, of.loss, ""),
        ):
            yield row(
                f"{loss}_{start}_{id_}",
                f"{quantity}: {name}",
                [float(value)],
                unit=unit,
                tag=work.tag(None),
                note=over,
            )


def _compared_rows(
    work: Workspace, judge: samples.Judge, seen: np.ndarray, other: np.ndarray
) -> Iterator[Row]:
    """Samples of the VAE before it is trained as a GAN, and other test images."""
    network = Autoencoder.load(work.folder(gan_runs.gan_start(work.scale)))
    size = network.decoder.input_shape[-1]
    z = distributions.sample_prior(len(seen), size, seed=(_SEED, 0))
    start = network.decoder.predict(z.numpy(), batch_size=500, verbose=0)
    for id_, name, shown in (
        ("start", "samples of the VAE of the start", start),
        ("images", "other test images", other),
    ):
        yield row(
            f"{id_}_sure",
            f"{name} {_SURE}",
            [100 * judge.confident(shown).mean()],
            unit="%",
            tag=work.tag(None),
        )
        distance = metrics.frechet_distance_of(judge.features(shown), seen)
        yield row(
            f"{id_}_fd_cls", f"{_DISTANCE}: {name}", [distance], tag=work.tag(None)
        )


def _ring_claims(rings: Mapping[str, list[Ring]]) -> Iterator[Claim]:
    covered = {
        loss: np.array([of.covered for of in each], float)
        for loss, each in rings.items()
    }
    over = f"t-interval over {len(covered['minimax'])} seeds"
    for loss, values in covered.items():
        yield claim(
            f"1_{loss}",
            f"A GAN of the {gan_runs.LOSSES[loss]} loss covers all modes of a ring",
            f"modes of {ring.CLASSES}; {over}",
            statistics.t_interval(values),
            Above(bounds.ALL_MODES),
            signed=False,
        )
    yield claim(
        "2",
        "The non-saturating loss covers more modes than that of the slide",
        f"modes, non-saturating minus minimax; {over}",
        statistics.t_interval(covered["nonsat"] - covered["minimax"]),
        Above(bounds.MODES),
    )


def _image_claims(found: Mapping[tuple[str, str], Images]) -> Iterator[Claim]:
    start = "A classifier is sure of more samples of a GAN that starts from a VAE"
    parts = [
        claim(
            f"3_{loss}",
            f"{start}: {name} loss",
            "share of samples with a class of more than 0.9, start from a VAE minus "
            "random start, as many steps of generator and discriminator together; "
            "95 % bootstrap interval over samples of one network",
            measures.over_images(
                100 * (found[loss, "vae"].sure - found[loss, "random"].sure)
            ),
            Above(bounds.SHARE),
            unit="percentage points",
        )
        for loss, name in gan_runs.LOSSES.items()
    ]
    yield from with_parts("3", start, parts)
    yield claim(
        "4",
        "From a random start it is sure of more samples with the non-saturating loss",
        "share of samples with a class of more than 0.9, non-saturating minus minimax "
        "loss; 95 % bootstrap interval over samples of one network",
        measures.over_images(
            100 * (found["nonsat", "random"].sure - found["minimax", "random"].sure)
        ),
        Above(bounds.SHARE),
        unit="percentage points",
    )


def _draw_rings(rings: Mapping[str, list[Ring]], path: pathlib.Path) -> Picture:
    means = ring.modes()
    panels = []
    for loss, each in rings.items():
        x, y = each[0].points[:500].T
        panels.append(
            figures.Panel(
                x_label="x",
                y_label="y",
                title=f"{gan_runs.LOSSES[loss]} loss",
                curves=[
                    figures.Curve(label="generated", x=x, y=y, line=""),
                    figures.Curve(label="modes", x=means[:, 0], y=means[:, 1], line=""),
                ],
            )
        )
    figures.curves(panels, path)
    return Picture(
        file=path.name,
        caption="500 points that a GAN generates, and the means of the modes. Seed 0.",
    )


def _draw_classes(
    found: Mapping[tuple[str, str], Images], path: pathlib.Path
) -> Picture:
    curves = [
        figures.Curve(
            label=f"{gan_runs.LOSSES[loss]}, {gan_runs.STARTS[start]}",
            x=np.arange(len(of.shares)),
            y=100 * of.shares,
            line="",  # there is nothing between two classes
        )
        for (loss, start), of in found.items()
    ]
    count = len(next(iter(found.values())).shares)
    panel = figures.Panel(
        x_label="class, by a classifier",
        y_label="samples (%)",
        curves=curves,
        levels=[("an even share", 100 / count)],
    )
    figures.curves([panel], path)
    return Picture(
        file=path.name,
        caption="How often a GAN generates which class: one network of each kind.",
    )


def _draw_images(
    work: Workspace, found: Mapping[tuple[str, str], Images]
) -> Iterator[Picture]:
    for (loss, start), of in found.items():
        name = f"{gan_runs.LOSSES[loss]} loss, {gan_runs.STARTS[start]}"
        path = work.output_dir / f"samples_{loss}_{start}.png"
        yield samples.draw(of.images, path, f"Samples of a GAN: {name}.")
        path = work.output_dir / f"stages_{loss}_{start}.png"
        stages = _stages(
            work.folder(gan_runs.gan(loss, start, work.scale)),
            gan_runs.steps_alone(start, work.scale),
        )
        figures.image_grid([(f"step {step}", each) for step, each in stages], path)
        yield Picture(
            file=path.name,
            caption="What becomes of the same latents at 5, 25 and 100 % of the steps "
            f"that train both networks, or at the nearest records: {name}.",
        )


def _stages(folder: pathlib.Path, first: int) -> list[tuple[int, np.ndarray]]:
    """Steps behind the first ones, and the images that the log shows there."""
    log = event_accumulator.EventAccumulator(
        str(folder / "tensorboard"), {event_accumulator.TENSORS: 0}
    )
    log.Reload()
    records = log.Tensors("reconstructions")
    steps = np.array([record.step for record in records])
    found = []
    for share in _STAGES:
        wanted = first + share * (steps[-1] - first)
        record = records[int(np.argmin(np.abs(steps - wanted)))]
        # Width and height, then an encoded image each: real ones above generated ones.
        encoded = tf.make_ndarray(record.tensor_proto)[2:]
        pairs = np.stack([tf.io.decode_png(each).numpy() for each in encoded])
        found.append((record.step, pairs[:, pairs.shape[1] // 2 :] / np.float32(255)))
    return found
