"""Gradient attacks on a trained autoencoder over a grid of radii, beside noise.

For each radius there are up to three conditions: `pgd`, the attack as it is configured;
`strong`, which also begins along the top singular vector of the attacked network and
from random points; and `noise`, a random direction of the full length. What the network
gives then is compared with what it gives of the example itself.
"""

import functools
import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfsemae import data, devices, keras_state, run_folder
from tfsemae.evaluation import loading, sanity
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
from tfsemae.evaluation.gradient_attack import GradientAttack
from tfsemae.metrics.two_samples import total_variance
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.run_folder import Metrics

_CLEAN = "clean"
_HUGE = 10.0  # radius in units of the spread, with which a target should be reached


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> Metrics:
    """Attacks in a folder that is locked; see `evaluation.attack_run`."""
    devices.set_threads(settings.run.threads)
    victim = Autoencoder.load(settings.run.model_dir)
    attack = GradientAttack(victim, settings.pgd)
    images, indices = loading.chosen(settings)
    check_images(victim, images)
    digests = {"images": images.digest(), "network": victim.digest()}
    run_folder.check_inputs(folder, digests)
    identity = [*digests.values(), *run_folder.identity(settings)]

    def shards(name: str) -> Shards:
        return Shards(folder / "arrays" / name, [name, *identity])

    following = data.take(images, np.roll(np.arange(len(images)), -1))
    batches = functools.partial(_batches, images, following, settings)
    done = {_CLEAN: shards(_CLEAN)}
    note(f"Encoding {len(images)} images.")
    compute(attack.clean, batches(), done[_CLEAN], total=len(images))
    points = done[_CLEAN].read(_CLEAN, "point").reshape(len(images), -1)
    found: Metrics = {
        "examples": len(images),
        "spread": math.sqrt(total_variance(points)),
        "deviation": points.std(axis=0).tolist(),
        **_means(done[_CLEAN]),
    }
    for name, (number, relative) in settings.pgd.radii().items():
        radius = number * (found["spread"] if relative else 1.0)
        note(f"Attacking {len(images)} images, radius {radius:.3g}.")
        done[name] = shards(name)
        attacked = batches(done[_CLEAN], attack.takes, radius)
        compute(attack.attacked, attacked, done[name], total=len(images))
        for condition, quantities in _means(done[name]).items():
            found[f"{condition}_{name}"] = {"radius": radius, **quantities}
    radius = _HUGE * found["spread"]
    first = next(batches(done[_CLEAN], attack.takes, radius))
    reached = np.mean(attack.far(*first))
    found["huge"] = {"radius": radius, "objective": float(reached)}
    found["warnings"] = sanity.warnings(found, settings.pgd)
    for warning in found["warnings"]:
        note(f"Warning: {warning}")
    _write(folder / MEASUREMENTS_FILE, done, {"indices": indices})
    for each in done.values():
        each.remove()
    (folder / "arrays").rmdir()
    return found


def _batches(
    images: data.Images,
    following: data.Images,
    settings: Settings,
    clean: Shards | None = None,
    takes: Sequence[str] = (),
    radius: float | None = None,
) -> Iterator[tuple]:
    """Arguments of `GradientAttack.clean` and, with a radius, of `attacked`.

    Args:
        images: that are attacked.
        following: of each the next one, which is another image.
        settings: of batches and seed.
        clean: what `clean` gave.
        takes: quantities of these that the attack takes.
        radius: of the ball.
    """
    size = settings.run.batch_size
    pairs = zip(
        data.batches(images, size, shuffle=False),
        data.batches(following, size, shuffle=False),
        strict=True,
    )
    known = {} if clean is None else {key: clean.read(_CLEAN, key) for key in takes}
    first = 0
    for number, pair in enumerate(pairs):
        pixels, others = (tf.nest.flatten(batch)[0] for batch in pair)
        rows = slice(first, first := first + len(pixels))
        seed = tf.constant([settings.run.seed, number], tf.int64)
        if radius is None:
            yield pixels, others, seed
            continue
        of_rows = {key: tf.constant(values[rows]) for key, values in known.items()}
        yield pixels, others, seed, of_rows, tf.constant(radius, tf.float32)


def _means(shards: Shards) -> dict[str, dict[str, float | None]]:
    """Condition -> quantity -> mean over the examples of which it is finite."""
    means: dict[str, dict[str, float | None]] = {}
    for condition, quantity in shards.quantities():
        values = shards.read(condition, quantity)
        if values.ndim > 1:
            continue
        means.setdefault(condition, {})[quantity] = mean_of_finite(values)
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
            arrays[f"{label}/{quantity}"] = functools.partial(
                shards.parts, condition, quantity
            )
    write_npz(path, arrays)
