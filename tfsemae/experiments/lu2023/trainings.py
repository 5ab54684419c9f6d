"""What the trainings measured of their networks, without an attack."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tfsemae import run_folder
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.estimates import measured
from tfsemae.experiments.lu2023 import runs, tables
from tfsemae.experiments.lu2023.runs import Model
from tfsemae.experiments.runs import Run
from tfsemae.reports.ledger import NamedWarning, Row

_SAMPLES = 2_000  # posteriors of the mixture, see `generation.posterior_measures`
_SAMPLED = "of the mixture of 2,000 test images' posteriors; mutual information is at "
_SAMPLED += f"most ln 2,000 = {math.log(_SAMPLES):.1f}, and what is missing in it is "
_SAMPLED += "added to the total correlation"
#: Key of `metrics.json` -> what it is, unit, note.
_QUANTITIES = {
    "psnr": ("PSNR of reconstructions", "dB", ""),
    "ssim": ("SSIM of reconstructions", "", ""),
    "active_dimensions": ("entries of the code that are used", "", ""),
    "kl": ("KL divergence of the posteriors from the prior", "nats", ""),
    "posterior_share": (
        "share of the codes' variance that is noise of the posterior",
        "",
        "0 of a deterministic encoder",
    ),
    "mutual_information": ("mutual information of image and code", "nats", _SAMPLED),
    "total_correlation": ("total correlation, by samples", "nats", _SAMPLED),
    "gaussian_total_correlation": (
        "total correlation of a Gaussian of the codes' covariance",
        "nats",
        "",
    ),
}
_LEAST_SHARE = 0.01  # of posterior noise, below which a VAE is as good as deterministic
_LEAST_SSIM = 0.5  # of reconstructions
_LEAST_GAP = 0.5  # nats, of the mutual information from its bound


def values(
    work: Workspace, model: Model, dataset: str, key: str, count: int
) -> list[float]:
    """What the training of each of the first seeds measured."""
    return [
        measured(work.folder(runs.training(model, dataset, seed, work.scale)), key)
        for seed in range(count)
    ]


def rows(
    work: Workspace, dataset: str, models: Iterable[Model], count: int
) -> Iterator[Row]:
    """Rows of the networks of the first `count` seeds."""
    for model in models:
        trained = runs.training(model, dataset, 0, work.scale)
        has = run_folder.read_metrics(work.folder(trained))
        for key, (quantity, unit, note) in _QUANTITIES.items():
            if key in has:  # some are of variational autoencoders
                yield row(
                    f"{dataset}_{model.id}_{key}",
                    f"{tables.name(dataset)}, {model}: {quantity}",
                    values(work, model, dataset, key, count),
                    unit=unit,
                    tag=tables.tag(work, dataset, None),
                    note=note,
                )


def warnings(work: Workspace, planned: Iterable[Run]) -> list[NamedWarning]:
    """Networks of which the numbers of an attack say little.

    Args:
        work: where the runs are.
        planned: attack runs of the artefact.
    """
    trained = {run.name: run for run in (each.inputs["model_dir"] for each in planned)}
    found = defaultdict(list)
    for run in trained.values():
        numbers = run_folder.read_metrics(work.folder(run))
        share = numbers.get("posterior_share")
        if share is not None and share < _LEAST_SHARE:
            found["almost_deterministic"].append(
                f"{run.label}: {100 * share:.2g} % of the codes' variance is noise"
            )
        if numbers.get("ssim", 1.0) < _LEAST_SSIM:
            found["poor_reconstruction"].append(
                f"{run.label}: SSIM {numbers['ssim']:.2f}"
            )
        if "sample_diversity" in numbers and "sample_diversity_lpips" not in numbers:
            found["diversity_by_lpips_not_measured"].append(
                f"{run.label}: the training had no weights of LPIPS"
            )
        information = numbers.get("mutual_information", 0.0)
        if information > math.log(_SAMPLES) - _LEAST_GAP:
            found["total_correlation_by_samples"].append(
                f"{run.label}: mutual information {information:.1f} nats, near its "
                f"bound of {math.log(_SAMPLES):.1f}"
            )
    return [
        NamedWarning(
            name=name,
            text=f"{len(texts)} of {len(trained)} networks, such as {texts[0]}",
        )
        for name, texts in sorted(found.items())
    ]
