"""Attacks a trained autoencoder and measures what came of it."""

import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from tfsemae import attacks, data, devices, files, keras_state, metrics, run_folder
from tfsemae.data import tfds_writing
from tfsemae.evaluation import latent, loading
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE, Shards, measure, write_npz
from tfsemae.evaluation.attack_registry import ATTACKS
from tfsemae.evaluation.attack_settings import Settings
from tfsemae.evaluation.checks import check_images
from tfsemae.evaluation.semantic_shift import norm
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures
from tfsemae.run_folder import Metrics

ADVERSARIAL_FILE = "adversarial.npz"
#: The same images as they are, attacked, and under noise of the attack's norm.
CONDITIONS = ("clean", "adversarial", "noise")
_NAME = "adversarial"
_GRID = 10
_AMPLIFIED = 10.0
_PREDICTIONS = {
    "knn_accuracy": metrics.knn_predictions,
    "linear_probe_accuracy": metrics.linear_probe_predictions,
}
#: Measured of each image and averaged.
_MEANS = ("psnr", "ssim", "remaining_distance", "inverse_error")


class Attacking(Protocol):
    """An attack that is evaluated, made of its settings by `attack_registry`."""

    def digests(self) -> Mapping[str, str]:
        """Name -> digest of the networks that it takes besides the victim."""

    def __call__(
        self, pixels: tf.Tensor, normal: tf.Tensor
    ) -> tuple[tf.Tensor, Mapping[str, Mapping[str, tf.Tensor]]]:
        """Adversarial images, unclipped, and condition -> quantity -> `[B]`.

        `normal` are standard normal numbers of the shape of the pixels, other ones
        than those of the control.
        """


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> Metrics:
    """Attacks in a folder that is locked; see `evaluation.attack_run`."""
    devices.set_threads(settings.run.threads)
    victim = Autoencoder.load(settings.run.model_dir)
    attacking = ATTACKS[settings.run.attack].make(victim, settings.chosen)
    images, indices, reference = loading.attacked(settings)
    check_images(victim, images)
    digests = {"images": images.digest(), "network": victim.digest()}
    if reference is not None:
        digests["reference"] = reference.digest()
    digests |= attacking.digests()
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

    note(f"Attacking {len(images)} images.")
    attacked = into_shards(0, images, _step(victim, attacking))
    of_images = {"indices": indices}
    if images.labels is not None:
        of_images["labels"] = images.labels
    _write_images(folder, images, attacked, of_images)
    found: Metrics = {"examples": len(images), **_means(attacked)}
    of_latents: dict[str, np.ndarray] = {}
    if reference is not None:
        note(f"Attacking {len(reference)} images that classifiers learn from.")
        learnt = into_shards(1, reference, _latents_only(_step(victim, attacking)))
        for condition, measured, answers in _measure_latents(
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


def _step(victim: Autoencoder, attacking: Attacking) -> Callable:
    def step(pixels: tf.Tensor, normal: tf.Tensor, own_normal: tf.Tensor) -> dict:
        adversarial, own = attacking(pixels, own_normal)
        clipped = tf.clip_by_value(adversarial, 0.0, 1.0)
        disturbance = norm(adversarial - pixels)
        noisy = attacks.gaussian_noise(pixels, normal, disturbance)
        encoder = victim.encoder
        values = {
            "clean": {"latent": encoder(pixels, training=False)},
            "adversarial": {
                "images": adversarial,
                "latent": encoder(adversarial, training=False),
                "psnr": metrics.psnr(pixels, adversarial),
                "ssim": metrics.ssim(pixels, adversarial),
                "disturbance": disturbance,
            },
            "clipped": {
                "images": clipped,
                "psnr": metrics.psnr(pixels, clipped),
                "ssim": metrics.ssim(pixels, clipped),
            },
            "noise": {"latent": encoder(noisy, training=False)},
        }
        for condition, quantities in own.items():
            values[condition] = values.get(condition, {}) | dict(quantities)
        return values

    return step


def _latents_only(step: Callable) -> Callable:
    # The rest is pruned from the graph.
    return lambda *arguments: {
        condition: {"latent": quantities["latent"]}
        for condition, quantities in step(*arguments).items()
        if "latent" in quantities
    }


def _means(attacked: Shards) -> dict[str, dict[str, float | None]]:
    means: dict[str, dict[str, float | None]] = {}
    for condition, quantity in attacked.quantities():
        if quantity in _MEANS:
            values = attacked.read(condition, quantity)
            # Not finite where it is divided by 0.
            defined = values[np.isfinite(values)]
            mean = float(np.mean(defined)) if defined.size else None
            means.setdefault(condition, {})[quantity] = mean
    return means


def _measure_latents(
    attacked: Shards,
    labels: np.ndarray,
    learnt: Shards,
    reference_labels: np.ndarray,
) -> Iterator[tuple[str, dict[str, Any], dict[str, np.ndarray]]]:
    """Yields condition, how well its latents tell the classes, answers of each."""
    note("Neighbours and linear probe of the clean latents.")
    latents = {name: attacked.read(name, "latent") for name in CONDITIONS}
    reference = {name: learnt.read(name, "latent") for name in CONDITIONS}
    every = np.concatenate(list(latents.values()))
    of_clean = {
        key: np.split(
            predict(reference["clean"], reference_labels, every), len(CONDITIONS)
        )
        for key, predict in _PREDICTIONS.items()
    }
    for place, name in enumerate(CONDITIONS):
        note(f"Silhouette and classifiers of the latents: {name}.")
        measured: dict[str, Any] = latent.structure(latents[name], labels)
        answers = {}
        for key, predict in _PREDICTIONS.items():
            predicted = of_clean[key][place]
            anew = predicted
            if name != "clean":
                anew = predict(reference[name], reference_labels, latents[name])
            for suffix, given in (("", predicted), ("_anew", anew)):
                correct = answers[f"{name}/{key}{suffix}"] = given == labels
                measured[f"{key}{suffix}"] = float(np.mean(correct))
        yield name, measured, answers


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
            **_whole(of_images),
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
        if quantity != "images"
    }
    write_npz(path, of_each | _whole(of_images))


def _whole(arrays: Mapping[str, np.ndarray]) -> dict[str, Callable]:
    return {name: lambda array=array: iter([array]) for name, array in arrays.items()}
