"""Attacks a trained autoencoder and measures what came of it."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfsemae import attacks, data, devices, files, metrics, run_folder
from tfsemae.data import tfds_writing
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.reports import figures
from tfsemae.training import evaluation

_GRID = 10
_AMPLIFIED = 10.0
_NAME = "adversarial"
ADVERSARIAL_FILE = f"{_NAME}.npz"
_REFERENCE = 10_000  # images that k-NN and linear probe learn from
MEASUREMENTS_FILE = "measurements.npz"
_PREDICTIONS = {
    "knn_accuracy": metrics.knn_predictions,
    "linear_probe_accuracy": metrics.linear_probe_predictions,
}
#: Of the same images: as they are, attacked, and under noise of the attack's norm.
CONDITIONS = ("clean", "adversarial", "noise")
_LATENT_KEYS = [f"latent_{name}" for name in CONDITIONS]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All of one attack; each field is the flag of `tfsemae.attack` of that name."""

    attack: str
    model_dir: str
    attacker_dir: str
    dataset: str | None
    classes: list[str] | None
    split: str
    examples: int | None
    batch_size: int
    seed: int
    threads: int
    output_dir: str
    data_dir: str | None
    manual_dir: str | None


def attack(settings: Settings) -> dict:
    """Attacks images with the shared decoder of two autoencoders.

    Writes `adversarial.npz` (`images` float32 in [0, 1], `unclipped` as eq. (6)
    gives them, `labels` where there are any, and `indices`: int64 places in what
    `data.load` gives of that split and those classes), the same as the data set
    `adversarial` for TFDS in `tfds/`, `adversarial.png` (the first 10),
    `measurements.npz` (what is averaged below, for each image), `flags.txt` and
    `metrics.json`. A second call with equal settings gives what was found, or
    starts again if the first was stopped.

    Args:
        settings: of the attack.

    Returns:
        What `metrics.json` holds: `examples`; `psnr` (dB) and `ssim` of the
        unclipped adversarial images against the original ones, the same as
        `psnr_clipped` and `ssim_clipped`; `movement`, the mean of
        ||e_v(I_a) - L_s|| / ||L_v - L_s|| (0: eq. (7) holds exactly, 1: the latent
        did not move) over the images whose two latents differ, None if none does;
        `inverse_error`, the mean of ||e_v(d(L_v)) - L_v|| / ||L_v|| (0: eq. (3)
        holds exactly) over the images whose latent is not 0, None if none is.

        With labels of at least 2 classes also `latents`, for the latents e_v gives to
        the images as they are (`clean`), attacked (`adversarial`, unclipped) and
        with Gaussian noise of the attack's L2 norm, image by image (`noise`):
        `silhouette`, `scatter_ratio`; `knn_accuracy` and `linear_probe_accuracy`,
        learnt from the clean latents of the other split, 10,000 of them at most; and
        `knn_accuracy_anew` and `linear_probe_accuracy_anew`, learnt from the latents
        of that split after the same attack, or after noise.

    Raises:
        ValueError: if the two autoencoders, the data and the folder do not suit
            each other.
        OSError: if a file can not be written.

    Source: Ming 2022, section IV.
    """
    folder = run_folder.check(settings.output_dir)
    run_folder.check_flags(folder, settings, resume=True)
    if run_folder.is_finished(folder):
        return run_folder.read_metrics(folder)
    devices.set_threads(settings.threads)
    victim = Autoencoder.load(settings.model_dir)
    attacker = Autoencoder.load(settings.attacker_dir)
    check_pair(victim, attacker)
    images, indices = _images(settings)
    evaluation.check_images(victim, images)
    reference = _reference(settings, images)
    with run_folder.locked(folder, settings):
        measure = functools.partial(_over_batches, victim, attacker, settings)
        found = measure(images, part=0)
        clipped = data.Images(found["clipped"], images.labels, images.class_names)
        of_each = {"indices": indices}
        if images.labels is not None:
            of_each["labels"] = images.labels
        both = {"images": found["clipped"], "unclipped": found["adversarial"]}
        _write_arrays(folder / ADVERSARIAL_FILE, both | of_each)
        tfds_folder = folder / "tfds"
        with files.writing(tfds_folder, errors=(tf.errors.OpError,)):
            tfds_writing.write(clipped, indices, tfds_folder, name=_NAME, split=_NAME)
        shown = next(iter(data.batches(images, _GRID, shuffle=False)))
        original = tf.nest.flatten(shown)[0].numpy()
        draw(original, found["adversarial"][:_GRID], folder / f"{_NAME}.png")
        measured: dict[str, Any] = {"examples": len(images), **_means(found)}
        if reference is not None:
            learnt = measure(reference, part=1, keys=_LATENT_KEYS)
            measured["latents"] = _measure_latents(
                found, images.labels, learnt, reference.labels
            )
        elsewhere = ("adversarial", "clipped")
        others = {key: array for key, array in found.items() if key not in elsewhere}
        _write_arrays(folder / MEASUREMENTS_FILE, others | of_each)
        files.write_json(folder / run_folder.METRICS_FILE, measured)
    return measured


