"""Attacks by L-BFGS-B on pairs of images, over a grid of penalties of the distortion.

Each pair is an original and a target of another class. For each penalty C the original
is changed until the network takes it for the target; the larger C, the less it is
changed. What a variational network gives is measured over many draws of its latent.
"""

import pathlib

import numpy as np

from tfsemae import data, devices, keras_state, metrics, run_folder
from tfsemae.evaluation import loading, penalty_problems
from tfsemae.evaluation.arrays import Arrays, Shards, mean_of_finite
from tfsemae.evaluation.attack_settings import Settings
from tfsemae.evaluation.checks import check_images
from tfsemae.evaluation.penalty_attack import PenaltyAttack
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.progress import note
from tfsemae.reports import figures
from tfsemae.run_folder import Metrics

_LEAST_GAP = 1e-3  # |rec(x) - t| - |rec(t) - t| of a pair that can be normalised
_PICTURES = 10
_LEVELS = 255  # of an image of 8 bits, beside 0


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> Metrics:
    """Attacks in a folder that is locked; see `evaluation.attack_run`."""
    devices.set_threads(settings.run.threads)
    if settings.lbfgsb.bisections:
        raise ValueError(
            f"--bisections={settings.lbfgsb.bisections} is for classifiers, and "
            f"--model_dir={settings.run.model_dir} holds an autoencoder. Leave it out."
        )
    victim = Autoencoder.load(settings.run.model_dir)
    attack = PenaltyAttack(victim, settings.lbfgsb, settings.run.seed)
    originals, targets, places = loading.pairs(settings)
    check_images(victim, originals)
    digests = {
        "images": originals.digest(),
        "targets": targets.digest(),
        "network": victim.digest(),
    }
    run_folder.check_inputs(folder, digests)
    identity = [*digests.values(), *run_folder.identity(settings)]
    done = Shards(folder / "arrays", identity)
    note(f"Attacking {len(originals)} pairs with {len(attack.penalties)} penalties.")
    pairs = np.stack([data.pixels(images) for images in (originals, targets)], axis=1)
    penalty_problems.solve_all(
        lambda rows: _attacked(attack, pairs[rows], rows.start),
        len(pairs),
        done,
        unit="pair",
    )
    found: Metrics = {"examples": len(pairs), **penalty_problems.endings(done)}
    of_pairs = {"pairs": places, "penalty": attack.penalties}
    if len(attack.radii):
        of_pairs["linf_epsilon"] = attack.radii
    if settings.lbfgsb.targeted:
        curves = _curves(done)
        areas = {name: curves[f"curve/{name}"] for name in ("auddc", "rounded_auddc")}
        found |= {name: mean_of_finite(values) for name, values in areas.items()}
        found["without_curve"] = int(np.sum(np.isnan(areas["auddc"])))
        of_pairs |= curves
    else:
        found["damage"] = _damage(done)
    penalty_problems.write(folder, done, of_pairs)
    _draw(folder / "adversarial.png", victim, done, pairs[:_PICTURES])
    done.remove()
    return found


def _attacked(attack: PenaltyAttack, pairs: np.ndarray, first: int) -> Arrays:
    """Values of P pairs: `[P]`, or of each penalty `[P, K]`."""
    found = attack.attacked(pairs, first)
    images = found["images"]
    rounded = np.rint(_LEVELS * images) / np.float32(_LEVELS)
    clean = attack.distances(pairs, pairs, first)  # of originals and of targets
    values = {
        "adversarial": {
            **found,
            "distortion": penalty_problems.norms(images - pairs[:, :1]),
            **attack.distances(images, pairs, first),
        },
        "rounded": attack.distances(rounded, pairs, first),
        "original": {name: values[:, 0] for name, values in clean.items()},
        "target": {name: values[:, 1] for name, values in clean.items()},
        "pair": {
            "images": pairs,
            "distance": penalty_problems.norms(pairs[:, 0] - pairs[:, 1]),
        },
    }
    if len(attack.radii):
        inside = attack.within_radii(pairs, first)
        values["linf"] = {
            "images": inside,
            "distortion": penalty_problems.norms(inside - pairs[:, :1]),
            **attack.distances(inside, pairs, first),
        }
    return values


def _damage(done: Shards) -> float | None:
    """By how much the farthest reconstruction is farther than without a change."""
    attacked = done.read("adversarial", "to_original").max(axis=1)
    clean = done.read("original", "to_original")
    with np.errstate(divide="ignore", invalid="ignore"):  # of a perfect network
        return mean_of_finite(attacked / clean)


def _curves(done: Shards) -> dict[str, np.ndarray]:
    """Normalised curves of all pairs, NaN where a pair cannot be normalised.

    Returns:
        `curve/distortion`, `curve/distance` and `curve/rounded_distance`, `[P, K]`;
        their areas `curve/auddc` and `curve/rounded_auddc`, `[P]`; with L-inf attacks
        `curve/linf_distortion` and `curve/linf_distance`, `[P, R]`.
    """
    between = done.read("pair", "distance")
    original, target = (done.read(name, "to_target") for name in ("original", "target"))
    kept = (between > 0) & (original - target >= _LEAST_GAP)
    conditions = {"": "adversarial", "rounded_": "rounded"}
    if ("linf", "distortion") in done.quantities():
        conditions["linf_"] = "linf"
    curves: dict[str, np.ndarray] = {}
    for prefix, condition in conditions.items():
        norms = done.read(condition.replace("rounded", "adversarial"), "distortion")
        distances = done.read(condition, "to_target")
        x, y = np.full((2, *norms.shape), np.nan)
        for pair in np.flatnonzero(kept & np.isfinite(distances).all(axis=1)):
            x[pair], y[pair] = metrics.normalized_distortions(
                norms[pair],
                distances[pair],
                image_distance=between[pair],
                original_distance=original[pair],
                target_distance=target[pair],
            )
        curves[f"curve/{prefix}distortion"] = x
        curves[f"curve/{prefix}distance"] = y
        if condition != "linf":
            areas = [_area(*each) for each in zip(x, y, strict=True)]
            curves[f"curve/{prefix}auddc"] = np.array(areas)
    del curves["curve/rounded_distortion"]  # those of the images that are rounded
    return curves


def _area(x: np.ndarray, y: np.ndarray) -> float:
    return metrics.auddc(x, y) if (x <= 1).any() else float("nan")


def _draw(
    path: pathlib.Path,
    victim: Autoencoder,
    done: Shards,
    pairs: np.ndarray,
) -> None:
    """Draws the first pairs at the greatest penalty that still reaches the target.

    Source: Tabacof 2016, Fig. 2.
    """
    images, to_target, to_original = (
        done.read("adversarial", name)[:_PICTURES]
        for name in ("images", "to_target", "to_original")
    )
    hit = penalty_problems.last_hit(to_target, to_original)
    shown = images[np.arange(len(images)), hit]
    decoded = victim.joint()(shown)["reconstruction"].numpy()
    rows = [
        ("original", pairs[:, 0]),
        ("adversarial", shown),
        ("its reconstruction", decoded.clip(0, 1)),  # a last layer may be linear
        ("target", pairs[:, 1]),
    ]
    figures.image_grid(rows, path)
