"""Gradient attacks on a trained autoencoder over a grid of radii, beside noise.

For each radius there are up to three conditions: `pgd`, the attack as it is configured;
`strong`, which also begins along the top singular vector of the attacked network and
from random points; and `noise`, a random direction of the full length. What the network
gives then is compared with what it gives of the example itself, and with the image.
"""

import functools
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfsemae import data, devices, keras_state, metrics, run_folder
from tfsemae.evaluation import loading, perceptual, sanity
from tfsemae.evaluation.arrays import (
    MEASUREMENTS_FILE,
    Shards,
    compute,
    mean_of_finite,
    whole,
    write_npz,
)
from tfsemae.evaluation.attack_settings import Settings
from tfsemae.evaluation.checks import check_images
from tfsemae.evaluation.classifier_features import ClassifierFeatures
from tfsemae.evaluation.gradient_attack import GradientAttack, Values
from tfsemae.metrics import two_samples
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.run_folder import Metrics

_CLEAN = "clean"
_HUGE = 10.0  # radius in units of the spread, with which a target should be reached
_HUGE_EXAMPLES = 100  # of which that is tried
_OUTPUTS = 500  # examples whose outputs are compared as a set
_PICTURES = 10  # examples of which the outputs are kept


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> Metrics:
    """Attacks in a folder that is locked; see `evaluation.attack_run`."""
    devices.set_threads(settings.run.threads)
    victim = Autoencoder.load(settings.run.model_dir)
    weights_dir = settings.pgd.weights_dir
    lpips = perceptual.distances(
        weights_dir, victim.image_shape, settings.pgd.lpips_nets or perceptual.NETS
    )
    attack = GradientAttack(victim, settings.pgd, lpips)
    images, indices = loading.chosen(settings)
    check_images(victim, images)
    features = _features(settings.pgd.classifier_dir, images)
    digests = {
        "images": images.digest(),
        "network": victim.digest(),
        "lpips": perceptual.digest(weights_dir),
    }
    if features is not None:
        digests["classifier"] = features.classifier.digest()
    run_folder.check_inputs(folder, digests)
    identity = [*digests.values(), *run_folder.identity(settings)]

    def shards(name: str) -> Shards:
        return Shards(folder / "arrays" / name, [name, *identity])

    if not lpips:
        note("LPIPS is not measured, since no --weights_dir names its weights.")
    following = data.take(images, np.roll(np.arange(len(images)), -1))
    batches = functools.partial(_batches, images, following, settings.run.batch_size)
    draws = functools.partial(attack.draws, settings.run.seed)
    done = {_CLEAN: shards(_CLEAN)}
    note(f"Encoding {len(images)} images.")
    clean = _few_outputs(attack.clean, _OUTPUTS)
    compute(clean, batches(draws()), done[_CLEAN], total=len(images))
    points = _finite_rows(done[_CLEAN].read(_CLEAN, "point"))
    points = points.reshape(len(points), -1)
    found: Metrics = {
        "examples": len(images),
        "spread": math.sqrt(two_samples.total_variance(points)),
        "deviation": two_samples.deviations(points).tolist(),
        **_measured(done[_CLEAN], lpips, diverse=True),
    }
    frechet = None
    if features is not None:
        outputs = _finite_rows(done[_CLEAN].read(_CLEAN, "output"))
        frechet = _distances_from(outputs, features)
        described = {**features.described(), "samples": len(outputs)}
        found["classifier_features"] = described
    radii = settings.pgd.radii()
    greatest = {relative: name for name, (_, relative) in radii.items()}.values()
    for name, (number, relative) in radii.items():
        radius = number * (found["spread"] if relative else 1.0)
        note(f"Attacking {len(images)} images, radius {radius:.3g}.")
        done[name] = shards(name)
        attacked = batches(draws(), done[_CLEAN], attack.takes, radius)
        as_set = name in greatest or frechet is not None
        step = _few_outputs(attack.attacked, _OUTPUTS if as_set else _PICTURES)
        compute(step, attacked, done[name], total=len(images))
        for condition, quantities in _measured(
            done[name], lpips, frechet, diverse=name in greatest
        ).items():
            found[f"{condition}_{name}"] = {"radius": radius, **quantities}
    radius = _HUGE * found["spread"]
    attacked = batches(draws(), done[_CLEAN], attack.takes, radius)
    found["huge"] = {"radius": radius, "objective": _reached(attack, attacked)}
    found["warnings"] = sanity.warnings(found, settings.pgd)
    for warning in found["warnings"]:
        note(f"Warning: {warning}")
    _write(folder / MEASUREMENTS_FILE, done, {"indices": indices})
    for each in done.values():
        each.remove()
    (folder / "arrays").rmdir()
    return found


def _features(
    classifier_dir: str | None, images: data.Images
) -> ClassifierFeatures | None:
    if classifier_dir is None:
        return None
    features = ClassifierFeatures.load(classifier_dir)
    features.check(images)
    return features


