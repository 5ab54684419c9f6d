"""Attacks a trained autoencoder and measures what came of it."""

import pathlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from tfsemae import checks, data, devices, files, keras_state, run_folder
from tfsemae.data import tfds_writing
from tfsemae.evaluation import attacked_latents, attacking, loading
from tfsemae.evaluation.arrays import (
    MEASUREMENTS_FILE,
    Shards,
    mean_of_finite,
    measure,
    whole,
    write_npz,
)
from tfsemae.evaluation.attack_registry import ATTACKS
from tfsemae.evaluation.attack_settings import Settings
from tfsemae.evaluation.attacking import CONDITIONS
from tfsemae.evaluation.checks import check_images
from tfsemae.metrics.two_samples import total_variance
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures
from tfsemae.run_folder import Metrics

ADVERSARIAL_FILE = "adversarial.npz"
_NAME = "adversarial"
_GRID = 10
_AMPLIFIED = 10.0
#: Measured of each image and averaged.
_MEANS = (
    *("psnr", "ssim", "remaining_distance", "projection", "cosine"),
    "norm_factor",
)


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> Metrics:
    """Attacks in a folder that is locked; see `evaluation.attack_run`."""
    devices.set_threads(settings.run.threads)
    victim = Autoencoder.load(settings.run.model_dir)
    make = ATTACKS[settings.run.attack].make
    assert make is not None  # else `robustness` runs it
    attack = make(victim, settings.chosen)
    images, indices, reference = loading.attacked(settings)
    check_images(victim, images)
    digests = {"images": images.digest(), "network": victim.digest()}
    if reference is not None:
        digests["reference"] = reference.digest()
    digests |= attack.digests()
    run_folder.check_inputs(folder, digests)

    def into_shards(part: int, part_images: data.Images, step: Callable) -> Shards:
        identity = [str(part), *digests.values(), *run_folder.identity(settings)]
        shards = Shards(folder / "arrays" / str(part), identity)
        measure(
            step,
            part_images,
            shards,
            batch_size=settings.run.batch_size,
            inputs=[
                _normal_numbers([settings.run.seed, part]),  # of the control
                _normal_numbers([settings.run.seed, part, 1]),  # of the attack
            ],
        )
        return shards

    controls = settings.run.controls
    step = attacking.measure(
        victim, attack, controls=controls, scales=settings.run.scales or ()
    )
    note(f"Attacking {len(images)} images.")
    attacked = into_shards(0, images, step)
    of_images = {"indices": indices}
    if images.labels is not None:
        of_images["labels"] = images.labels
    _write_images(folder, images, attacked, of_images)
    found: Metrics = {"examples": len(images), **_means(attacked)}
    for condition, error in _inverse_errors(attacked):
        found.setdefault(condition, {})["inverse_error"] = error
    of_latents: dict[str, np.ndarray] = {}
    if reference is not None:
        note(f"Attacking {len(reference)} images that classifiers learn from.")
        latents = attacking.latents_only(
            attacking.measure(victim, attack, controls=controls, gradient=False)
        )
        learnt = into_shards(1, reference, latents)
        for condition, measured, answers in attacked_latents.measure(
            attacked, images.labels, learnt, reference.labels
        ):
            found[condition] = found.get(condition, {}) | measured
            of_latents |= answers
        learnt.remove()
    _write_measurements(folder / MEASUREMENTS_FILE, attacked, of_images | of_latents)
    attacked.remove()
    (folder / "arrays").rmdir()
    return found


def draw(original: np.ndarray, adversarial: np.ndarray, path: files.PathLike) -> None:
    """Draws images, what an attack made of them, and the change, amplified.

    Args:
        original: float `[N, H, W, C]` in [0, 1].
        adversarial: of the same shape; clipped to [0, 1] where it is shown.
        path: PNG file to write.

    Source: Ming 2022, Fig. 5.
    """
    # Grey is no change; the factor stands in the label.
    change = 0.5 + _AMPLIFIED * (adversarial - original)
    rows = [
        ("original", original),
        ("adversarial", adversarial.clip(0, 1)),
        (f"change x {_AMPLIFIED:g}", change.clip(0, 1)),
    ]
    figures.image_grid(rows, path)


def _normal_numbers(seed: list[int]) -> Callable[[tuple[int, ...]], np.ndarray]:
    """One stream, however the batches cut it."""
    random = np.random.default_rng(seed)
    return lambda shape: random.standard_normal(shape, dtype=np.float32)


def _means(attacked: Shards) -> dict[str, dict[str, float | None]]:
    means: dict[str, dict[str, float | None]] = {}
    for condition, quantity in attacked.quantities():
        if quantity in _MEANS:
            # Not finite where it is divided by 0.
            mean = mean_of_finite(attacked.read(condition, quantity))
            means.setdefault(condition, {})[quantity] = mean
    return means


def _inverse_errors(attacked: Shards) -> Iterator[tuple[str, float | None]]:
    """Condition and error of eq. (3) at its latents, relative to their spread."""
    for condition, quantity in attacked.quantities():
        if quantity == "inverse_residual":
            residual = np.mean(attacked.read(condition, quantity) ** 2)
            latents = checks.matrix(attacked.read(condition, "latent"), condition)
            spread = total_variance(latents)
            yield condition, float(np.sqrt(residual / spread)) if spread else None


def _write_images(
    folder: pathlib.Path,
    images: data.Images,
    attacked: Shards,
    of_images: Mapping[str, np.ndarray],
) -> None:
    """Writes the adversarial images as `.npz`, for TFDS, and a picture of some."""
    write_npz(
        folder / ADVERSARIAL_FILE,
        {
            "images": lambda: attacked.parts("clipped", "images"),
            "unclipped": lambda: attacked.parts("adversarial", "images"),
            **whole(of_images),
        },
    )
    tfds_folder = folder / "tfds"
    clipped = attacked.read("clipped", "images")
    with files.writing(tfds_folder, errors=(tf.errors.OpError,)):
        tfds_writing.write(
            data.Images(clipped, images.labels, images.class_names),
            of_images["indices"],
            tfds_folder,
            name=_NAME,
            split=_NAME,
        )
    original = data.pixels(images, _GRID)
    adversarial = next(attacked.parts("adversarial", "images"))[:_GRID]
    draw(original[: len(adversarial)], adversarial, folder / f"{_NAME}.png")


def _write_measurements(
    path: pathlib.Path, attacked: Shards, of_images: Mapping[str, np.ndarray]
) -> None:
    of_each = {
        f"{condition}/{quantity}": (
            lambda key=(condition, quantity): attacked.parts(*key)
        )
        for condition, quantity in attacked.quantities()
        if quantity != "images" and (quantity != "latent" or condition in CONDITIONS)
    }
    write_npz(path, of_each | whole(of_images))
