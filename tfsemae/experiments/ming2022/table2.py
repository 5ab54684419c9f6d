"""Table II, Figs. 3 and 4, and the claims at two readings of the loss."""

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import data, models
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.experiments import pictures
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import estimated_difference, row, whole, with_parts
from tfsemae.experiments.estimates import Estimates
from tfsemae.experiments.ming2022 import printed, section3
from tfsemae.experiments.ming2022 import runs as ming_runs
from tfsemae.experiments.ming2022.runs import SUMMED_WEIGHT, WEIGHT
from tfsemae.experiments.ming2022.section3 import QUANTITIES, RULES, STATEMENTS
from tfsemae.experiments.runs import Run
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above

_FEW, _DRAWS = 10, 20_000
#: Weight -> (name of its rows and claims, what a reader calls it). The second is the
#: weight 1 of a loss that is summed, not averaged, over the 784 pixels.
_READINGS = {
    WEIGHT: ("semantic", f"weight {WEIGHT:g}"),
    SUMMED_WEIGHT: ("summed", "weight 1 of a summed loss"),
}


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ming2022_mnist`."""
    runs = ming_runs.table_2(work.scale)
    found = section3.estimates(work, runs)
    names = {None: "vanilla"} | {w: name for w, (name, _) in _READINGS.items()}
    semantic = runs[WEIGHT][0]
    return {
        "rows": [
            *section3.rows(work, found, names),
            *_differences(work, found),
            *_subsets(work, runs),
        ],
        "claims": [
            each for weight in _READINGS for each in _claims(found, weight=weight)
        ],
        "pictures": _draw(work, {"vanilla": runs[None][0], "semantic": semantic}),
        "choices": [
            work.choice("loss", semantic, "see ming2022_plateau"),
            work.choice("initializer", semantic, "see ming2022_plateau"),
            work.choice("semantic_weight", semantic, "see ming2022_weight"),
        ],
    }


def _differences(work: Workspace, found: Estimates) -> Iterator[Row]:
    """What Table II prints of the two networks together."""
    for weight, (name, subject) in _READINGS.items():
        for key, number in printed.DIFFERENCE.items():
            yield estimated_difference(
                found,
                (weight, key),
                (None, key),
                f"{name}_minus_vanilla_{key}",
                f"semantic minus vanilla, {subject}: {QUANTITIES[key].name}",
                unit=section3.difference_unit(key),
                printed=number,
                # The second reading is ours, though the printed numbers are the same.
                tag=work.tag(number if weight == WEIGHT else None),
            )


def _subsets(work: Workspace, runs: Mapping[float | None, list[Run]]) -> Iterator[Row]:
    """How often a few images differ as printed: PSNR up, SSIM down."""
    vanilla = work.folders(runs[None])
    least = {
        "signs": (0.0, 0.0, "PSNR rises and SSIM falls, as printed"),
        "differences": (
            printed.DIFFERENCE["psnr"],
            printed.DIFFERENCE["ssim"] / 100,
            "PSNR rises and SSIM falls by at least as much as printed",
        ),
    }
    for weight, (name, subject) in _READINGS.items():
        pairs = list(zip(work.folders(runs[weight]), vanilla, strict=True))
        for kind, (psnr, ssim, sentence) in least.items():
            yield row(
                f"{name}_subsets_with_the_printed_{kind}",
                f"semantic minus vanilla, {subject}: draws of {_FEW} test images in "
                f"which {sentence}",
                [100 * share_of_draws(*pair, psnr=psnr, ssim=ssim) for pair in pairs],
                unit="%",
                tag=work.tag(None),
                note=f"of {_DRAWS:,} draws a seed; the paper averages over a handful",
            )


def share_of_draws(
    semantic: pathlib.Path, vanilla: pathlib.Path, *, psnr: float, ssim: float
) -> float:
    """Of random draws of ten images, in how many PSNR rises and SSIM falls enough.

    Args:
        semantic: folder of a training.
        vanilla: of that of the same seed.
        psnr: least rise of the mean, dB; 0 is exclusive.
        ssim: greatest change of the mean, not positive; 0 is exclusive.

    Returns:
        In [0, 1].
    """
    with (
        np.load(semantic / MEASUREMENTS_FILE) as ours,
        np.load(vanilla / MEASUREMENTS_FILE) as theirs,
    ):
        rises = [ours[key] - theirs[key] for key in ("clean/psnr", "clean/ssim")]
    draws = np.random.default_rng(0).integers(len(rises[0]), size=(_DRAWS, _FEW))
    of_psnr, of_ssim = (each[draws].mean(axis=1) for each in rises)
    tiny = np.finfo(np.float64).tiny
    enough = (of_psnr >= max(psnr, tiny)) & (of_ssim <= min(ssim, -tiny))
    return float(np.mean(enough))


def _claims(found: Estimates, *, weight: float) -> Iterator[Claim]:
    name, subject = _READINGS[weight]
    for number, rules in RULES.items():
        parts = [
            section3.effect_claim(
                found,
                weight,
                key,
                rule,
                f"{number}_{key}_{name}",
                f"{STATEMENTS[number]}: {QUANTITIES[key].name} ({subject})",
            )
            for key, rule in rules.items()
        ]
        yield from with_parts(
            f"{number}_{name}", f"{STATEMENTS[number]} ({subject})", parts
        )
    neighbours = section3.effect_claim(
        found,
        weight,
        "knn_accuracy",
        Above(-printed.KNN_MARGIN),
        f"2_knn_accuracy_{name}",
        f"Beside it: {QUANTITIES['knn_accuracy'].name} does not fall ({subject})",
    )
    yield dataclasses.replace(neighbours, part_of=f"2_{name}")
    yield whole(
        f"3_{name}",
        f"Both at once ({subject})",
        "claims 1 and 2; ming2022_weight asks it of other weights",
        section3.both(found, weight),
    )


def _draw(work: Workspace, runs: Mapping[str, Run]) -> list[Picture]:
    dataset = ming_runs.TABLE_2[work.scale].dataset
    images = data.load(dataset, "test", data_dir=work.data_dir)
    networks = {n: models.Autoencoder.load(work.folder(r)) for n, r in runs.items()}
    figure3, figure4 = (work.output_dir / f"figure{n}.png" for n in (3, 4))
    reconstructed = "Fig. 3: test images and their reconstructions. Seed 0."
    mapped = "Fig. 4: t-SNE maps of the codes"
    return [
        pictures.reconstructions(images, networks, figure3, reconstructed),
        pictures.latent_maps(images, networks, figure4, mapped),
    ]
