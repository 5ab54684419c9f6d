"""Whether networks that give diverse images are robust."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfsemae import run_folder
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.intervals import interval
from tfsemae.experiments.lu2023 import printed, runs, tables
from tfsemae.experiments.lu2023.areas import (
    GRIDS,
    SCORES,
    Comparison,
    spearman_statistic,
)
from tfsemae.experiments.lu2023.comparisons import Compared, ranked
from tfsemae.reports.ledger import Row
from tfsemae.statistics import Below, Interval

#: Ending of what trainings measured -> in what distance.
_DISTANCES = {"": "pixels", "_lpips": "LPIPS"}


def of_samples(
    work: Workspace, groups: Comparison, dataset: str, ending: str = ""
) -> dict[Any, list[float]]:
    """How different samples are, over how different images are: network -> by seed.

    Samples are of N(0, 1), and miss what codes of a larger spread give.

    Args:
        work: where the trainings are.
        groups: networks, `Model`s.
        dataset: of all.
        ending: "" for the L2 distance of pixels, "_lpips" for LPIPS.

    Returns:
        Nothing if a training has not measured LPIPS, for lack of its weights.
    """
    found: dict[Any, list[float]] = {}
    for group in groups.groups:
        for seed in groups.seeds(group):
            trained = runs.training(group, dataset, seed, work.scale)
            measured = run_folder.read_metrics(work.folder(trained))
            if f"sample_diversity{ending}" not in measured:
                return {}
            ends = (measured[f"{of}_diversity{ending}"] for of in ("sample", "image"))
            samples, images = ends
            found.setdefault(group, []).append(samples / images)
    return found


def rows(work: Workspace, compared: Comparison, dataset: str) -> Iterator[Row]:
    """How diverse the samples of networks are, and its rank correlation with areas.

    Args:
        work: see `of_samples`.
        compared: attacked networks, `Model`s.
        dataset: of all.
    """
    by_what: dict[tuple[str, str], Mapping[Any, Sequence[float]]] = {}
    for ending, distance in _DISTANCES.items():
        samples = of_samples(work, compared, dataset, ending)
        for group, values in samples.items():
            yield row(
                f"{dataset}_{group.id}_diversity{ending}",
                f"{tables.name(dataset)}, {group}: mean distance of two samples in "
                f"{distance}, over that of two images",
                values,
                tag=tables.tag(work, dataset, None),
            )
        if samples:
            by_what[f"diversity{ending}", f"samples in {distance}"] = samples
    by_what["output_diversity", "reconstructions in pixels"] = {
        group: [run.found["clean"]["output_diversity"] for run in measured]
        for group, measured in compared.groups.items()
    }
    for (id_, what), numbers in by_what.items():
        for score, grid in itertools.product(compared.main_scores, GRIDS):
            found = _correlation(compared, numbers, score, grid)
            yield Row(
                id=f"{dataset}_{id_}_{score}_{grid}",
                quantity=f"{tables.name(dataset)}: rank correlation of the diversity "
                f"of {what} and the area of {SCORES[score].name}, {grid} grid",
                unit="",
                printed=None,
                measured=found.effect,
                low=found.low,
                high=found.high,
                tag=tables.tag(work, dataset, None),
                note=f"over {sum(map(len, numbers.values()))} networks of all seeds; "
                "interval over images",
            )


def _correlation(
    compared: Comparison, numbers: Mapping[Any, Sequence[float]], score: str, grid: str
) -> Interval:
    """Over the networks of all seeds together."""
    areas = [
        compared.statistic(group, seed, score, grid)
        for group in numbers
        for seed in compared.seeds(group)
    ]
    values = list(itertools.chain.from_iterable(numbers.values()))
    return interval(spearman_statistic(values, areas), compared.examples)


def comparisons(
    work: Workspace, compared: Comparison, dataset: str, statement: str
) -> list[Compared]:
    """Whether networks of more diverse samples are less robust, seed by seed.

    Args:
        work: see `of_samples`.
        compared: attacked networks, `Model`s.
        dataset: of all.
        statement: of the claim.
    """
    return ranked(
        f"diversity_{dataset}",
        f"{statement}, {tables.name(dataset)}",
        "the mean distance of two samples in pixels, over that of two images,",
        compared,
        of_samples(work, compared, dataset),
        Below(-printed.OF_WEIGHT),
    )