def _distances_from(
    clean: np.ndarray, features: ClassifierFeatures
) -> Callable[[np.ndarray], dict[str, float]]:
    """Frechet distances of outputs from clean ones."""
    names = {
        "output_frechet_distance": "features",
        "output_frechet_distance_of_logits": "logits",
    }
    of_clean = {
        output: features.moments_of([clean], output=output) for output in names.values()
    }

    def distances(outputs: np.ndarray) -> dict[str, float]:
        return {
            name: features.moments_of([outputs], output=output).frechet_distance(
                of_clean[output]
            )
            for name, output in names.items()
        }

    return distances


def _batches(
    images: data.Images,
    following: data.Images,
    size: int,
    draws: Callable[[int], Mapping[str, np.ndarray]],
    clean: Shards | None = None,
    takes: Sequence[str] = (),
    radius: float | None = None,
) -> Iterator[tuple]:
    """Arguments of `GradientAttack.clean` and, with a radius, of `attacked`.

    Args:
        images: that are attacked.
        following: of each the next one, which is another image.
        size: of a batch.
        draws: `GradientAttack.draws`, at its beginning.
        clean: what `clean` gave.
        takes: quantities of these that the attack takes.
        radius: of the ball.

    Yields:
        The number of the first example, and the arguments.
    """
    pairs = zip(
        data.batches(images, size, shuffle=False),
        data.batches(following, size, shuffle=False),
        strict=True,
    )
    known = {} if clean is None else {key: clean.read(_CLEAN, key) for key in takes}
    first = 0
    for pair in pairs:
        pixels, others = (tf.nest.flatten(batch)[0] for batch in pair)
        rows = slice(first, first + len(pixels))
        arguments = [
            pixels,
            others,
            tf.nest.map_structure(tf.constant, draws(len(pixels))),
        ]
        if radius is not None:
            of_rows = {key: tf.constant(values[rows]) for key, values in known.items()}
            arguments += [of_rows, tf.constant(radius, tf.float32)]
        yield (*arguments, first)
        first = rows.stop


def _few_outputs(step: Callable[..., Values], count: int) -> Callable[..., Values]:
    """A step that keeps `count` outputs, and takes the first example's number, last."""

    def limited(*arguments: Any) -> Values:
        *rest, first = arguments
        values = step(*rest)
        for quantities in values.values():
            quantities["output"] = quantities["output"][: max(0, count - first)]
        return values

    return limited


def _reached(attack: GradientAttack, batches: Iterator[tuple]) -> float | None:
    """The mean objective after a long attack on the first examples."""
    found: list[float] = []
    while len(found) < _HUGE_EXAMPLES and (batch := next(batches, None)):
        found += attack.far(*batch[:-1]).numpy().tolist()
    return mean_of_finite(np.array(found[:_HUGE_EXAMPLES]))


def _measured(
    shards: Shards,
    lpips: perceptual.Distances,
    frechet: Callable[[np.ndarray], dict[str, float]] | None = None,
    *,
    diverse: bool,
) -> dict[str, dict[str, float | None]]:
    """Condition -> quantity -> mean, or of the finite outputs as a set."""
    found = _means(shards)
    for condition, quantities in found.items():
        outputs = _finite_rows(shards.read(condition, "output").astype(np.float32))
        if len(outputs) < 2:
            continue
        if diverse:
            quantities["output_diversity"] = metrics.mean_pairwise_distance(outputs)
        if diverse and lpips:
            of_pairs = perceptual.diversity(lpips, outputs)
            quantities["output_diversity_lpips"] = of_pairs
        if frechet:
            quantities |= frechet(outputs)
    return found


def _finite_rows(values: np.ndarray) -> np.ndarray:
    """The examples of `[N, ...]` of which all numbers are finite."""
    return values[np.isfinite(values).all(axis=tuple(range(1, values.ndim)))]


def _means(shards: Shards) -> dict[str, dict[str, float | None]]:
    """Condition -> quantity -> mean over the examples of which it is finite."""
    means: dict[str, dict[str, float | None]] = {}
    for condition, quantity in shards.quantities():
        values = shards.read(condition, quantity)
        if values.ndim > 1:
            continue
        means.setdefault(condition, {})[quantity] = mean_of_finite(values)
        if quantity == "objective":
            share = float(np.isfinite(values).mean())
            means[condition].setdefault("finite", share)  # an attack's own stays
    return means


def _write(
    path: pathlib.Path, done: Mapping[str, Shards], of_images: Mapping[str, np.ndarray]
) -> None:
    """Writes the values of each example as `<condition>_<radius>/<quantity>`."""
    arrays = whole(of_images)
    for name, shards in done.items():
        for condition, quantity in shards.quantities():
            if quantity == "direction":
                continue
            label = condition if name == _CLEAN else f"{condition}_{name}"
            if quantity == "output":
                pictures = np.nan_to_num(shards.read(condition, quantity)[:_PICTURES])
                bytes_of_pixels = np.rint(255 * pictures.clip(0, 1)).astype(np.uint8)
                arrays |= whole({f"{label}/images": bytes_of_pixels})
                continue
            arrays[f"{label}/{quantity}"] = functools.partial(
                shards.parts, condition, quantity
            )
    write_npz(path, arrays)
