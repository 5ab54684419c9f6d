"""Pictures that several sources have: reconstructions, maps, attacks, frontiers."""

import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfsemae import data, metrics, models
from tfsemae.evaluation import attack as evaluation
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.experiments import disturbance
from tfsemae.experiments.estimates import Estimates
from tfsemae.reports import embeddings, figures
from tfsemae.reports.ledger import Picture

_IMAGES, _MAPPED, _MEASURED = 10, 2000, 500
_CHANGE_SCALES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)
_SEED = 0  # of t-SNE and of noise
_LOW_SSIM = "gradient descent on SSIM"
Levels = Sequence[tuple[str, float]]  # (label, value) of lines


def reconstructions(
    images: data.Images,
    networks: Mapping[str, models.Autoencoder],
    path: pathlib.Path,
    caption: str,
) -> Picture:
    """Draws the first images above their reconstructions by each network.

    Args:
        images: of which the first are drawn.
        networks: label -> network.
        path: PNG file to write.
        caption: of the picture.
    """
    shown = data.pixels(images, _IMAGES)
    rows = [("original", shown)]
    for name, network in networks.items():
        decoded = network.joint()(shown)["reconstruction"]
        rows.append((name, np.clip(decoded, 0, 1)))
    figures.image_grid(rows, path)
    return Picture(file=path.name, caption=caption)


def latent_maps(
    images: data.Images,
    networks: Mapping[str, models.Autoencoder],
    path: pathlib.Path,
    caption: str,
) -> Picture:
    """Draws a t-SNE map of the latents of each network.

    Args:
        images: of which the first 2,000 are encoded; with labels.
        networks: title -> network.
        path: PNG file to write.
        caption: what it shows; number, seed and perplexity follow.
    """
    pixels = data.pixels(images, _MAPPED)
    panels = [
        (
            name,
            embeddings.tsne(network.encoder.predict(pixels, verbose=0), seed=_SEED),
            images.labels[: len(pixels)],
        )
        for name, network in networks.items()
    ]
    figures.embedding(panels, images.class_names, path)
    return Picture(
        file=path.name,
        caption=f"{caption} of the first {_MAPPED} test images. Seed {_SEED}, "
        "perplexity 30.",
    )


class Attacked(NamedTuple):
    """What an attack made of images."""

    original: np.ndarray  # float32 `[N, H, W, C]` in [0, 1]
    adversarial: np.ndarray  # of that shape, unclipped
    latents: Mapping[str, np.ndarray]  # `clean` and `adversarial`, `[N, ...]`
    labels: np.ndarray  # int64 `[N]`
    class_names: tuple[str, ...]


def read_attacked(images: data.Images, folder: pathlib.Path) -> Attacked:
    """Reads what an attack run wrote.

    Args:
        images: of the split that was attacked, with labels.
        folder: of the run.
    """
    with (
        np.load(folder / evaluation.ADVERSARIAL_FILE) as arrays,
        np.load(folder / MEASUREMENTS_FILE) as found,
    ):
        adversarial, indices = arrays["unclipped"], arrays["indices"]
        latents = {name: found[f"{name}/latent"] for name in ("clean", "adversarial")}
    chosen = data.take(images, indices)
    original = data.pixels(chosen)
    return Attacked(original, adversarial, latents, chosen.labels, chosen.class_names)


