"""Several audits of the same images side by side."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfsemae import files, npz
from tfsemae.audit import estimates, page
from tfsemae.audit.report import Estimate, Report
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.reports import fields
from tfsemae.run_folder import Metrics

FILE_NAME = "comparison.json"


@fields.record
class Paired:
    """A model beside the first one, on the same images and random numbers.

    Attributes:
        space: `latent` or `input`.
        median: smallest perturbation of the model, in its standard deviations.
        ratio: median over images of the smallest perturbation over that of the first
            model: above 1 it takes more to damage this one.
        images: number of images of both.
    """

    space: fields.Text
    median: Estimate
    ratio: Estimate
    images: fields.Count


@fields.record
class Comparison:
    """What `comparison.json` holds.

    Attributes:
        folders: of the audits.
        models: their names.
        reports: of the audits.
        paired: of each model, the first among them.
    """

    folders: tuple[fields.Text, ...]
    models: tuple[fields.Text, ...]
    reports: tuple[Report, ...]
    paired: tuple[tuple[Paired, ...], ...]


def compare(
    folders: Sequence[files.PathLike], output_dir: files.PathLike
) -> Comparison:
    """Compares finished audits, and writes `index.html` and `comparison.json`.

    Args:
        folders: of at least two audits.
        output_dir: of the page.

    Raises:
        ValueError: if an audit is missing, or they are of other images, seeds, damages
            or efforts.
    """
    reports = [Report.read(folder) for folder in folders]
    for folder, report in zip(folders[1:], reports[1:], strict=True):
        _check_same(folders[0], reports[0], folder, report)
    measured = [_read(files.path(folder) / MEASUREMENTS_FILE) for folder in folders]
    found = Comparison(
        folders=tuple(map(str, folders)),
        models=tuple(report.audited.model for report in reports),
        reports=tuple(reports),
        paired=tuple(
            tuple(
                _paired(each.space, (reports[0], measured[0]), (report, arrays))
                for each in report.smallest
            )
            for report, arrays in zip(reports, measured, strict=True)
        ),
    )
    target = files.path(output_dir)
    target.mkdir(parents=True, exist_ok=True)
    written = {
        "folders": found.folders,
        "models": found.models,
        "paired": [[dataclasses.asdict(each) for each in row] for row in found.paired],
    }
    files.write_json(target / FILE_NAME, written)
    page.write_comparison(found, target)
    return found


def summary(found: Comparison) -> Metrics:
    """What `metrics.json` holds of a comparison."""
    return {
        folder: {
            each.space: {"median": each.median.value, "ratio": each.ratio.value}
            for each in row
        }
        for folder, row in zip(found.folders, found.paired, strict=True)
    }


def _paired(
    space: str,
    first: tuple[Report, dict[str, np.ndarray]],
    other: tuple[Report, dict[str, np.ndarray]],
) -> Paired:
    name = f"{space}/epsilon"
    count = min(len(first[1][name]), len(other[1][name]))
    relative = np.stack(
        [
            arrays[name][:count].astype(float) / _spread(report, space)
            for report, arrays in (first, other)
        ]
    )
    damaged = ~np.isinf(relative).all(axis=0)
    ratio = np.divide(relative[1], relative[0], out=np.ones(count), where=damaged)
    return Paired(
        space=space,
        median=estimates.quantile(relative[1]),
        ratio=estimates.quantile(ratio),
        images=count,
    )


def _spread(report: Report, space: str) -> float:
    audited = report.audited
    return audited.latent_spread if space == "latent" else audited.input_spread


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    remedy = "Run that audit again, in a new folder."
    with npz.opened(path, argument="compare", remedy=remedy) as arrays:
        return dict(arrays)


def _check_same(
    first_folder: files.PathLike,
    first: Report,
    folder: files.PathLike,
    report: Report,
) -> None:
    for name, of in (
        ("images", lambda r: r.audited.data_sha256),
        ("--seed", lambda r: r.audited.seed),
        ("--damage", lambda r: [each.damage for each in r.smallest]),
        # A weaker attack makes a model look stronger.
        (
            "restarts, steps and rounds",
            lambda r: (r.audited.restarts, r.audited.steps, r.audited.rounds),
        ),
    ):
        if of(first) != of(report):
            raise ValueError(
                "--compare needs audits of the same images, seed, damage and effort, "
                f"but the {name} of {folder} are not those of {first_folder}. Audit "
                "both alike, with --examples in place of a budget of time."
            )
