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
    pairs = np.stack(
        [data.pixels(images, len(images)) for images in (originals, targets)], axis=1
    )
    penalty_problems.solve_all(
        lambda rows: _attacked(attack, pairs[rows], rows.start),
        len(pairs),
        done,
        unit="pair",
    )
    found: Metrics = {"examples": len(pairs), **penalty_problems.endings(done)}
    of_pairs = {"pairs": places, "penalty": attack.penalties}
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
    change = images - pairs[:, :1]
    return {
        "adversarial": {
            **found,
            "distortion": np.sqrt(np.sum(change**2, axis=(2, 3, 4))),
            **attack.distances(images, pairs, first),
        },
        "rounded": attack.distances(rounded, pairs, first),
        "original": {name: values[:, 0] for name, values in clean.items()},
        "target": {name: values[:, 1] for name, values in clean.items()},
        "pair": {
            "distance": np.sqrt(
                np.sum((pairs[:, 0] - pairs[:, 1]) ** 2, axis=(1, 2, 3))
            )
        },
    }


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
        their areas `curve/auddc` and `curve/rounded_auddc`, `[P]`.
    """
    norms = done.read("adversarial", "distortion")
    between = done.read("pair", "distance")
    ends = [done.read(name, "to_target") for name in ("original", "target")]
    distances = {
        prefix: done.read(name, "to_target")
        for prefix, name in (("", "adversarial"), ("rounded_", "rounded"))
    }
    curves = {
        "curve/distortion": np.full(norms.shape, np.nan),
        **{f"curve/{k}distance": np.full(norms.shape, np.nan) for k in distances},
        **{f"curve/{k}auddc": np.full(len(norms), np.nan) for k in distances},
    }
    for pair, (original, target) in enumerate(zip(*ends, strict=True)):
        of_pair = {key: values[pair] for key, values in distances.items()}
        finite = all(np.isfinite(values).all() for values in of_pair.values())
        if not finite or between[pair] == 0 or original - target < _LEAST_GAP:
            continue
        for key, values in of_pair.items():
            x, y = metrics.normalized_distortions(
                norms[pair],
                values,
                image_distance=between[pair],
                original_distance=original,
                target_distance=target,
            )
            curves["curve/distortion"][pair] = x
            curves[f"curve/{key}distance"][pair] = y
            if (x <= 1).any():
                curves[f"curve/{key}auddc"][pair] = metrics.auddc(x, y)
    return curves


def _draw(
    path: pathlib.Path,
    victim: Autoencoder,
    done: Shards,
    pairs: np.ndarray,
) -> None:
    """Draws the first pairs at the greatest penalty that still reaches the target.

    That is the last one before what the network gives is as far from the target as
    from the original.

    Source: Tabacof 2016, Fig. 2 and the released code.
    """
    images, to_target, to_original = (
        done.read("adversarial", name)[:_PICTURES]
        for name in ("images", "to_target", "to_original")
    )
    missed = to_target >= to_original
    first = np.where(missed.any(axis=1), missed.argmax(axis=1), missed.shape[1])
    shown = images[np.arange(len(images)), np.maximum(first - 1, 0)]
    reconstruct = victim.joint()
    rows = [
        ("original", pairs[:, 0]),
        ("adversarial", shown),
        ("its reconstruction", reconstruct(shown)["reconstruction"]),
        ("target", pairs[:, 1]),
    ]
    figures.image_grid(rows, path)