def check_pair(victim: Autoencoder, attacker: Autoencoder) -> None:
    """Refuses two autoencoders that do not share latent and decoder.

    Args:
        victim: e_v and d.
        attacker: e_s and, by its weights, the same d.

    Raises:
        ValueError: if the images, latents or decoders differ.
    """
    pairs = {
        "images": (victim.image_shape, attacker.image_shape),
        "latents": (victim.encoder.output_shape[1:], attacker.encoder.output_shape[1:]),
    }
    for name, (expected, received) in pairs.items():
        if expected != received:
            raise ValueError(
                f"--attacker_dir must have {name} of the victim's shape {expected}. "
                f"Received: {received}."
            )
    ours, theirs = victim.decoder.get_weights(), attacker.decoder.get_weights()
    if len(ours) != len(theirs) or not all(map(np.array_equal, ours, theirs)):
        raise ValueError(
            "--attacker_dir has another decoder than --model_dir; the attack wants "
            "one decoder for both. Train the attacker with --decoder_from=<model_dir>."
        )


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


def _images(settings: Settings) -> tuple[data.Images, np.ndarray]:
    """The images to attack and their places among those of split and classes."""
    images = _load(settings, settings.split)
    if settings.examples is None:
        return images, np.arange(len(images))
    if settings.examples > len(images):
        raise ValueError(
            f"--examples={settings.examples} is more than the {len(images)} images "
            "that there are. Ask for fewer."
        )
    return _drawn(images, settings.examples, settings.seed)


def _reference(settings: Settings, images: data.Images) -> data.Images | None:
    """What k-NN and linear probe learn from; None where they can not be measured."""
    if images.labels is None or not 1 < len(np.unique(images.labels)) < len(images):
        return None
    dataset, _ = _data_set(settings)
    other = "test" if settings.split == "train" else "train"
    if other not in data.splits(dataset):
        return None
    reference = _load(settings, other)
    if reference.labels is None or len(reference) < evaluation.LEAST_VOTERS:
        return None
    if len(reference) > _REFERENCE:
        reference, _ = _drawn(reference, _REFERENCE, settings.seed)
    return reference if len(np.unique(reference.labels)) > 1 else None


def _load(settings: Settings, split: str) -> data.Images:
    dataset, classes = _data_set(settings)
    return data.load(
        dataset,
        split,
        data_dir=settings.data_dir,
        manual_dir=settings.manual_dir,
        classes=classes,
    )


def _data_set(settings: Settings) -> tuple[str, Sequence[str]]:
    return run_folder.data_set(settings.model_dir, settings.dataset, settings.classes)


def _drawn(
    images: data.Images, count: int, seed: int
) -> tuple[data.Images, np.ndarray]:
    """As many images in their order, and their places."""
    random = np.random.default_rng(seed)
    indices = np.sort(random.choice(len(images), count, replace=False))
    return data.take(images, indices), indices