def attacked_images(attacked: Attacked, path: pathlib.Path, caption: str) -> Picture:
    """Draws images, what the attack made of them, and the change.

    Args:
        attacked: of which as many of each class are drawn as fit into a row.
        path: PNG file to write.
        caption: which attack; what is shown follows.
    """
    labels = attacked.labels
    classes = np.unique(labels)
    each = max(1, _IMAGES // len(classes))
    shown = np.concatenate([np.flatnonzero(labels == c)[:each] for c in classes])
    evaluation.draw(attacked.original[shown], attacked.adversarial[shown], path)
    return Picture(
        file=path.name,
        caption=f"{caption}: test images, adversarial images clipped to [0, 1], and "
        "what changed, amplified on grey. Of each class the first "
        f"{each} of {_images_of(attacked)}",
    )


def joint_map(attacked: Attacked, path: pathlib.Path, caption: str) -> Picture:
    """Draws one t-SNE map of clean and adversarial latents, side by side."""
    latents = attacked.latents
    points = embeddings.tsne(np.concatenate(list(latents.values())), seed=_SEED)
    panels = [
        (name, part, attacked.labels)
        for name, part in zip(latents, np.split(points, len(latents)), strict=True)
    ]
    figures.embedding(panels, attacked.class_names, path, one_map=True)
    return Picture(
        file=path.name,
        caption=f"{caption}: one t-SNE map of the codes of clean and of adversarial "
        f"images under the same encoder. Perplexity 30, seed {_SEED}; all "
        f"{_images_of(attacked)}",
    )


def separate_maps(attacked: Attacked, path: pathlib.Path, caption: str) -> Picture:
    """Draws a t-SNE map of the clean latents and one of the adversarial ones."""
    panels = [
        (name, embeddings.tsne(latents, seed=_SEED), attacked.labels)
        for name, latents in attacked.latents.items()
    ]
    figures.embedding(panels, attacked.class_names, path)
    return Picture(
        file=path.name,
        caption=f"{caption}: a t-SNE map for the codes of clean images and one for "
        "those of adversarial images. Two maps mislead: each has its own position and "
        "orientation, so they can look different even where the codes hardly do; see "
        "the joint map. "
        f"Perplexity 30, all {_images_of(attacked)}",
    )


def map_silhouette(folder: pathlib.Path, condition: str) -> float:
    """How far apart the classes are in a t-SNE map of latents of their own.

    Args:
        folder: of an attack run.
        condition: of the latents, such as `clean`.
    """
    with np.load(folder / MEASUREMENTS_FILE) as found:
        labels, latents = found["labels"], found[f"{condition}/latent"]
    return metrics.silhouette(embeddings.tsne(latents, seed=_SEED), labels)


def quality_by_scale(
    attacked: Attacked, name: str, printed: tuple[float, float], path: pathlib.Path
) -> Picture:
    """Draws SSIM against PSNR while a change is scaled, and what is printed of one.

    Args:
        attacked: of which the first images are taken.
        name: of the attack.
        printed: PSNR (dB) and SSIM (%).
        path: PNG file to write.
    """
    original, change = _measured(attacked)
    curves = []
    for label, each in _of_equal_norm(original, change).items():
        psnrs, ssims = disturbance.quality_by_scale(original, each, _CHANGE_SCALES)
        curves.append(figures.Curve(label=label, x=psnrs, y=100 * ssims))
    # Another direction at each scale: SSIM is not quadratic in the change.
    psnrs, ssims = zip(
        *(
            disturbance.quality_by_scale(
                original,
                disturbance.of_low_ssim(original, scale * change, seed=_SEED),
                [1.0],
            )
            for scale in _CHANGE_SCALES
        ),
        strict=True,
    )
    curves.append(
        figures.Curve(
            label=_LOW_SSIM,
            x=np.concatenate(psnrs),
            y=100 * np.concatenate(ssims),
        )
    )
    psnr, ssim = printed
    curves.append(figures.Curve(label="printed", x=[psnr], y=[ssim]))
    of_range_1 = psnr - 20 * math.log10(2)
    curves.append(
        figures.Curve(label="printed, if for a range of 2", x=[of_range_1], y=[ssim])
    )
    panel = figures.Panel(x_label="PSNR (dB)", y_label="SSIM (%)", curves=curves)
    figures.curves([panel], path)
    return Picture(
        file=path.name,
        caption=f"PSNR and SSIM while a change is scaled ({name}), and the printed "
        "pair, also 6.02 dB lower, where it belongs if its PSNR is for pixels from "
        f"-1 to 1. Means over the first {len(original)} of {_images_of(attacked)}",
    )


def ssim_at_psnr(attacked: Attacked, psnr: float) -> dict[str, float]:
    """What SSIM changes have that are scaled to a PSNR, as `quality_by_scale` draws.

    Args:
        attacked: of which the first images are taken.
        psnr: dB.

    Returns:
        Label of a direction -> mean SSIM, at most 1.
    """
    original, change = _measured(attacked)
    change = disturbance.scaled_to_psnr(original, change, psnr)
    changes = _of_equal_norm(original, change)
    changes[_LOW_SSIM] = disturbance.of_low_ssim(original, change, seed=_SEED)
    return {
        label: float(np.mean(metrics.ssim(original, original + each)))
        for label, each in changes.items()  # of equal norm, hence of equal PSNR
    }


def by_scale(
    found: Estimates,
    curves: Mapping[str, tuple[Any, Sequence[str]]],
    keys: Sequence[str],
    scales: Sequence[float],
    path: pathlib.Path,
    caption: str,
) -> Picture:
    """Draws quantities against the scale of a change: means and deviations over runs.

    Args:
        found: the measurements.
        curves: label -> group, and its condition at each scale.
        keys: the quantity of each panel.
        scales: `[S]`, positive.
        path: PNG file to write.
        caption: of the picture.
    """
    panels = []
    for key in keys:
        drawn = []
        for label, (group, conditions) in curves.items():
            each = [f"{condition}/{key}" for condition in conditions]
            values = np.stack([found.values(group, name) for name in each])
            drawn.append(
                figures.Curve(
                    label=label,
                    x=scales,
                    y=values.mean(axis=1),
                    y_error=values.std(axis=1, ddof=1),
                )
            )
        panels.append(
            figures.Panel(
                x_label="scale of the change",
                y_label=str(found.quantities[each[0]]),
                curves=drawn,
                logarithmic=True,
            )
        )
    figures.curves(panels, path)
    return Picture(file=path.name, caption=caption)


def _measured(attacked: Attacked) -> tuple[np.ndarray, np.ndarray]:
    """Original and change of the images whose SSIM is measured by scale."""
    original = attacked.original[:_MEASURED]
    return original, attacked.adversarial[:_MEASURED] - original


def _of_equal_norm(original: np.ndarray, change: np.ndarray) -> dict[str, np.ndarray]:
    """Label -> a change, and noise of its norm."""
    return {
        "the attack": change,
        "white noise": disturbance.white(original, change, seed=_SEED),
        "noise where the image is flat": disturbance.flat_concentrated(
            original, change, seed=_SEED
        ),
    }


def _images_of(attacked: Attacked) -> str:
    return f"{len(attacked.labels):,} attacked images, first victim."


def frontiers(
    found: Estimates,
    x: str,
    ys: Mapping[str, Levels],
    curves: Mapping[str, Sequence[Any]],
    path: pathlib.Path,
    caption: str,
) -> Picture:
    """Draws quantities against another one: means and standard deviations over runs.

    Args:
        found: the measurements.
        x: key of the quantity at the bottom.
        ys: key of the quantity of each panel -> its horizontal lines.
        curves: label -> groups in the order in which a line joins them; of several,
            each is named.
        path: PNG file to write.
        caption: of the picture.
    """
    panels = [
        figures.Panel(
            x_label=str(found.quantities[x]),
            y_label=str(found.quantities[y]),
            curves=[_curve(found, x, y, *curve) for curve in curves.items()],
            levels=levels,
        )
        for y, levels in ys.items()
    ]
    figures.curves(panels, path)
    return Picture(file=path.name, caption=caption)


def _curve(
    found: Estimates, x: str, y: str, label: str, groups: Sequence[Any]
) -> figures.Curve:
    # Groups may have different numbers of runs.
    xs, ys = ([found.values(group, key) for group in groups] for key in (x, y))
    return figures.Curve(
        label=label,
        x=np.array([values.mean() for values in xs]),
        y=np.array([values.mean() for values in ys]),
        x_error=np.array([values.std(ddof=1) for values in xs]),
        y_error=np.array([values.std(ddof=1) for values in ys]),
        names=[f"{group:g}" for group in groups] if len(groups) > 1 else (),
    )