def _over_batches(
    victim: Autoencoder,
    attacker: Autoencoder,
    settings: Settings,
    images: data.Images,
    *,
    part: int,
    keys: Sequence[str] | None = None,
) -> dict[str, np.ndarray]:
    """`[N, ...]` of what `step` gives for a batch; each part has noise of its own.

    Of `keys` alone, where they are given: the rest is not computed.
    """

    def step(pixels: tf.Tensor, normal: tf.Tensor) -> dict[str, tf.Tensor]:
        result = attacks.semantic_shift(
            victim.encoder, attacker.encoder, victim.decoder, pixels
        )
        latent, target_latent = result.latent, result.target_latent
        disturbance = _norm(result.adversarial - pixels)
        scale = disturbance / _norm(normal)
        noisy = pixels + normal * tf.reshape(scale, (-1, 1, 1, 1))
        reached = victim.encoder(result.adversarial, training=False)
        again = victim.encoder(result.reconstruction, training=False)
        every = {
            "adversarial": result.adversarial,
            "clipped": result.clipped,
            "disturbance": disturbance,
            "psnr": metrics.psnr(pixels, result.adversarial),
            "ssim": metrics.ssim(pixels, result.adversarial),
            "psnr_clipped": metrics.psnr(pixels, result.clipped),
            "ssim_clipped": metrics.ssim(pixels, result.clipped),
            "movement": _norm(reached - target_latent) / _norm(latent - target_latent),
            "inverse_error": _norm(again - latent) / _norm(latent),
            "latent_clean": latent,
            "latent_adversarial": reached,
            "latent_noise": victim.encoder(noisy, training=False),
        }
        return {key: every[key] for key in keys or every}

    signature = 2 * [tf.TensorSpec((None, *victim.image_shape), tf.float32)]
    step = tf.function(step, input_signature=signature)
    random = np.random.default_rng([settings.seed, part])
    found = []
    for batch in data.batches(images, settings.batch_size, shuffle=False):
        pixels = tf.nest.flatten(batch)[0]
        # One stream, however the batches cut it.
        normal = random.standard_normal(pixels.shape, dtype=np.float32)
        found.append(step(pixels, normal))
    return {key: np.concatenate([batch[key] for batch in found]) for key in found[0]}


def _measure_latents(
    found: dict[str, np.ndarray],
    labels: np.ndarray,
    reference: dict[str, np.ndarray],
    reference_labels: np.ndarray,
) -> dict[str, dict[str, float | None]]:
    """How well the latents tell the classes; adds each image's answers to `found`."""
    measured = {
        name: evaluation.structure(found[f"latent_{name}"], labels)
        for name in CONDITIONS
    }
    every = np.concatenate([found[f"latent_{name}"] for name in CONDITIONS])
    for key, predict in _PREDICTIONS.items():
        of_every = predict(reference["latent_clean"], reference_labels, every)
        for name, predicted in zip(
            CONDITIONS, np.split(of_every, len(CONDITIONS)), strict=True
        ):
            latents = found[f"latent_{name}"]
            learnt = reference[f"latent_{name}"], reference_labels
            anew = predicted if name == "clean" else predict(*learnt, latents)
            for suffix, answers in (("", predicted), ("_anew", anew)):
                correct = found[f"{key}{suffix}_{name}"] = answers == labels
                measured[name][f"{key}{suffix}"] = float(np.mean(correct))
    return measured


def _norm(values: tf.Tensor) -> tf.Tensor:
    return tf.norm(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)


def _means(found: dict[str, np.ndarray]) -> dict[str, float | None]:
    means: dict[str, float | None] = {
        name: float(np.mean(found[name]))
        for name in ("psnr", "ssim", "psnr_clipped", "ssim_clipped")
    }
    for name in ("movement", "inverse_error"):
        # Not finite where it is divided by 0.
        values = found[name][np.isfinite(found[name])]
        means[name] = float(np.mean(values)) if values.size else None
    return means


def _write_arrays(path: pathlib.Path, arrays: dict[str, Any]) -> None:
    with files.replacing(path) as temporary:
        np.savez(temporary, **arrays)
